"""Malicious requests; attacks on a single module are in its own tests (guard, pictures, uploads)."""

import asyncio
import io
import json
import os
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from starlette.types import Message, Receive

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.web import BASE_URL, TOKEN, picture_id
from web import ServeSettings, create_app

API = "/api/v1"
SEARCH, UPLOADS = f"{API}/search", f"{API}/uploads"
AT_ONCE = 5.0
"""Limit in seconds of processor time; a rejection takes a fraction of a second."""

JSON = {"Content-Type": "application/json"}


def refused(client: TestClient, path: str, body: str | bytes, method: str = "POST") -> dict[str, Any]:
    """Return the problem for a request that must be rejected quickly."""
    started = time.process_time()
    answer = client.request(method, path, content=body, headers=JSON)
    assert time.process_time() - started < AT_ONCE
    assert 400 <= answer.status_code < 500, answer.text
    data: dict[str, Any] = answer.json()
    return data


@pytest.mark.parametrize("half", ["\\ud800", "\\udc80", "red\\udfff"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", SEARCH, '{"query": "%s"}'),
        ("POST", SEARCH, '{"where": "%s"}'),
        ("POST", SEARCH, '{"space": "%s"}'),
        ("POST", SEARCH, '{"cursor": "%s"}'),
        ("POST", SEARCH, '{"parts": [{"text": "%s"}]}'),
        ("POST", SEARCH, '{"parts": [{"upload": "%s"}]}'),
        ("POST", SEARCH, '{"%s": 1}'),
        ("POST", f"{API}/tags", '{"tag": "%s", "pictures": [1]}'),
        ("PUT", f"{API}/albums/mine", '{"query": "%s"}'),
        ("PUT", f"{API}/judgements", '{"query": "%s", "picture": 1, "grade": 1}'),
        ("PUT", f"{API}/spaces/active", '{"name": "%s"}'),
        ("POST", f"{API}/jobs", '{"kind": "index", "folders": ["/%s"]}'),
        ("POST", f"{API}/jobs", '{"kind": "space", "model": "%s"}'),
        ("POST", "/knn-service", '{"text": "%s"}'),
        ("POST", "/knn-service", '{"text": "red", "indice_name": "%s"}'),
        ("POST", "/knn-service", '{"image": "%s"}'),
    ],
)
def test_unpaired_surrogates_are_rejected(shared: TestClient, method: str, path: str, body: str, half: str) -> None:
    refused(shared, path, body % half, method)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "1" + "0" * 5000])
@pytest.mark.parametrize(
    "body",
    [
        '{"k": %s}',
        '{"query": "red", "diverse": %s}',
        '{"parts": [{"text": "red", "weight": %s}]}',
        '{"parts": [{"vector": [%s, 1]}]}',
        '{"parts": [{"picture": %s}]}',
        '{"parts": [{"picture": 1, "crop": [0, 0, %s, 1]}]}',
    ],
)
def test_non_finite_numbers_are_rejected(shared: TestClient, body: str, value: str) -> None:
    refused(shared, SEARCH, body % value)
    refused(shared, "/knn-service", '{"embedding_input": [%s]}' % value)  # noqa: UP031


@pytest.mark.parametrize("number_", [0, -1, 2**63, 10**30])
@pytest.mark.parametrize("path", ["tags", "export"])
def test_impossible_ids_are_rejected(shared: TestClient, path: str, number_: int) -> None:
    wanted = {"tags": {"tag": "x"}, "export": {"format": "zip"}}[path] | {"pictures": [number_]}
    refused(shared, f"{API}/{path}", json.dumps(wanted))


