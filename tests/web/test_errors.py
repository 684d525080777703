"""Errors as clients see them: a name, a status, and nothing that is nobody's business."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core import errors
from core.errors import InvalidQuery, SightlineError
from web.errors import STATUS, printable, status_of

MEANT = {
    400: {
        "BadCheckpoint",
        "BadVectorFile",
        "FileTooLarge",
        "InvalidQuery",
        "InvalidTag",
        "NotAllowed",
        "PictureError",
        "PictureTooLarge",
        "PictureUndecodable",
        "PictureUnreadable",
        "PictureUnsupported",
        "QuerySyntax",
    },
    404: {
        "AmbiguousSpace",
        "NoSuchFolder",
        "NotThere",
        "NothingKnown",
        "SpaceDropped",
        "UnknownAlbum",
        "UnknownModel",
        "UnknownSpace",
    },
    409: {
        "Busy",
        "DatasetError",
        "EvaluationError",
        "ExchangeError",
        "FolderPassedOver",
        "FolderUnreadable",
        "Incomparable",
        "MissingPictures",
        "MissingVectors",
        "NothingIndexed",
        "RootUnavailable",
        "SpaceExists",
        "SpaceInUse",
        "SpaceIncomplete",
        "SpaceMismatch",
        "UnknownLanguage",
        "UnknownMetric",
        "UnknownSplit",
        "WeightsChanged",
    },
    500: {"BadVectors", "ServeRefused"},
    503: {
        "DeviceUnavailable",
        "EncoderError",
        "ExtraMissing",
        "IndexFault",
        "LibraryError",
        "LibraryNotFound",
        "LibraryTooNew",
        "LibraryUnusable",
        "LicenceRefused",
        "ModelUnavailable",
        "NoHomeFolder",
        "PullFailed",
    },
    507: {"NoRoom"},
}


def below(kind: type[SightlineError]) -> Iterator[type[SightlineError]]:
    for each in kind.__subclasses__():
        yield each
        yield from below(each)


def test_every_exception_means_something_to_a_client() -> None:
    ours = [each for each in below(SightlineError) if each.__module__ in {"core.errors", "web.errors"}]
    found: dict[int, set[str]] = {}
    for kind in ours:
        found.setdefault(status_of(kind.__new__(kind)), set()).add(kind.__name__)
    assert found == MEANT
    assert all(any(each in STATUS for each in kind.__mro__) for kind in ours)  # none by mere default


def raising(client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception) -> dict[str, object]:
    """What a client gets when the library raises `error`."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("web.api.status.counts", fail)
    answer = client.get("/api/v1/status")
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, object] = answer.json()
    assert told["status"] == answer.status_code
    return told


def test_a_problem_has_the_name_of_the_exception(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert raising(client, monkeypatch, InvalidQuery("not like this")) == {
        "type": "urn:sightline:InvalidQuery",
        "title": "InvalidQuery",
        "status": 400,
        "detail": "not like this",
    }


def test_a_fault_of_ours_tells_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    told = raising(client, monkeypatch, RuntimeError("/home/me/secret"))
    assert (told["status"], told["title"]) == (500, "InternalError")
    assert "secret" not in str(told)


@pytest.mark.parametrize("error", [PoolTimeout(), errors.LibraryUnusable(Path("/p"), "database is locked")])
def test_what_may_pass_can_be_tried_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    assert raising(client, monkeypatch, error)["status"] == 503
    assert client.get("/api/v1/status").headers["retry-after"] == "1"


def test_bytes_that_are_no_text_do_not_break_a_problem(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert raising(client, monkeypatch, InvalidQuery("caf\udce9"))["detail"] == "caf\\xe9"


def test_every_exception_has_a_name_of_its_own() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SightlineError)]
    assert len({kind.__name__ for kind in kinds}) == len(kinds) > 20


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/static/nothing.js", "/static/%2e%2e/app.py"])
def test_an_unknown_path_is_not_there(shared: TestClient, path: str) -> None:
    answer = shared.get(path)
    assert (answer.status_code, answer.json()["title"]) == (404, "NotThere")


def test_a_method_that_is_not_meant(shared: TestClient) -> None:
    answer = shared.delete("/api/v1/status")
    assert (answer.status_code, answer.json()["title"]) == (405, "MethodNotAllowed")


@pytest.mark.parametrize(("text", "shown"), [("caf\udce9", "caf\\xe9"), ("\ud800", "\\ud800"), ("é", "é")])
def test_every_text_can_be_shown(text: str, shown: str) -> None:
    assert printable(text) == shown
