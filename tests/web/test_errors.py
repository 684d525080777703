"""Errors as HTTP clients see them: a stable name, a status and a hint."""

import pytest

from core.errors import SightlineError
from tests.support.errors import EXAMPLES
from web import errors as web_errors
from web.errors import HINTS, NAMES, STATUS, problem_name, status_of

EXPECTED = {
    400: {
        "BadCheckpoint",
        "BadVectorFile",
        "DecoderCrashed",
        "FileTooLarge",
        "InvalidQuery",
        "InvalidTag",
        "NotAllowed",
        "PictureError",
        "PictureNotUploaded",
        "PictureTooLarge",
        "PictureUndecodable",
        "PictureUnreadable",
        "PictureUnsupported",
        "QuerySyntax",
        "UnknownModelOption",
    },
    404: {
        "AmbiguousSpace",
        "FrameNotFound",
        "NoSuchFolder",
        "NotThere",
        "NothingKnown",
        "SpaceDropped",
        "UnknownAlbum",
        "UnknownModel",
        "UnknownRoot",
        "UnknownSpace",
    },
    409: {
        "AlbumExists",
        "AlbumIsSearch",
        "Busy",
        "CaptionVectorsRequired",
        "DatasetError",
        "EvaluationError",
        "ExchangeError",
        "FolderPassedOver",
        "FolderUnreadable",
        "ForeignRoot",
        "Incomparable",
        "JobActionRefused",
        "JobError",
        "LicenceNotAccepted",
        "MergeWithItself",
        "MissingPictures",
        "MissingVectors",
        "NotASnapshot",
        "NotInAlbum",
        "NothingIndexed",
        "RootBusy",
        "RootElsewhere",
        "RootMismatch",
        "RootNotHere",
        "RootOverlaps",
        "RootUnavailable",
        "SnapshotDamaged",
        "SnapshotError",
        "SnapshotTooNew",
        "SnapshotUnwritable",
        "SpaceExists",
        "SpaceInUse",
        "SpaceIncomplete",
        "SpaceMismatch",
        "TargetNotEmpty",
        "TooManyJobs",
        "UnknownLanguage",
        "UnknownMetric",
        "UnknownSplit",
        "WeightsChanged",
    },
    403: {"LibraryOutdated", "LibraryReadOnly"},
    500: {"BadVectors", "ServeRefused"},
    503: {
        "Busy",
        "ClusterError",
        "ClusterFailed",
        "ClusterUnreachable",
        "DeviceUnavailable",
        "EncoderError",
        "ExtraMissing",
        "FilesNotShared",
        "IndexFault",
        "IndexEngineNotCleared",
        "IndexEngineOutdated",
        "IndexEngineUnavailable",
        "UnknownIndexEngine",
        "LibraryDamaged",
        "LibraryError",
        "LibraryInUse",
        "LibraryNotFound",
        "LibraryTooNew",
        "LibraryUnreachable",
        "LibraryUnusable",
        "LicenceRefused",
        "LockLost",
        "MachineUnfit",
        "MigrationFailed",
        "ModelUnavailable",
        "NoHomeFolder",
        "PluginError",
        "PullFailed",
    },
    507: {"NoRoom"},
}
"""HTTP status to the names of its problems. Clients rely on both: a renamed class keeps its name here."""

WEB_ERRORS = {
    web_errors.Busy: web_errors.Busy(),
    web_errors.FrameNotFound: web_errors.FrameNotFound(3, 2),
    web_errors.NotAllowed: web_errors.NotAllowed("This server does not allow it."),
    web_errors.NotFound: web_errors.NotFound(),
    web_errors.PictureNotUploaded: web_errors.PictureNotUploaded(),
    web_errors.StorageFull: web_errors.StorageFull(),
}


def all_errors() -> list[SightlineError]:
    return [error for error in {**EXAMPLES, **WEB_ERRORS}.values() if type(error) is not SightlineError]


def test_every_error_has_a_stable_status_and_name() -> None:
    found: dict[int, set[str]] = {}
    for error in all_errors():
        found.setdefault(status_of(error), set()).add(problem_name(error))
    assert found == EXPECTED


def test_no_error_has_its_status_by_default_only() -> None:
    assert [error for error in all_errors() if not any(kind in STATUS for kind in type(error).__mro__)] == []


def test_every_renamed_problem_is_an_error() -> None:
    assert set(NAMES) <= {type(error) for error in all_errors()}


@pytest.mark.parametrize("kind", HINTS)
def test_every_hint_is_a_sentence(kind: type[SightlineError]) -> None:
    hint = HINTS[kind](EXAMPLES[kind])
    assert hint is not None
    assert hint.endswith(".")
