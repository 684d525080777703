"""Licences of weights: what they are called, and whether they are known to allow commercial use."""

import os
from typing import Literal

from core.errors import LicenceRefused

__all__ = ["COMMERCIAL_VARIABLE", "Use", "commercial_only", "in_words", "require_commercial", "use_of"]

COMMERCIAL_VARIABLE = "SIGHTLINE_COMMERCIAL"
"""Environment variable: 1 refuses every model that is not known to allow commercial use."""

Use = Literal["commercial", "non-commercial", "unknown"]

ALLOWING = frozenset({"apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc-by-4.0", "cc0-1.0", "isc", "unlicense"})
"""In small letters, as the hub writes them. Whatever is not here is looked at by a person: unknown is not allowed."""
FORBIDDING = ("-nc", "noncommercial", "non-commercial", "research-only", "apple-amlr")


def use_of(licence: str) -> Use:
    """What `licence` allows; of several (`a and b`), the least."""
    uses = {_use_of_one(part.strip().lower()) for part in licence.split(" and ")}
    return next(use for use in ("non-commercial", "unknown", "commercial") if use in uses)


def in_words(licence: str) -> str:
    """`licence` as a person should hear it."""
    use = use_of(licence)
    if use == "commercial":
        return licence
    if use == "non-commercial":
        return f"{licence}: NOT for commercial use"
    if licence == "unknown":
        return "unknown: its authors state none; ask them before you use it commercially"
    return f"{licence}: not known here; read it before you use the model commercially"


def commercial_only(*, asked: bool = False) -> bool:
    """Whether only models that are known to allow commercial use are wanted: on demand, or by the environment."""
    return asked or os.environ.get(COMMERCIAL_VARIABLE, "").strip().lower() in ("1", "true", "yes", "on")


def require_commercial(name: str, licence: str, *, asked: bool = False) -> None:
    """Raises `LicenceRefused` when that is wanted and `licence` is not known to allow it."""
    if commercial_only(asked=asked) and use_of(licence) != "commercial":
        raise LicenceRefused(name, licence)


def _use_of_one(licence: str) -> Use:
    if licence in ALLOWING:
        return "commercial"
    return "non-commercial" if any(word in licence for word in FORBIDDING) else "unknown"
