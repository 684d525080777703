"""Errors as HTTP clients see them: a stable name, a status, and no private data."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core import errors
from core.errors import InvalidQuery, SightlineError
from core.notices import Notice
from store import Library
from tests.support.errors import EXAMPLES
from web import errors as web_errors
from web.errors import HINTS, NAMES, STATUS, printable, problem_name, status_of

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


def raising(client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception) -> dict[str, object]:
    """Return the problem document when the library raises `error`."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("web.api.status.count_by_state", fail)
    answer = client.get("/api/v1/status")
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, object] = answer.json()
    assert problem["status"] == answer.status_code
    return problem


def test_problem_document_contains_name_status_and_message(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert raising(client, monkeypatch, InvalidQuery("not like this")) == {
        "type": "urn:sightline:InvalidQuery",
        "title": "InvalidQuery",
        "status": 400,
        "detail": "not like this",
    }


def test_hints_are_part_of_the_problem(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "job of kind" in str(raising(client, monkeypatch, errors.SpaceMismatch("a", "b"))["hint"])
    error = errors.QuerySyntax("(a", 0, Notice("unclosed_bracket", "This bracket is never closed"))
    assert "hint" not in raising(client, monkeypatch, error)


def test_syntax_errors_have_a_name_and_data(client: TestClient) -> None:
    problem = client.post("/api/v1/search", json={"query": "a dog -“cat iso:many"}).json()
    assert problem["fault"] == {"name": "unclosed_quotation", "data": {"sign": "“"}}
    problem = client.post("/api/v1/search", json={"query": "a dog iso:many"}).json()
    assert problem["fault"] == {"name": "unreadable_filter", "data": {"field": "iso", "value": "many"}}
    assert "fault" not in client.post("/api/v1/search", json={"query": "a dog", "sort": "x"}).json()


@pytest.mark.parametrize("kind", HINTS)
def test_every_hint_is_a_sentence(kind: type[SightlineError]) -> None:
    hint = HINTS[kind](EXAMPLES[kind])
    assert hint is not None
    assert hint.endswith(".")


def test_unexpected_exceptions_reveal_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = raising(client, monkeypatch, RuntimeError("/home/me/secret"))
    assert (problem["status"], problem["title"]) == (500, "InternalError")
    assert "secret" not in str(problem)


@pytest.mark.parametrize(
    "error", [errors.LibraryBusy(Path("/p")), errors.LibraryUnusable(Path("/p"), "database is locked")]
)
def test_temporary_errors_say_when_to_retry(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    assert raising(client, monkeypatch, error)["status"] == 503
    assert client.get("/api/v1/status").headers["retry-after"] == "1"


def test_an_exhausted_connection_pool_is_a_busy_library(
    client: TestClient, indexed: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted() -> None:
        raise PoolTimeout

    monkeypatch.setattr(indexed.backend.engine, "connect", exhausted)
    answer = client.get("/api/v1/status")
    assert (answer.status_code, answer.json()["title"]) == (503, "Busy")


def test_undecodable_bytes_are_escaped_in_problems(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert raising(client, monkeypatch, InvalidQuery("caf\udce9"))["detail"] == "caf\\xe9"


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/static/nothing.js", "/static/%2e%2e/app.py"])
def test_unknown_path_is_not_found(shared: TestClient, path: str) -> None:
    answer = shared.get(path)
    assert (answer.status_code, answer.json()["title"]) == (404, "NotThere")


def test_unsupported_method_is_a_problem(shared: TestClient) -> None:
    answer = shared.delete("/api/v1/status")
    assert (answer.status_code, answer.json()["title"]) == (405, "MethodNotAllowed")


@pytest.mark.parametrize(("text", "shown"), [("caf\udce9", "caf\\xe9"), ("\ud800", "\\ud800"), ("é", "é")])
def test_printable_escapes_what_is_not_utf8(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_unknown_fields_are_named_with_the_ones_there_are(shared: TestClient) -> None:
    for path, body, meant in (
        ("/api/v1/search", {"querry": "red"}, "Did you mean query? The fields are "),
        ("/api/v1/search", {"parts": [{"txt": "red"}]}, "Did you mean text? The fields are text, picture, "),
        ("/api/v1/tags", {"tags": "x", "pictures": [1]}, "Did you mean tag? The fields are "),
    ):
        answer = shared.post(path, json=body)
        assert (answer.status_code, answer.json()["title"]) == (422, "InvalidRequest")
        assert answer.json()["hint"].startswith(meant)
    assert shared.get("/api/v1/search?wher=x").json()["hint"].startswith("Did you mean where? ")
    assert "hint" not in shared.post("/api/v1/search", json={"k": 0}).json()


def test_other_content_types_are_named(shared: TestClient) -> None:
    for headers in ({"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "text/plain"}, {}):
        answer = shared.post("/api/v1/search", content=b'{"query": "red"}', headers=headers)
        assert (answer.status_code, answer.json()["title"]) == (415, "UnsupportedMediaType")
        assert "Content-Type: application/json" in answer.json()["hint"]
        assert "/api/v1/search/form" in answer.json()["hint"]
    assert "Send JSON" in shared.post("/api/v1/search").json()["hint"]
    answer = shared.post("/api/v1/search/form", json={"q": "red"})
    assert (answer.status_code, "POST /api/v1/search" in answer.json()["detail"]) == (415, True)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/search", {"GET", "HEAD", "POST"}),
        ("GET", "/api/v1/uploads", {"POST"}),
        ("POST", "/api/v1/judgements", {"GET", "PUT"}),
        ("POST", "/static/icon.svg", set()),
    ],
)
def test_methods_of_all_routes_with_the_path_are_named(
    shared: TestClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = shared.request(method, path)
    assert answer.status_code == 405
    assert set(filter(None, answer.headers["allow"].split(", "))) >= allowed
    assert all(name in answer.json().get("hint", "") for name in allowed - {"HEAD"})