@pytest.mark.parametrize("pictures", [[0], [-1], [2**63], [10**30], ["x"], list(range(1, 100_000)), [[1]], None])
def test_impossible_ratings_are_rejected(shared: TestClient, pictures: object) -> None:
    refused(shared, f"{API}/ratings", json.dumps({"rating": 3, "pictures": pictures}), "PUT")


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_other_sites_cannot_tag_or_rate(client: TestClient, method: str) -> None:
    red = picture_id(client, "red.png")
    path, body = ("ratings", {"rating": 1}) if method == "PUT" else ("tags", {"tag": "x"})
    for headers in ({"Origin": "https://example.org"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.request(method, f"{API}/{path}", json={**body, "pictures": [red]}, headers=headers)
        assert (answer.status_code, answer.json()["title"]) == (403, "CrossSite")
    details = client.get(f"{API}/pictures/{red}").json()
    assert (details["rating"], details["tags"]) == (None, [])


def test_oversized_lists_are_rejected(shared: TestClient) -> None:
    many = 100_000
    refused(shared, SEARCH, json.dumps({"parts": [{"text": "a"}] * many}))
    refused(shared, f"{API}/tags", json.dumps({"tag": "x", "pictures": list(range(1, many))}))
    refused(shared, f"{API}/export", json.dumps({"format": "zip", "pictures": list(range(1, many))}))
    refused(shared, "/metadata", json.dumps({"ids": list(range(1, many))}))
    data = refused(shared, f"{API}/tags", json.dumps({"tag": "x", "pictures": [0] * 10_000}))
    assert "and 9,990 more" in data["detail"]
    assert len(data["detail"]) < 2_000


@pytest.mark.parametrize("body", ["[" * 900_000, '{"a":' * 200_000, "[" * 5000 + "]" * 5000])
@pytest.mark.parametrize("path", [SEARCH, "/knn-service", f"{API}/tags"])
def test_deeply_nested_json_is_rejected(shared: TestClient, path: str, body: str) -> None:
    refused(shared, path, body)


def test_json_body_size_is_limited(shared: TestClient) -> None:
    answer = shared.post(SEARCH, content=b"[" + b"[]," * 700_000 + b"[]]", headers=JSON)
    assert (answer.status_code, answer.json()["title"]) == (413, "RequestEntityTooLarge")
    assert shared.post(UPLOADS, content=bytes(2_100_000)).status_code == 400  # a picture may be that large


@pytest.mark.parametrize(
    "where",
    [
        "(" * 9_999,
        "(" * 4_000 + "year:2023" + ")" * 4_000,
        "not " * 2_000 + "year:2023",
        "-" * 5_000 + "year:2023",
        " or ".join(["year:2023"] * 800),
        " ".join(["name:a"] * 900),
        "iso:inf",
        "rating:nan",
        "near:0,0,1e999km",
        "year:" + "9" * 500,
        "album:" + "x" * 5_000,
    ],
)
def test_oversized_filters_are_rejected(shared: TestClient, where: str) -> None:
    refused(shared, SEARCH, json.dumps({"where": where}))


@pytest.mark.parametrize("pattern", ["*a" * 60 + "b", "*?" * 60 + "!", "*" * 2_000 + "b", "[" * 500, "(a+)+$" * 50])
def test_expensive_patterns_are_fast(
    client: TestClient, indexed: Library, album: Path, paint: Callable[..., Path], encoder: FakeEncoder, pattern: str
) -> None:
    paint(album / ("a" * 200 + ".png"), "cyan")
    index(indexed, [album], encoder)
    started = time.process_time()
    answer = client.post(SEARCH, json={"where": f'name:"{pattern}"'})
    assert answer.status_code in {200, 400}
    assert time.process_time() - started < AT_ONCE


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb() -> bytes:
    """A PNG of a megabyte that expands to a gigabyte, beyond the size in its header."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    squeezed = zlib.compressobj(9)
    data = b"".join([*(squeezed.compress(bytes(1 << 20)) for _ in range(200)), squeezed.flush()])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A small picture with a comment of 200 MB."""
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "PNG")
    whole = out.getvalue()
    squeezed = zlib.compressobj(9)
    data = b"".join([*(squeezed.compress(bytes(1 << 20)) for _ in range(200)), squeezed.flush()])
    return whole[:33] + chunk(b"zTXt", b"Comment\0\0" + data) + whole[33:]


def gif(width: int, height: int) -> bytes:
    return (
        b"GIF89a"
        + struct.pack("<HH", width, height)
        + b"\x80\0\0"
        + bytes(6)
        + b","
        + struct.pack("<HHHH", 0, 0, width, height)
        + b"\0\x02\x02\x44\x01\0;"
    )


def tiff(width: int, height: int) -> bytes:
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 1)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4)


def webp(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    data = b"\x2f" + struct.pack("<I", bits) + bytes(20)
    lossless = b"VP8L" + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(lossless)) + b"WEBP" + lossless


def bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, *[0] * 6)


