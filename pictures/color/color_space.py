"""Colour that a file declares without a profile: code points (cICP, nclx), or gamma and chromaticities of a PNG.

Code points are those of ITU-T H.273 (07/2024), tables 2 and 3. Of the primaries, BT.2020, DCI-P3 and Display P3 are
converted; the others are close to those of sRGB. The transfer functions of BT.709, BT.601 and BT.2020 are taken for
that of sRGB, because pictures are seen on displays of about that response.

High dynamic range (PQ and HLG, ITU-R BT.2100-2) is tone-mapped. A level of 1 is the diffuse white of 203 cd/m2 (ITU-R
BT.2408-7, section 2.1). Levels up to `KNEE` are kept, so that a picture looks like its version without highlights;
higher ones are compressed by t / (1 + t), where t is the excess over the knee in units of 1 - KNEE. The curve is
continuous with its slope, and reaches 1 at infinity. It is applied to the largest of red, green and blue; the other two
are scaled alike, which keeps the hue.

Gamma and chromaticities of a PNG (third edition, sections 11.3.2.1 and 11.3.2.2) are used if they are plausible and
differ from those of sRGB.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["CODE_POINTS", "DIFFUSE_WHITE", "KNEE", "CodePoints", "ColorSpace", "declared_space"]

CODE_POINTS = "code_points"
"""Key in `info` of a picture of its `CodePoints`."""

KNEE = 0.75
"""Level above which highlights are compressed, relative to diffuse white."""

DIFFUSE_WHITE = 203.0
"""Luminance of diffuse white in cd/m2, at 100 % reflectance."""

HLG_PEAK = 1000.0
"""Luminance of the display that HLG is shown on, in cd/m2; its system gamma is 1.2 (BT.2100-2, table 5)."""

_SRGB_GAMMA, _GAMMA_TOLERANCE = 1 / 2.2, 0.03
_PLAUSIBLE_GAMMAS = 0.2, 2.0
_CHROMATICITY_TOLERANCE = 0.01

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]
Transfer = Callable[[NDArray[np.float64]], NDArray[np.float64]]
Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue."""

_D65 = (0.3127, 0.3290)
_SRGB: Chromaticities = (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
_PRIMARIES: dict[int, Chromaticities] = {
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),  # BT.2020
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # DCI-P3
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # Display P3
}
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""Cone responses by which white points are adapted (ICC.1:2022, annex E)."""

_ENCODED_STEPS = 4095
_PIXELS_AT_A_TIME = 1 << 20


@dataclass(frozen=True)
class CodePoints:
    """Primaries and transfer function by number. In a PNG they outrank a profile; in AVIF and HEIF they do not."""

    primaries: int
    transfer: int
    outrank_profile: bool = False


@dataclass(frozen=True)
class ColorSpace:
    """A colour space other than sRGB. `transfer` turns coded values, 0..1, to linear ones, 1 being diffuse white."""

    chromaticities: Chromaticities
    transfer: Transfer
    is_high_range: bool = False
    has_system_gamma: bool = False
    """Its linear values are those of a scene, not of a display (HLG)."""
    outranks_profile: bool = False

    def to_srgb(self, image: Image.Image) -> Image.Image:
        """Convert an L or RGB picture to RGB in sRGB."""
        levels = self.transfer(np.arange(256) / 255).astype(np.float32)
        matrix = _conversion(self.chromaticities)
        if image.mode == "L" or (matrix is None and not self.is_high_range):
            table = self._displayed(np.repeat(levels[:, None], 3, axis=1), None)[:, 0].tolist()
            return image.point(table * len(image.getbands())).convert("RGB")
        pixels = np.asarray(image)
        converted = np.empty_like(pixels)
        rows = max(1, _PIXELS_AT_A_TIME // image.width)
        for start in range(0, image.height, rows):
            converted[start : start + rows] = self._displayed(levels[pixels[start : start + rows]], matrix)
        return Image.fromarray(converted)

    def _displayed(self, linear: Floats, matrix: Matrix | None) -> NDArray[np.uint8]:
        """Convert linear values (..., 3) to sRGB bytes."""
        if self.has_system_gamma:
            linear = linear * _system_gamma(linear, self.chromaticities)
        if matrix is not None:
            linear = linear @ matrix.T.astype(np.float32)
        linear = np.maximum(linear, 0)
        if self.is_high_range:
            linear = linear * _tone_mapping(linear.max(axis=-1, keepdims=True))
        places = np.sqrt(np.minimum(linear, 1)) * _ENCODED_STEPS
        return np.asarray(_encoded_table()[np.rint(places).astype(np.uint16)])


def declared_space(info: Mapping[Any, Any]) -> ColorSpace | None:
    """Return the space that the `info` of a picture declares, or None if that is sRGB, unknown or implausible."""
    if (points := info.get(CODE_POINTS)) is not None:
        return _space_of(points)
    if "srgb" in info or not ("gamma" in info or "chromaticity" in info):
        return None
    gamma = _plausible_gamma(info.get("gamma"))
    chromaticities = _plausible_chromaticities(info.get("chromaticity"))
    if gamma is None and chromaticities is None:
        return None
    transfer = _srgb_to_linear if gamma is None else _power(1 / gamma)
    return ColorSpace(chromaticities or _SRGB, transfer)


def _space_of(points: CodePoints) -> ColorSpace | None:
    chromaticities = _PRIMARIES.get(points.primaries, _SRGB)
    transfer = _TRANSFERS.get(points.transfer, _srgb_to_linear)
    if chromaticities == _SRGB and transfer is _srgb_to_linear:
        return None
    return ColorSpace(
        chromaticities,
        transfer,
        is_high_range=transfer in (_pq_to_linear, _hlg_to_linear),
        has_system_gamma=transfer is _hlg_to_linear,
        outranks_profile=points.outrank_profile,
    )


def _srgb_to_linear(coded: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1."""
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def _linear_to_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def _pq_to_linear(coded: NDArray[np.float64]) -> NDArray[np.float64]:
    """BT.2100-2, table 4: the EOTF of PQ, up to 10,000 cd/m2."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = coded ** (1 / m2)
    return 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) / DIFFUSE_WHITE


def _hlg_to_linear(coded: NDArray[np.float64]) -> NDArray[np.float64]:
    """BT.2100-2, table 5: the inverse OETF of HLG, to the light of the scene, 0..1."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)


