"""Problem documents: what a client is told about an error, and what it is not."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core import errors
from core.errors import InvalidQuery
from core.notices import Notice
from store import Library


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
