"""What to send instead of a request that fits no route."""

import pytest
from fastapi.testclient import TestClient


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