BOMBS: dict[str, Callable[[], bytes]] = {
    "png": png_bomb,
    "gif": lambda: gif(65_535, 65_535),
    "tiff": lambda: tiff(2**31 - 1, 2**31 - 1),
    "webp": lambda: webp(16_384, 16_384),
    "bmp": lambda: bmp(2**30, 2**30),
    "ppm": lambda: b"P6 100000 100000 255\n" + bytes(100),
    "long": lambda: b"P6 1000000 1 255\n" + bytes(3_000_000),
    "zip": lambda: b"PK\x03\x04" + bytes(1000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_decompression_bombs_are_rejected(shared: TestClient, name: str) -> None:
    bomb = BOMBS[name]()
    assert len(bomb) < 4_000_000
    refused(shared, UPLOADS, bomb)


def test_text_that_expands_beside_the_pixels_is_not_expanded(shared: TestClient) -> None:
    """The picture itself is harmless, and is accepted without its comment of 200 MB."""
    tracemalloc.start()
    answer = shared.post(UPLOADS, content=text_bomb())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (answer.status_code, answer.json()["width"]) == (201, 4)
    assert peak < 50_000_000


def form(*parts: bytes) -> bytes:
    """Return the body of a form whose parts have these headers and contents."""
    return b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"


PART = b'Content-Disposition: form-data; name="%s"; filename="a"\r\n\r\n%s'
FORMS: dict[str, Callable[[], bytes]] = {
    "many files": lambda: form(*[PART % (b"file", b"x")] * 100_000),
    "many fields": lambda: form(*[b'Content-Disposition: form-data; name="q"\r\n\r\nx'] * 100_000),
    "long field": lambda: form(b'Content-Disposition: form-data; name="q"\r\n\r\n' + b"x" * 10_000_000),
    "long header": lambda: form(b"X-Y: " + b"x" * 10_000_000 + b"\r\n" + PART % (b"file", b"x")),
    "many headers": lambda: form(b"X-Y: z\r\n" * 500_000 + PART % (b"file", b"x")),
    "long name": lambda: form(PART % (b"f" * 10_000_000, b"x")),
    "no end": lambda: form(b'Content-Disposition: form-data; name="q"\r\n\r\nx')[:-8],
    "no boundary": lambda: b"x" * 10_000_000,
    "only dashes": lambda: b"--x\r\n" * 1_000_000,
    "not text": lambda: form(PART % (b"\xff\xfe", b"x")),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("path", [UPLOADS, f"{SEARCH}/form"])
def test_hostile_forms_are_rejected(shared: TestClient, name: str, path: str) -> None:
    body = FORMS[name]()
    tracemalloc.start()
    started = time.process_time()
    answer = shared.post(path, content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 400 <= answer.status_code < 500, answer.text[:200]
    assert answer.headers["content-type"] == "application/problem+json"
    assert peak < 120_000_000, peak  # several times the body, and not hundreds of times
    assert seconds < 4 * AT_ONCE  # tracing slows it down


@pytest.mark.parametrize("length", [10_001, 60_000])
def test_long_queries_in_an_address_are_rejected(shared: TestClient, length: int) -> None:
    refused(shared, f"{SEARCH}?q={'x' * length}", b"", "GET")
    refused(shared, f"{SEARCH}?where={'(' * length}", b"", "GET")
    refused(shared, f"{SEARCH}?{'&'.join(f'x{number}=1' for number in range(length // 20))}", b"", "GET")


def test_urls_are_never_fetched(shared: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("socket.create_connection", lambda *args, **_: asked.append(args))
    monkeypatch.setattr("socket.socket.connect", lambda *args: asked.append(args))
    for address in ("http://169.254.169.254/latest", "file:///etc/passwd", "http://127.0.0.1:8765/api/v1/status"):
        assert "downloads nothing" in refused(shared, "/knn-service", json.dumps({"image_url": address}))["detail"]
        refused(shared, SEARCH, json.dumps({"parts": [{"url": address}]}))
        shared.post(SEARCH, json={"query": address, "plain": True})
        shared.post(SEARCH, json={"query": address})
    assert asked == []


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_method_override_headers_are_ignored(shared: TestClient, name: str) -> None:
    answer = shared.get(f"{API}/tags", headers={name: "DELETE"})
    assert (answer.status_code, answer.json()) == (200, [])
    assert shared.post(f"{API}/status?_method=GET", headers={name: "GET"}).status_code == 405


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: x=1\r\n.png", 'a"; x="b.png', "é\u202e\U0001f600.png"])
def test_file_name_cannot_inject_headers(
    client: TestClient, indexed: Library, album: Path, encoder: FakeEncoder, name: str
) -> None:
    (album / "red.png").rename(album / name)
    index(indexed, [album], encoder)
    found = next(each for each in client.post(SEARCH, json={"query": "red"}).json()["hits"] if each["name"] == name)
    answer = client.get(f"{API}/pictures/{found['id']}/original")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-disposition"].isascii()
    assert '"' not in answer.headers["content-disposition"]


def test_undecodable_file_name_is_a_valid_header(
    client: TestClient, indexed: Library, album: Path, encoder: FakeEncoder
) -> None:
    os.rename(album / "red.png", os.fsencode(album) + b"/caf\xe9.png")  # noqa: PTH104
    index(indexed, [album], encoder)
    picture = picture_id(client, "caf\\xe9.png")
    answer = client.get(f"{API}/pictures/{picture}/original")
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''caf%3F.png"


@pytest.mark.parametrize("path", ["/?x=%0d%0aSet-Cookie:%20a=b", "/%0d%0aSet-Cookie:%20a=b", "/?token=%0d%0aX:%20y"])
def test_path_cannot_inject_headers(shared: TestClient, path: str) -> None:
    answer = shared.get(path)
    assert not {"set-cookie", "x"} & set(answer.headers)


def test_internal_errors_have_security_headers(shared: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.api.status.count_by_state", lambda _: 1 / 0)
    answer = shared.get(f"{API}/status")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_internal_error_log_does_not_contain_the_query(
    shared: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wish = "a secret " + "wish"

    def fail(*_: object) -> None:
        raise ValueError(wish)

    monkeypatch.setattr("web.api.search.parse_request", fail)
    answer = shared.post(SEARCH, json={"query": wish})
    assert answer.status_code == 500
    assert "ValueError" in caplog.text
    assert "web/api/search.py" in caplog.text
    assert wish not in caplog.text + answer.text


async def sent_by_hand(app: FastAPI, headers: dict[str, str], receive: Receive) -> list[Message]:
    """Return the response to an upload whose chunks `receive` provides."""
    sent: list[Message] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": UPLOADS,
        "raw_path": UPLOADS.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8765),
    }

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await asyncio.wait_for(app(scope, receive, send), 20)
    finally:
        app.state.service.close()
    return sent


def test_slow_request_times_out(indexed: Library, tmp_path: Path) -> None:
    async def receive() -> Message:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"x", "more_body": True}

    app = create_app(indexed, ServeSettings(cache=tmp_path, upload_seconds=0.3))
    start, body = asyncio.run(sent_by_hand(app, {"host": "127.0.0.1"}, receive))
    assert start["status"] == 408
    assert json.loads(body["body"])["title"] == "RequestTimeout"


def test_too_large_content_length_is_rejected_unread(indexed: Library, tmp_path: Path) -> None:
    async def receive() -> Message:
        raise AssertionError("the body was read")

    app = create_app(indexed, ServeSettings(cache=tmp_path))
    for length in ("30000001", "9" * 5000):
        start, _ = asyncio.run(sent_by_hand(app, {"host": "127.0.0.1", "content-length": length}, receive))
        assert start["status"] == 413


def test_remote_clients_cannot_name_model_files(indexed: Library, tmp_path: Path) -> None:
    settings = ServeSettings(host="0.0.0.0", token=TOKEN, cache=tmp_path / "cache")
    with TestClient(
        create_app(indexed, settings), base_url=BASE_URL, headers={"Authorization": f"Bearer {TOKEN}"}
    ) as client:
        for model in ("/etc", str(tmp_path), "ViT-B-32:/etc/passwd", "../models", "mini?lang=deu_Latn"):
            data = refused(client, f"{API}/jobs", json.dumps({"kind": "space", "model": model}))
            assert data["title"] == "NotAllowed", model
        assert client.get(f"{API}/jobs").json() == []


def test_unknown_methods_share_one_metric(client: TestClient) -> None:
    for each in range(30):
        client.request(f"MADEUP{each}", f"{API}/status")
    page = client.get("/metrics").text
    assert "MADEUP" not in page
    assert 'method="other",route="status",status="405"} 30.0' in page
