"""The exception tree. The library raises these and nothing else of its own; the command line turns them into words.

SightlineError
├── NoHomeFolder                 the user has none to keep a library in
├── LibraryError                 a library (catalogue and indexes) as a whole
│   ├── LibraryNotFound          there is none at that place
│   ├── LibraryUnusable          it cannot be opened: not a catalogue, damaged, no permission, disk full
│   └── LibraryTooNew            written by a newer Sightline
├── RootUnavailable              a folder of pictures is gone or suddenly nearly empty
├── FolderUnreadable             the operating system will not list a folder of pictures
├── FolderPassedOver             a folder that was named lies in a root which leaves it out
├── NoSuchFolder                 a path that was to be indexed is no folder
├── NothingKnown                 a path the library does not know
├── PictureError                 one file that cannot become pixels; carries a stable `reason`
│   ├── PictureUnreadable        the operating system would not give the bytes (worth another try)
│   ├── PictureUndecodable       the bytes are no picture, or a broken one
│   ├── PictureUnsupported       a format that needs an extra that is not installed
│   ├── PictureTooLarge          more pixels, or a more extreme shape, than the limits allow
│   └── FileTooLarge             more bytes than are ever read into memory
├── EncoderError
│   ├── UnknownModel             no model of that name
│   ├── ModelUnavailable         known, but something it needs is missing
│   ├── BadCheckpoint            a file of weights or of their configuration that cannot be used
│   ├── DeviceUnavailable        a device or a precision that this machine does not have
│   ├── PullFailed               the files of a model could not be fetched; says what to do by hand
│   ├── LicenceRefused           a licence that does not allow what is wanted, or that nobody knows
│   └── BadVectors               an encoder returned the wrong shape, NaN, or a zero vector
├── SpaceMismatch                vectors of two embedding spaces would be mixed
│   └── WeightsChanged           the model has other weights than when the library was indexed
├── SpaceIncomplete              a space that was to answer from now on, and covers too little of the library
├── IndexFault                   a FAISS file is missing, stale or damaged (always rebuilt from the catalogue)
├── InvalidQuery                 a query that cannot be asked
│   └── QuerySyntax              one whose text cannot be read; says where
├── InvalidTag                   a text that cannot name a tag or an album
├── UnknownAlbum                 no album of that name
├── ExchangeError                vectors that come from elsewhere, or go there
│   ├── BadVectorFile            a file of vectors or of their ids that cannot be taken in
│   ├── UnknownSpace             the library has no space of that name
│   │   ├── AmbiguousSpace       it has several
│   │   └── SpaceDropped         it had one, which was given up
│   ├── SpaceInUse               a space that is to be dropped, while it answers or is being filled
│   └── SpaceExists              it has one of that name already
├── PluginError                  a plug-in that cannot be imported, or is not what its kind asks for
├── ServeRefused                 a server that would be unsafe as asked
├── ExtraMissing                 an optional package that is not installed
└── EvaluationError              something that cannot be measured
    ├── DatasetError             a data set on disk that is not what it should be; names file and line
    │   ├── MissingPictures      it speaks of pictures that are not there
    │   ├── UnknownSplit         it has no split of that name
    │   └── UnknownLanguage      it has no caption in that language
    ├── UnknownMetric            no measure has that name
    ├── MissingVectors           pictures to rank that the space holds no vector of
    └── Incomparable             two evaluations that were not made of the same queries
"""

import os
import unicodedata
from pathlib import Path
from typing import ClassVar

__all__ = [
    "AmbiguousSpace",
    "BadCheckpoint",
    "BadVectorFile",
    "BadVectors",
    "DatasetError",
    "DeviceUnavailable",
    "EncoderError",
    "EvaluationError",
    "ExchangeError",
    "ExtraMissing",
    "FileTooLarge",
    "FolderPassedOver",
    "FolderUnreadable",
    "Incomparable",
    "IndexFault",
    "InvalidQuery",
    "InvalidTag",
    "LibraryError",
    "LibraryNotFound",
    "LibraryTooNew",
    "LibraryUnusable",
    "LicenceRefused",
    "MissingPictures",
    "MissingVectors",
    "ModelUnavailable",
    "NoHomeFolder",
    "NoSuchFolder",
    "NothingKnown",
    "PictureError",
    "PictureTooLarge",
    "PictureUndecodable",
    "PictureUnreadable",
    "PictureUnsupported",
    "PluginError",
    "PullFailed",
    "QuerySyntax",
    "RootUnavailable",
    "ServeRefused",
    "SightlineError",
    "SpaceDropped",
    "SpaceExists",
    "SpaceInUse",
    "SpaceIncomplete",
    "SpaceMismatch",
    "UnknownAlbum",
    "UnknownLanguage",
    "UnknownMetric",
    "UnknownModel",
    "UnknownSpace",
    "UnknownSplit",
    "WeightsChanged",
]


