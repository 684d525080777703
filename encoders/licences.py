"""Licences of weights: how to describe them, and whether they are known to permit commercial use."""

import os
from typing import Literal, TypeAlias

from core.errors import LicenceNotAllowed

__all__ = [
    "COMMERCIAL_VARIABLE",
    "PermittedUse",
    "commercial_only",
    "describe_licence",
    "permitted_use",
    "require_commercial",
]

COMMERCIAL_VARIABLE = "SIGHTLINE_COMMERCIAL"
"""Environment variable: 1 refuses every model whose licence is not known to permit commercial use."""

PermittedUse: TypeAlias = Literal["commercial", "non-commercial", "unknown"]

COMMERCIAL_LICENCES = frozenset(
    {"apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc-by-4.0", "cc0-1.0", "isc", "unlicense"}
)
"""In lower case, as the hub writes them. Any other licence must be read by a person: unknown is not allowed."""
NON_COMMERCIAL_MARKS = ("-nc", "noncommercial", "non-commercial", "research-only", "apple-amlr")
"""Parts of the names of licences that forbid commercial use."""


def permitted_use(licence: str) -> PermittedUse:
    """Return the use that `licence` permits; for several licences (`a and b`), the most restricted one."""
    uses = {_permitted_by_one(part.strip().lower()) for part in licence.split(" and ")}
    return next(use for use in ("non-commercial", "unknown", "commercial") if use in uses)


def describe_licence(licence: str) -> str:
    """Return the name of `licence`, with a warning unless it permits commercial use."""
    use = permitted_use(licence)
    if use == "commercial":
        return licence
    if use == "non-commercial":
        return f"{licence}: NOT for commercial use"
    if licence == "unknown":
        return "unknown: no clear licence is stated; ask its authors before you use it commercially"
    return f"{licence}: not known here; read it before you use the model commercially"


def commercial_only(*, requested: bool = False) -> bool:
    """Return whether models must permit commercial use, as requested or as the environment demands."""
    return requested or os.environ.get(COMMERCIAL_VARIABLE, "").strip().lower() in ("1", "true", "yes", "on")


def require_commercial(name: str, licence: str, *, requested: bool = False) -> None:
    """Raise `LicenceNotAllowed` if commercial use is required and `licence` is not known to permit it."""
    if commercial_only(requested=requested) and permitted_use(licence) != "commercial":
        raise LicenceNotAllowed(name, licence)


def _permitted_by_one(licence: str) -> PermittedUse:
    if licence in COMMERCIAL_LICENCES:
        return "commercial"
    return "non-commercial" if any(mark in licence for mark in NON_COMMERCIAL_MARKS) else "unknown"
