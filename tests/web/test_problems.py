"""Errors as clients see them: a name, a status, and nothing that is nobody's business."""

import inspect
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sightline import errors
from sightline.errors import InvalidQuery, PictureUndecodable, SightlineError, UnknownSpace
from web.problems import NotThere, status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidQuery("why"), 400),
        (PictureUndecodable("why"), 400),  # by its ancestor
        (UnknownSpace("a", ()), 404),
        (NotThere(), 404),
        (errors.LibraryUnusable(Path("/p"), "full"), 503),
        (errors.BadVectors("m", "f"), 500),
    ],
)
def test_what_an_error_means_to_a_client(error: SightlineError, status: int) -> None:
    assert status_of(error) == status


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


def test_too_many_at_a_time_may_come_again(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert raising(client, monkeypatch, PoolTimeout())["status"] == 503


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