_ONE_LINE = dict.fromkeys([*range(32), 127], " ")
"""Signs that would move what is shown of a text, to blanks."""


class SightlineError(Exception):
    """Root of all errors that Sightline raises on purpose."""


class NoHomeFolder(SightlineError):
    """The user has no home folder to keep things in; the environment variable `variable` can name another place."""

    def __init__(self, variable: str) -> None:
        option = "--library or " if variable == "SIGHTLINE_LIBRARY" else ""
        super().__init__(f"you have no home folder to keep things in; name one with {option}{variable}")
        self.variable = variable


class LibraryError(SightlineError):
    """Something about a library as a whole; `path` is its folder."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class LibraryNotFound(LibraryError):
    """There is no library at `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, f"there is no library at {path}; `sightline index FOLDER` makes one")


class LibraryUnusable(LibraryError):
    """The catalogue at `path` cannot be opened or written; `reason` says why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, f"the library at {path} cannot be used: {reason}")
        self.reason = reason


class LibraryTooNew(LibraryError):
    """The catalogue at `path` has schema `revision`, which this version does not know."""

    def __init__(self, path: Path, revision: str) -> None:
        super().__init__(
            path, f"the library at {path} was written by a newer Sightline (schema {revision}); upgrade Sightline"
        )
        self.revision = revision


class RootUnavailable(SightlineError):
    """A root that held `known` pictures now shows only `found`: most likely not mounted. Nothing was changed."""

    def __init__(self, root: Path, known: int, found: int) -> None:
        super().__init__(
            f"{root} held {known} pictures and now shows {found}: is it mounted? Nothing was changed. "
            "If they are really gone, run again with --accept-missing"
        )
        self.root, self.known, self.found = root, known, found


class NoSuchFolder(SightlineError):
    """`path` was to be indexed and is no folder."""

    def __init__(self, path: Path) -> None:
        exists = os.path.exists(path)  # noqa: PTH110 (Path.exists raises for a name that is too long)
        super().__init__(f"{path} is a file; name the folder it is in" if exists else f"there is no folder {path}")
        self.path = path


class FolderUnreadable(SightlineError):
    """The operating system will not list the folder `path`; `detail` is what it says."""

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"cannot look into {path}: {detail}. Nothing was changed")
        self.path, self.detail = path, detail


class FolderPassedOver(SightlineError):
    """The folder `path` was to be indexed, but its root, `root`, leaves it out."""

    def __init__(self, path: Path, root: Path) -> None:
        super().__init__(
            f"{path} is passed over in {root}: it is hidden, a link, or excluded. --include-hidden, --follow-links or "
            "another .sightlineignore lets it in. Nothing was changed"
        )
        self.path, self.root = path, root


class NothingKnown(SightlineError):
    """The library knows no picture at or beneath `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"the library knows nothing at {path}")
        self.path = path


class PictureError(SightlineError):
    """One file that cannot become pixels. `reason` is a stable word for the failures table, `detail` is for people."""

    reason: ClassVar[str] = "failed"
    transient: ClassVar[bool] = False
    """True when the same bytes may well succeed later, so that the next run tries again."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class PictureUnreadable(PictureError):
    """The operating system would not give the bytes."""

    reason = "unreadable"
    transient = True


class PictureUndecodable(PictureError):
    """The bytes are no picture, or a truncated or corrupt one."""

    reason = "undecodable"


class PictureUnsupported(PictureError):
    """The format needs an extra that is not installed; `detail` names it."""

    reason = "unsupported"
    transient = True


class PictureTooLarge(PictureError):
    """More pixels, or a more extreme shape, than the limits allow."""

    reason = "too-large"

    def __init__(self, width: int, height: int, limit: str) -> None:
        super().__init__(f"{width}x{height} pixels: {limit}")
        self.width, self.height, self.limit = width, height, limit


class FileTooLarge(PictureError):
    """More bytes than are ever read into memory."""

    reason = "too-large"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size:,} bytes: more than {limit:,} are not read")
        self.size, self.limit = size, limit


class EncoderError(SightlineError):
    """Something about a model."""


class UnknownModel(EncoderError):
    """No model is called `name`; `known` are the names there are."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no model is called {name!r}; there are: {', '.join(known)}")
        self.name, self.known = name, known


