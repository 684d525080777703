"""An embedding space: one encoder, its weights and its preprocessing. Vectors of two spaces are never compared."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["IMPORTED", "Space"]

IMPORTED = "imported:"
"""Begins the `weights` of a space whose vectors were made elsewhere; the SHA-256 of the vectors follows."""


@dataclass(frozen=True)
class Space:
    """What makes vectors comparable.

    `model` is the name people type, `weights` a digest of the weights (tokenizer included), `preprocessing` every
    field that moves a pixel, `dim` the length of a vector.
    """

    model: str
    weights: str
    dim: int
    preprocessing: Mapping[str, object] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """64 hex digits that differ as soon as any part of the space differs."""
        parts = [self.model, self.weights, self.dim, dict(self.preprocessing)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def is_imported(self) -> bool:
        """Its vectors were made elsewhere: nothing here can embed words or pictures in it."""
        return self.weights.startswith(IMPORTED)

    def __str__(self) -> str:
        return f"{self.model} ({self.fingerprint[:12]})"
