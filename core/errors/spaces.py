"""Errors about embedding spaces, and about vectors that are imported or exported."""

from pathlib import Path

from core.errors.base import SightlineError

__all__ = [
    "AmbiguousSpace",
    "BadVectorFile",
    "DamagedVectors",
    "ExchangeError",
    "SpaceDropped",
    "SpaceExists",
    "SpaceInUse",
    "SpaceIncomplete",
    "SpaceMismatch",
    "UnknownSpace",
    "WeightsChanged",
]


class SpaceMismatch(SightlineError):
    """Vectors of the space `found` would be mixed with those of the library, which are of the space `expected`."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            f"The library's pictures are embedded by {expected}, not by {found}; their vectors cannot be compared."
        )
        self.expected, self.found = expected, found


class WeightsChanged(SpaceMismatch):
    """`model`, which embedded the space `expected`, is installed with other weights: it embeds in the space `found`."""

    def __init__(self, expected: str, found: str, model: str) -> None:
        super().__init__(expected, found)
        self.model = model

    def __str__(self) -> str:
        """Say that the weights differ, instead of naming two models.

        A model in 8 bits also depends on the photos by which its steps were chosen.
        """
        differs = "was prepared with other weights or photos" if "?precision=" in self.model else "has other weights"
        return (
            f"The installed model {self.model} {differs} than the one that embedded the library's pictures: "
            f"{self.found} is installed, and the pictures are embedded by {self.expected}. Their vectors cannot be "
            "compared."
        )


class SpaceIncomplete(SightlineError):
    """The space `name` has vectors of only `embedded` of `pictures` pictures; `away` are the folders not available."""

    def __init__(self, name: str, embedded: int, pictures: int, away: tuple[Path, ...]) -> None:
        where = f" ({', '.join(map(str, away))}: is it mounted?)" if away else ""
        super().__init__(
            f"{name} has vectors of {embedded:,} of {pictures:,} pictures: the files of the others could not be used"
            f"{where}. The active model was not changed, and the vectors made so far are kept."
        )
        self.name, self.embedded, self.pictures, self.away = name, embedded, pictures, away


class ExchangeError(SightlineError):
    """Vectors cannot be imported or exported."""


class BadVectorFile(ExchangeError):
    """The file of vectors or of their IDs at `path` cannot be imported; `fault` says why."""

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(f"{path}: {fault}")
        self.path, self.fault = path, fault


class DamagedVectors(ExchangeError):
    """Some stored vectors of the space `name` are damaged and cannot be exported."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Some vectors of {name} are damaged.")
        self.name = name


class UnknownSpace(ExchangeError):
    """The library has no space called `name`; `known` are its spaces."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        choices = f"Choose from: {', '.join(known)}." if known else "The library has no spaces."
        super().__init__(f"Unknown space {name!r}. {choices}")
        self.name, self.known = name, known


class AmbiguousSpace(UnknownSpace):
    """Several spaces of the library are called `name`: `known`."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)

    def __str__(self) -> str:
        """List the names and fingerprints to choose from."""
        return (
            f"Several spaces are called {self.name!r}. Name one by its version or its fingerprint: "
            f"{', '.join(self.known)}."
        )


class SpaceDropped(UnknownSpace):
    """The space called `name` was dropped while it was being used."""

    def __init__(self, name: str) -> None:
        super().__init__(name, ())

    def __str__(self) -> str:
        """Say that the space existed."""
        return f"{self.name} is no longer in the library: it was dropped."


class SpaceInUse(ExchangeError):
    """The space called `name` cannot be dropped; `reason` says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} cannot be dropped: {reason}")
        self.name, self.reason = name, reason


class SpaceExists(ExchangeError):
    """A space called `name` already exists; `is_imported` says whether it may be replaced."""

    def __init__(self, name: str, *, is_imported: bool) -> None:
        super().__init__(
            f"A space called {name!r} already exists"
            + ("." if is_imported else ", made by a model. Choose another name.")
        )
        self.name, self.is_imported = name, is_imported
