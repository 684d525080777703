"""Errors as HTTP clients see them: the status, the stable name and the hint of each. `web.problems` sends them."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from core import errors
from core.errors import SightlineError
from web.printable import printable

__all__ = [
    "Busy",
    "FrameNotFound",
    "NotAllowed",
    "NotFound",
    "PictureNotUploaded",
    "StorageFull",
    "describe_failure",
    "hint_for",
    "problem_name",
    "status_of",
]


class NotFound(SightlineError):
    """The resource does not exist, or the client may not see it; the response is the same for both."""

    def __init__(self, message: str = "Not found.") -> None:
        super().__init__(message)


class FrameNotFound(NotFound):
    """The picture has no frame with the number `frame`, only `count`. The frame of a still picture has the number 0."""

    def __init__(self, frame: int, count: int) -> None:
        numbers = "0 is the only one" if count == 1 else f"its frames have the numbers 0 to {count - 1}"
        super().__init__(f"The picture has no frame {frame}; {numbers}.")
        self.frame, self.count = frame, count


class PictureNotUploaded(errors.InvalidQuery):
    """The query names a file by its path, which would say whether that file exists on the server."""

    def __init__(self) -> None:
        super().__init__("A picture has to be uploaded; it cannot be named by its path.")


class NotAllowed(SightlineError):
    """The server does not allow this request; the message says why."""


class Busy(SightlineError):
    """Something else has to finish first."""

    def __init__(self, message: str = "A job is already running, and only one can run at a time.") -> None:
        super().__init__(message)


class StorageFull(SightlineError):
    """The data that was sent cannot be stored: the disk is full or cannot be written."""

    def __init__(self) -> None:
        super().__init__("The server cannot store what was sent: its disk is full or cannot be written.")


STATUS: Mapping[type[SightlineError], HTTPStatus] = MappingProxyType(
    {
        NotFound: HTTPStatus.NOT_FOUND,
        NotAllowed: HTTPStatus.BAD_REQUEST,
        Busy: HTTPStatus.CONFLICT,
        StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
        # The request is wrong.
        errors.InvalidQuery: HTTPStatus.BAD_REQUEST,
        errors.InvalidTag: HTTPStatus.BAD_REQUEST,
        errors.InvalidJob: HTTPStatus.BAD_REQUEST,
        errors.PictureError: HTTPStatus.BAD_REQUEST,
        errors.BadCheckpoint: HTTPStatus.BAD_REQUEST,
        errors.UnknownModelOption: HTTPStatus.BAD_REQUEST,
        errors.BadVectorFile: HTTPStatus.BAD_REQUEST,
        # The request names something that does not exist.
        errors.PathNotIndexed: HTTPStatus.NOT_FOUND,
        errors.FolderNotFound: HTTPStatus.NOT_FOUND,
        errors.UnknownSpace: HTTPStatus.NOT_FOUND,
        errors.UnknownModel: HTTPStatus.NOT_FOUND,
        errors.UnknownAlbum: HTTPStatus.NOT_FOUND,
        errors.UnknownJob: HTTPStatus.NOT_FOUND,
        # The request conflicts with the state of the library or of its folders.
        errors.NothingIndexed: HTTPStatus.CONFLICT,
        errors.AlbumExists: HTTPStatus.CONFLICT,
        errors.AlbumIsSearch: HTTPStatus.CONFLICT,
        errors.NotInAlbum: HTTPStatus.CONFLICT,
        errors.SnapshotError: HTTPStatus.CONFLICT,
        errors.RootBusy: HTTPStatus.CONFLICT,
        errors.ForeignRoot: HTTPStatus.CONFLICT,
        errors.MergeWithItself: HTTPStatus.CONFLICT,
        errors.TargetNotEmpty: HTTPStatus.CONFLICT,
        errors.RootElsewhere: HTTPStatus.CONFLICT,
        errors.RootMismatch: HTTPStatus.CONFLICT,
        errors.RootNotHere: HTTPStatus.CONFLICT,
        errors.RootOverlaps: HTTPStatus.CONFLICT,
        errors.UnknownRoot: HTTPStatus.NOT_FOUND,
        errors.JobError: HTTPStatus.CONFLICT,
        errors.SpaceMismatch: HTTPStatus.CONFLICT,
        errors.SpaceIncomplete: HTTPStatus.CONFLICT,
        errors.ExchangeError: HTTPStatus.CONFLICT,
        errors.EvaluationError: HTTPStatus.CONFLICT,
        errors.RootUnavailable: HTTPStatus.CONFLICT,
        errors.FolderExcluded: HTTPStatus.CONFLICT,
        errors.FolderUnreadable: HTTPStatus.CONFLICT,
        errors.LicenceNotAccepted: HTTPStatus.CONFLICT,
        # The machine lacks something, for now or until it is installed.
        errors.ClusterError: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.EncoderError: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.ExtraMissing: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.PluginError: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.LibraryError: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.LibraryReadOnly: HTTPStatus.FORBIDDEN,
        errors.IndexFault: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.IndexEngineUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.UnknownIndexEngine: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.HomeFolderNotFound: HTTPStatus.SERVICE_UNAVAILABLE,
        # The server or a model is at fault.
        errors.BadVectors: HTTPStatus.INTERNAL_SERVER_ERROR,
        errors.UnsafeServerSettings: HTTPStatus.INTERNAL_SERVER_ERROR,
        errors.AddressUnavailable: HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)
"""Exception class to its HTTP status; a subclass without an entry has its base class's."""

