"""Byte ranges, entity tags, and HEAD."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support.web import PICTURES
from web.picture_files import byte_range, matches_etag


@pytest.fixture
def original(shared: TestClient) -> str:
    return f"{PICTURES}/1/original"


@pytest.fixture
def whole(shared: TestClient, original: str) -> bytes:
    return shared.get(original).content


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-9", range(10)),
        ("bytes=5-", range(5, 100)),
        ("bytes=-10", range(90, 100)),
        ("bytes=-1000", range(100)),
        ("bytes=90-1000", range(90, 100)),
        ("bytes=100-", range(100, 100)),
        ("bytes=100-200", range(100, 100)),
        ("bytes=-0", range(100, 100)),
        ("bytes=9-5", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("bytes=" + "9" * 30 + "-", None),
        ("", None),
    ],
)
def test_range_header_is_parsed(header: str, expected: range | None) -> None:
    assert byte_range({"range": header}, 100, "x") == expected
    assert byte_range({"range": header, "if-range": "another"}, 100, "x") is None


def test_if_none_match_is_parsed() -> None:
    for header in ('"a"', '"b", "a"', 'W/"a"', "*"):
        assert matches_etag({"if-none-match": header}, '"a"')
    for header in ("", '"ab"', "a"):
        assert not matches_etag({"if-none-match": header}, '"a"')
    assert not matches_etag({}, '"a"')


def test_range_request_returns_part_of_the_file(shared: TestClient, original: str, whole: bytes) -> None:
    answer = shared.get(original, headers={"Range": "bytes=4-7"})
    assert (answer.status_code, answer.content) == (206, whole[4:8])
    assert answer.headers["content-range"] == f"bytes 4-7/{len(whole)}"
    assert answer.headers["content-length"] == "4"


def test_range_behind_the_end_is_not_satisfiable(shared: TestClient, original: str, whole: bytes) -> None:
    answer = shared.get(original, headers={"Range": f"bytes={len(whole)}-"})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{len(whole)}"


def test_outdated_if_range_returns_the_whole_file(shared: TestClient, original: str, whole: bytes) -> None:
    answer = shared.get(original, headers={"Range": "bytes=4-7", "If-Range": '"old"'})
    assert (answer.status_code, answer.content) == (200, whole)


def test_matching_etag_returns_not_modified(client: TestClient, album: Path) -> None:
    for what in ("original", "thumbnail"):
        tag = client.get(f"{PICTURES}/1/{what}").headers["etag"]
        again = client.get(f"{PICTURES}/1/{what}", headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    path = client.get(f"{PICTURES}/1").json()["path"]
    tag = client.get(f"{PICTURES}/1/original").headers["etag"]
    Path(path).write_bytes(b"something else")
    assert client.get(f"{PICTURES}/1/original", headers={"If-None-Match": tag}).status_code == 200


def test_thumbnail_sizes_have_different_etags(shared: TestClient) -> None:
    tags = {shared.get(f"{PICTURES}/1/thumbnail", params={"size": size}).headers["etag"] for size in (192, 384)}
    assert len(tags) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/health",
        "/metrics",
        "/api/v1/status",
        f"{PICTURES}/1",
        f"{PICTURES}/1/thumbnail",
        f"{PICTURES}/1/original",
    ],
)
def test_head_has_the_headers_of_get_without_a_body(shared: TestClient, path: str) -> None:
    whole, head = shared.get(path), shared.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
    if path != "/metrics":  # its content has changed
        assert head.headers["content-length"] == whole.headers["content-length"]


def test_head_of_unknown_picture_is_not_found(shared: TestClient) -> None:
    assert shared.head(f"{PICTURES}/99/original").status_code == 404
    assert shared.head("/api/v1/uploads").status_code == 405
