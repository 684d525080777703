"""An embedding space: an encoder, its weights and its preprocessing. Vectors of different spaces are never compared."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["IMPORTED", "UNFINISHED", "Space", "weights_of_version"]

IMPORTED = "imported:"
"""Prefix of `weights` for a space with imported vectors. It is followed by the SHA-256 of the vectors."""

UNFINISHED = IMPORTED + "unfinished:"
"""Prefix of `weights` for a space that is being imported, or that another one has replaced: no search uses it."""

_VERSION = re.compile(r"([0-9][\w.-]{0,15}):.")
"""How `weights` begin if they name their version."""
_UNVERSIONED = {"dd9512311ea4e31df88f986740be3c8ed8c012e301c55c0acb9430674b476cf4": "2"}
"""Versions of weights whose digest was recorded alone. `mini` 2 was: its fingerprint must not change."""


@dataclass(frozen=True)
class Space:
    """Identifies vectors that can be compared with each other.

    `model` is the name of the model, `weights` is a digest of its weights and tokenizer, `dim` is the length of a
    vector, and `preprocessing` contains every setting that affects the pixels. `weights` may begin with the version of
    the model and a colon, `3:9f86d08...`; a version begins with a digit and has at most 16 characters.
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
    def version(self) -> str | None:
        """The version of the model that `weights` names; None if they name none."""
        named = _VERSION.match(self.weights)
        return named[1] if named else _UNVERSIONED.get(self.weights)

    @property
    def name(self) -> str:
        """The name under which commands find this version of the model: `mini@3`, or `model` without a version."""
        return f"{self.model}@{self.version}" if self.version else self.model

    @property
    def title(self) -> str:
        """The name of this version of the model for messages: `mini 3`, or `model` without a version."""
        return f"{self.model} {self.version}" if self.version else self.model

    @property
    def is_imported(self) -> bool:
        """Return whether the vectors were imported, so that no encoder is available for the space."""
        return self.weights.startswith(IMPORTED)

    @property
    def is_unfinished(self) -> bool:
        """Return whether the import of the space has not been completed, or its removal has not."""
        return self.weights.startswith(UNFINISHED)

    def __str__(self) -> str:
        return f"{self.title} ({self.fingerprint[:12]})"


def weights_of_version(version: str, digest: str) -> str:
    """Return the `weights` of a space for a version of a model and the digest of its files."""
    return digest if _UNVERSIONED.get(digest) == version else f"{version}:{digest}"
