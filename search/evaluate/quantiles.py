"""Quantiles of the beta and of Student's distribution, and binomial probabilities, without SciPy.

All are computed from the regularised incomplete beta function, by its continued fraction (NIST Digital Library of
Mathematical Functions, 8.17.22) with the method of Lentz ("Generating Bessel functions in Mie scattering calculations
using continued fractions", Appl. Opt. 1976).
"""

import math

__all__ = ["beta_quantile", "binomial_cdf", "incomplete_beta", "student_quantile"]

_TINY = 1e-300
_PRECISION = 1e-14
_MAX_TERMS = 100_000
_BISECTIONS = 60


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the probability that a beta variable with parameters `a`, `b` > 0 is at most `x`."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast only below
        return 1 - incomplete_beta(1 - x, b, a)
    log_scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_scale) / (a * _continued_fraction(x, a, b))


def beta_quantile(p: float, a: float, b: float) -> float:
    """Return the `x` that a beta variable with parameters `a`, `b` > 0 does not exceed with probability `p`."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if incomplete_beta(middle, a, b) < p else (low, middle)
    return (low + high) / 2


def student_quantile(level: float, degrees: float) -> float:
    """Return the `t` that a Student variable exceeds in absolute value with probability 1 - `level`."""
    x = beta_quantile(1 - level, degrees / 2, 0.5)
    return math.sqrt(degrees * (1 - x) / x) if x else math.inf


def binomial_cdf(successes: int, trials: int, p: float) -> float:
    """Return the probability of at most `successes` in independent `trials` that succeed with probability `p`."""
    if successes < 0 or successes >= trials:
        return float(successes >= trials)
    return incomplete_beta(1 - p, trials - successes, successes + 1)


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Return 1 + d1 x / (1 + d2 x / (1 + ...)), whose inverse is the continued fraction of DLMF 8.17.22."""
    value, front, back = 1.0, 1.0, 0.0
    for term in range(1, _MAX_TERMS):
        m, is_odd = divmod(term, 2)
        numerator = (
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            if is_odd
            else m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        )
        back = 1 / ((1 + numerator * back) or _TINY)
        front = (1 + numerator / front) or _TINY
        value *= front * back
        if abs(front * back - 1) < _PRECISION:
            break
    return value