class ModelUnavailable(EncoderError):
    """The model `name` is known, but `missing` is not there; `remedy` says what to do by hand."""

    def __init__(self, name: str, missing: str, remedy: str) -> None:
        super().__init__(f"the model {name!r} needs {missing}: {remedy}")
        self.name, self.missing, self.remedy = name, missing, remedy


class BadCheckpoint(EncoderError):
    """The file or folder at `path` is no model that can be used; `fault` says why."""

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(f"{path} cannot be used as a model: {fault}")
        self.path, self.fault = path, fault


class DeviceUnavailable(EncoderError):
    """A device or a precision, `name`, that this machine does not have; `fault` says why."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"{name!r} cannot be used: {fault}")
        self.name, self.fault = name, fault


class PullFailed(EncoderError):
    """The files of the model `name` could not be fetched, for the reason `fault`; `remedy` says what to do by hand."""

    def __init__(self, name: str, fault: str, remedy: str) -> None:
        super().__init__(f"cannot pull {name!r}: {fault}. {remedy}")
        self.name, self.fault, self.remedy = name, fault, remedy


class LicenceRefused(EncoderError):
    """The model `name` is not used: only commercial use was asked for, and its licence is `licence`."""

    def __init__(self, name: str, licence: str) -> None:
        super().__init__(
            f"the model {name!r} is refused: its licence ({licence}) is not known to allow commercial use, which "
            "--commercial or SIGHTLINE_COMMERCIAL=1 asks for"
        )
        self.name, self.licence = name, licence


class BadVectors(EncoderError):
    """The encoder `name` returned vectors that cannot be ranked; `fault` says what is wrong with them."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"the model {name!r} returned unusable vectors: {fault}")
        self.name, self.fault = name, fault


class SpaceMismatch(SightlineError):
    """Vectors of the space `found` were about to be used where the library speaks `expected`."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            f"the library's pictures are embedded by {expected}, not by {found}; they cannot be compared. "
            "`sightline models use MODEL` changes the library's model; --library DIR is a library of its own"
        )
        self.expected, self.found = expected, found


class WeightsChanged(SpaceMismatch):
    """The model of the space `expected` is `found` now: it has other weights, or reads pictures in another way."""

    def __init__(self, expected: str, found: str, model: str) -> None:
        super().__init__(expected, found)
        self.model = model

    def __str__(self) -> str:
        """What still works, and what to do."""
        return (
            f"the library's pictures are embedded by {self.expected}, and here is {self.found} now, whose "
            f"vectors cannot be compared with them. `sightline models use {self.model}` embeds the pictures anew and "
            "then answers; until then `sightline similar` finds what is like a picture of the library"
        )


class SpaceIncomplete(SightlineError):
    """The space `name` has vectors of `embedded` of `pictures` pictures, too few to answer; `away` are folders gone."""

    def __init__(self, name: str, embedded: int, pictures: int, away: tuple[Path, ...]) -> None:
        where = f" ({', '.join(map(str, away))}: is it mounted?)" if away else ""
        super().__init__(
            f"{name} has vectors of {embedded:,} of {pictures:,} pictures, as the files of the others could not be "
            f"used{where}. What answered before goes on answering, and what was embedded is kept: run again when the "
            "files are there, or with --accept-missing"
        )
        self.name, self.embedded, self.pictures, self.away = name, embedded, pictures, away


class IndexFault(SightlineError):
    """The index file at `path` is missing, stale or damaged (`fault`)."""

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(f"the index {path.name} is {fault}")
        self.path, self.fault = path, fault


class InvalidQuery(SightlineError):
    """A query that cannot be asked; the message says what is wrong with it."""


class InvalidTag(SightlineError):
    """`text` cannot name a tag or an album: nothing of it can be read."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is no name: give at least one letter")
        self.text = text


class UnknownAlbum(SightlineError):
    """No album is called `name`; `known` are the names there are."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no album is called {name!r}; there are: {_few(known) or 'none'}")
        self.name, self.known = name, known


class QuerySyntax(InvalidQuery):
    """The query `text` cannot be read at the character `position` (from 0); `fault` says why."""

    def __init__(self, text: str, position: int, fault: str) -> None:
        line = text.translate(_ONE_LINE)
        start = max(position - 60, 0)
        before = line[start:position]
        # East Asian letters are two columns wide, marks that sit on others none.
        columns = sum(
            0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
            for sign in before
        )
        super().__init__(f"{fault}\n  {before}{line[position : position + 40]}\n  {' ' * columns}^")
        self.text, self.position, self.fault = text, position, fault


class ExchangeError(SightlineError):
    """Something about vectors that come from elsewhere, or go there."""


class BadVectorFile(ExchangeError):
    """The file at `path` holds vectors or ids that cannot be taken in; `fault` says which, and why."""

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(f"{path}: {fault}")
        self.path, self.fault = path, fault


class UnknownSpace(ExchangeError):
    """The library has no space called `name`; `known` are the names it has."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"the library has no space called {name!r}; there are: {', '.join(known) or 'none'}")
        self.name, self.known = name, known


