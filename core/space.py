"""An embedding space: an encoder, its weights and its preprocessing. Vectors of different spaces are never compared."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["IMPORTED", "Space"]

IMPORTED = "imported:"
"""Prefix of `weights` for a space with imported vectors. It is followed by the SHA-256 of the vectors."""


@dataclass(frozen=True)
class Space:
    """Identifies vectors that can be compared with each other.

    `model` is the name of the model, `weights` is a digest of its weights and tokenizer, `dim` is the length of a
    vector, and `preprocessing` contains every setting that affects the pixels.
    """

    model: str
    weights: str
    dim: int
    preprocessing: Mapping[str, object] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Return 64 hex digits that are different for any two different spaces."""
        parts = [self.model, self.weights, self.dim, dict(self.preprocessing)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def is_imported(self) -> bool:
        """Return whether the vectors were imported, so that no encoder is available for the space."""
        return self.weights.startswith(IMPORTED)

    def __str__(self) -> str:
        return f"{self.model} ({self.fingerprint[:12]})"
