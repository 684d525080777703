"""What a repair returns."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Repaired"]


@dataclass(frozen=True)
class Repaired:
    """The bytes of a repaired file, and what Pillow does not read of it, under Pillow's names."""

    data: bytes
    info: dict[str, Any] = field(default_factory=dict)
