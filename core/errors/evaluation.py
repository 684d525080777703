"""Errors about evaluation and data sets."""

from pathlib import Path

from core.errors.base import SightlineError, first_names

__all__ = [
    "CaptionVectorsRequired",
    "DatasetError",
    "EvaluationError",
    "IncomparableEvaluations",
    "MissingPictures",
    "MissingVectors",
    "UnknownLanguage",
    "UnknownMetric",
    "UnknownSplit",
]


class EvaluationError(SightlineError):
    """Something cannot be measured; the message says why."""


class DatasetError(EvaluationError):
    """The data set at `path` is invalid, in `line` (from 1) when a single line is at fault; `detail` says how."""

    def __init__(self, path: Path, detail: str, line: int | None = None) -> None:
        super().__init__(f"{path}: {detail}" if line is None else f"{path}, line {line}: {detail}")
        self.path, self.detail, self.line = path, detail, line


class MissingPictures(DatasetError):
    """The data set at `path` names `missing` pictures, relative to it, that do not exist."""

    def __init__(self, path: Path, missing: tuple[str, ...]) -> None:
        super().__init__(path, f"{len(missing):,} of its pictures are missing: {first_names(missing)}")
        self.missing = missing


class UnknownSplit(DatasetError):
    """The data set at `path` has no split `split`; `known` are the splits it has."""

    def __init__(self, path: Path, split: str, known: tuple[str, ...]) -> None:
        choices = f"Choose from: {', '.join(known)}." if known else "The data set has no splits."
        super().__init__(path, f"Unknown split {split!r}. {choices}")
        self.split, self.known = split, known


class UnknownLanguage(DatasetError):
    """The data set at `path` has no caption in the language `lang`; `known` are the languages it has."""

    def __init__(self, path: Path, lang: str, known: tuple[str, ...]) -> None:
        super().__init__(path, f"No captions in {lang!r}. Choose from: {', '.join(known)}.")
        self.lang, self.known = lang, known


class UnknownMetric(EvaluationError):
    """No metric is called `name`; `known` are the names to choose from, with k for any whole number from 1.

    `similar` are metrics with a similar name.
    """

    def __init__(self, name: str, known: tuple[str, ...], similar: tuple[str, ...] = ()) -> None:
        suggestion = f"Did you mean {' or '.join(similar)}? " if similar else ""
        super().__init__(f"Unknown metric {name!r}. {suggestion}Choose from: {', '.join(known)}.")
        self.name, self.known, self.similar = name, known, similar


class MissingVectors(EvaluationError):
    """The space `space` has no vectors of the pictures `missing`, which were to be ranked."""

    def __init__(self, space: str, missing: tuple[str, ...]) -> None:
        super().__init__(f"{len(missing):,} pictures have no vector in {space}: {first_names(missing)}")
        self.space, self.missing = space, missing


class CaptionVectorsRequired(EvaluationError):
    """The vectors of the space `space` were imported, so that no model can embed captions for it."""

    def __init__(self, space: str) -> None:
        super().__init__(f"The vectors of {space} were imported, so the vectors of the captions must be given as well.")
        self.space = space


class IncomparableEvaluations(EvaluationError):
    """Two evaluations were not made with the same queries; `difference` are the IDs that only one of them has."""

    def __init__(self, left: str, right: str, difference: tuple[str, ...]) -> None:
        super().__init__(
            f"{left} and {right} were not evaluated with the same queries: {len(difference):,} differ: "
            f"{first_names(difference)}"
        )
        self.left, self.right, self.difference = left, right, difference