def _power(exponent: float) -> Transfer:
    def to_linear(coded: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(coded**exponent)

    return to_linear


_TRANSFERS: dict[int, Transfer] = {
    4: _power(2.2),
    5: _power(2.8),
    8: _power(1.0),
    16: _pq_to_linear,
    17: _power(2.6),  # SMPTE ST 428-1
    18: _hlg_to_linear,
}


def _system_gamma(scene: Floats, chromaticities: Chromaticities) -> Floats:
    """Return the factor from the light of the scene to that of the display (BT.2100-2, table 5: the OOTF of HLG)."""
    luminance = scene @ _to_xyz(chromaticities)[1].astype(np.float32)
    return np.asarray(np.maximum(luminance, 1e-6) ** 0.2 * (HLG_PEAK / DIFFUSE_WHITE))[..., None]


def _tone_mapping(level: Floats) -> Floats:
    """Return the factor by which pixels with this largest component are scaled."""
    excess = np.maximum(level - KNEE, 0) / (1 - KNEE)
    mapped = np.minimum(level, KNEE) + (1 - KNEE) * excess / (1 + excess)
    return np.asarray(mapped / np.maximum(level, 1e-6))


@cache
def _encoded_table() -> NDArray[np.uint8]:
    """Return the sRGB bytes of linear values, by their square roots."""
    linear = (np.arange(_ENCODED_STEPS + 1) / _ENCODED_STEPS) ** 2
    return np.rint(_linear_to_srgb(linear) * 255).astype(np.uint8)


@cache
def _conversion(chromaticities: Chromaticities) -> Matrix | None:
    """Return the matrix from linear RGB to linear sRGB, or None if it changes nothing."""
    if chromaticities == _SRGB:
        return None
    adapted = _adaptation(chromaticities[:2], _D65) @ _to_xyz(chromaticities)
    return np.asarray(np.linalg.solve(_to_xyz(_SRGB), adapted), np.float64)


def _to_xyz(chromaticities: Chromaticities) -> Matrix:
    """Return the matrix from linear RGB to XYZ, in which white has Y = 1."""
    points = np.array(chromaticities).reshape(4, 2)  # white, red, green, blue: x, y
    xyz = np.stack([points[:, 0], points[:, 1], 1 - points.sum(axis=1)]) / points[:, 1]  # (3, 4)
    return np.asarray(xyz[:, 1:] * np.linalg.solve(xyz[:, 1:], xyz[:, 0]))


def _adaptation(white: tuple[float, ...], target: tuple[float, ...]) -> Matrix:
    cones = [_BRADFORD @ (x / y, 1, (1 - x - y) / y) for x, y in (white, target)]
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(cones[1] / cones[0]) @ _BRADFORD)


def _plausible_gamma(gamma: object) -> float | None:
    """Return the exponent of the encoding, unless it is that of sRGB or nonsense."""
    if not isinstance(gamma, float) or abs(gamma - _SRGB_GAMMA) <= _GAMMA_TOLERANCE:
        return None
    return gamma if _PLAUSIBLE_GAMMAS[0] <= gamma <= _PLAUSIBLE_GAMMAS[1] else None


def _plausible_chromaticities(values: object) -> Chromaticities | None:
    """Return the chromaticities unless they are those of sRGB or nonsense."""
    if not isinstance(values, tuple) or len(values) != 8 or not all(0 < value < 1 for value in values):
        return None
    if max(abs(value - usual) for value, usual in zip(values, _SRGB, strict=True)) <= _CHROMATICITY_TOLERANCE:
        return None
    _, _, red_x, red_y, green_x, green_y, blue_x, blue_y = values
    area = (green_x - red_x) * (blue_y - red_y) - (blue_x - red_x) * (green_y - red_y)
    return values if abs(area) > 0.05 else None  # twice that of the triangle; 0.22 for sRGB