NAMES: Mapping[type[SightlineError], str] = MappingProxyType(
    {
        NotFound: "NotThere",
        StorageFull: "NoRoom",
        errors.AddressUnavailable: "ServeRefused",
        errors.AlbumIsRanked: "InvalidQuery",
        errors.CheckpointIsSegmenter: "BadCheckpoint",
        errors.ContentNotEmbedded: "InvalidQuery",
        errors.DamagedVectors: "ExchangeError",
        errors.DownloadFailed: "PullFailed",
        errors.EmptyQuery: "InvalidQuery",
        errors.FolderExcluded: "FolderPassedOver",
        errors.FolderNotFound: "NoSuchFolder",
        errors.HomeFolderNotFound: "NoHomeFolder",
        errors.ImportedSpaceHasNoModel: "ModelUnavailable",
        errors.InvalidJob: "NotAllowed",
        errors.IncomparableEvaluations: "Incomparable",
        errors.LibraryBusy: "Busy",
        errors.LicenceNotAllowed: "LicenceRefused",
        errors.PathNotIndexed: "NothingKnown",
        errors.RelevanceNotCalibrated: "InvalidQuery",
        errors.UnknownJob: "NotThere",
        errors.UnknownJobKind: "NotAllowed",
        errors.UnsafeServerSettings: "ServeRefused",
    }
)
"""Problem names that differ from the name of the class. Clients rely on them, so they stay when a class is renamed."""

HINTS: Mapping[type[SightlineError], Callable[[Any], str | None]] = MappingProxyType(
    {
        errors.NothingIndexed: lambda _: "Index a folder first (a job of kind `index`).",
        errors.SpaceMismatch: lambda _: "Change the model of the library first (a job of kind `space`).",
        errors.RootUnavailable: lambda _: (
            "If the pictures are really gone, run `sightline index FOLDER --accept-missing` on the server."
        ),
        errors.LibraryDamaged: lambda error: (
            "Restore the database of the library from a backup."
            if isinstance(error.path, str)
            else "Stop the server and run `sightline repair`: it saves what can be read."
        ),
        errors.LibraryReadOnly: lambda error: (
            "Give the user in the URL of the library permission to write, or use the server that others follow."
            if isinstance(error.path, str)
            else "Give the user that runs the server permission to write to its folder, or serve a copy of it."
        ),
        errors.SpaceIncomplete: lambda _: "Start the job again when the files are available.",
        errors.ModelUnavailable: lambda error: (
            f"`sightline models pull {error.pull}` on the server downloads what is missing." if error.pull else None
        ),
        errors.QuerySyntax: lambda error: 'Set "plain" to search for the text as it is.' if error.is_operator else None,
        errors.ContentNotEmbedded: lambda _: "POST /api/v1/search without a query lists the pictures and their IDs.",
    }
)
"""Exception class to what an HTTP client can do about it."""


def status_of(error: SightlineError) -> HTTPStatus:
    """Return the HTTP status for `error`."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem_name(error: SightlineError) -> str:
    """Return the stable name of `error` in problem documents and in failed jobs."""
    return NAMES.get(type(error), type(error).__name__)


def describe_failure(error: SightlineError) -> tuple[str, str]:
    """Return the name of `error`, and its message with what can be done about it, for a job that failed."""
    return problem_name(error), " ".join(filter(None, (printable(error), hint_for(error))))


def hint_for(error: SightlineError) -> str | None:
    """Return what an HTTP client can do about `error`, if there is anything to say."""
    for kind in type(error).__mro__:
        if kind in HINTS:
            return HINTS[kind](error)
    return None