class AmbiguousSpace(UnknownSpace):
    """Several spaces of the library are called `name`: `known`."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name, known)

    def __str__(self) -> str:
        """How to say which."""
        return f"several spaces are called {self.name!r}: name one by its fingerprint: {', '.join(self.known)}"


class SpaceDropped(UnknownSpace):
    """The space called `name` was there a moment ago."""

    def __init__(self, name: str) -> None:
        super().__init__(name, ())

    def __str__(self) -> str:
        """What happened."""
        return f"{self.name} is no longer in the library: it was dropped"


class SpaceInUse(ExchangeError):
    """The space called `name` is not dropped; `reason` says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} is not dropped: {reason}")
        self.name, self.reason = name, reason


class SpaceExists(ExchangeError):
    """A space called `name` is there already; `remedy` says what to do."""

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(f"a space called {name!r} is there already: {remedy}")
        self.name, self.remedy = name, remedy


class ExtraMissing(SightlineError):
    """`purpose` needs a package that comes with the extra `extra`, which is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs an extra: pip install 'sightline[{extra}]'")
        self.purpose, self.extra = purpose, extra


class PluginError(SightlineError):
    """A plug-in, found by its entry point, cannot be imported or is not what its kind asks for."""

    def __init__(self, group: str, name: str, target: str, detail: str) -> None:
        super().__init__(f"Cannot use the plug-in {name!r} ({target}, entry point group {group}): {detail}")
        self.group = group
        self.name = name
        self.target = target
        self.detail = detail


class ServeRefused(SightlineError):
    """The server would be unsafe as asked; the message says why, and what to do."""


class EvaluationError(SightlineError):
    """Something that cannot be measured; the message says why."""


class DatasetError(EvaluationError):
    """The data set file or folder at `path` is wrong, in `line` (from 1) if one is to blame; `detail` says how."""

    def __init__(self, path: Path, detail: str, line: int | None = None) -> None:
        super().__init__(f"{path}: {detail}" if line is None else f"{path}, line {line}: {detail}")
        self.path, self.detail, self.line = path, detail, line


class MissingPictures(DatasetError):
    """The data set at `path` speaks of `missing` pictures, relative to it, that are not there."""

    def __init__(self, path: Path, missing: tuple[str, ...]) -> None:
        super().__init__(path, f"{len(missing):,} of its pictures are not there: {_few(missing)}")
        self.missing = missing


class UnknownSplit(DatasetError):
    """The data set at `path` has no split `split`; `known` are those it has."""

    def __init__(self, path: Path, split: str, known: tuple[str, ...]) -> None:
        there = f"there are: {', '.join(known)}" if known else "it has no splits"
        super().__init__(path, f"no split is called {split!r}; {there}")
        self.split, self.known = split, known


class UnknownLanguage(DatasetError):
    """The data set at `path` has no caption in the language `lang`; `known` are those it has."""

    def __init__(self, path: Path, lang: str, known: tuple[str, ...]) -> None:
        super().__init__(path, f"no captions in {lang!r}; there are: {', '.join(known)}")
        self.lang, self.known = lang, known


class UnknownMetric(EvaluationError):
    """No measure is called `name`; `known` are the names there are, with k for any whole number from 1."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no measure is called {name!r}; there are: {', '.join(known)}")
        self.name, self.known = name, known


class MissingVectors(EvaluationError):
    """Pictures that were to be ranked and that `space` holds no vector of."""

    def __init__(self, space: str, missing: tuple[str, ...]) -> None:
        super().__init__(
            f"{len(missing):,} pictures have no vector of {space}: {_few(missing)}; `sightline index` makes them"
        )
        self.space, self.missing = space, missing


class Incomparable(EvaluationError):
    """Two evaluations that were not made of the same queries; `difference` are ids that only one of them has."""

    def __init__(self, left: str, right: str, difference: tuple[str, ...]) -> None:
        super().__init__(
            f"{left} and {right} were not made of the same queries: {len(difference):,} differ: {_few(difference)}"
        )
        self.left, self.right, self.difference = left, right, difference


def _few(names: tuple[str, ...], shown: int = 5) -> str:
    """The first few of `names`, for a message."""
    return ", ".join(names[:shown]) + (", ..." if len(names) > shown else "")
