"""The store of objects in S3: a server that speaks its protocol, and one that fails."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from threading import Event, Thread
from typing import Any

import pytest

from core.errors import ExtraMissing
from core.object_paths import object_path
from core.root_files import root_files, s3
from core.root_files.object_store import ObjectChanged
from core.root_files.s3 import S3Store, s3_store
from core.root_files.waiting import waits_until
from tests.support.s3_server import ENVIRONMENT, SECRET, S3Server
from tests.support.tools import miss


@dataclass
class FailingServer:
    """Answers every request with a status and an error code, or breaks off in the middle of a body.

    With the status 0, it does not answer until it is `released`.
    """

    status: int = 500
    code: str = "InternalError"
    cut_bodies: int = 0
    """How many bodies are cut before one is complete."""
    requests: list[str] = field(default_factory=list)
    released: Event = field(default_factory=Event)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingServer]:
    if find_spec("s3fs") is None:
        miss("moto", "the package s3fs is not installed")
    failing = FailingServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            failing.requests.append(self.path)
            if failing.status == 0:
                failing.released.wait(60)
                return
            if failing.status == 206:
                self._send_object()
                return
            body = f"<Error><Code>{failing.code}</Code><Message>{SECRET}</Message></Error>".encode()
            self.send_response(failing.status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _send_object(self) -> None:
            self.send_response(206)
            for name, value in (
                ("Content-Length", "10"),
                ("Content-Range", "bytes 0-9/10"),
                ("ETag", '"e"'),
                ("Last-Modified", "Wed, 12 Oct 2024 17:50:00 GMT"),
            ):
                self.send_header(name, value)
            self.end_headers()
            is_cut, failing.cut_bodies = failing.cut_bodies > 0, failing.cut_bodies - 1
            self.wfile.write(b"01234" if is_cut else b"0123456789")
            self.close_connection = is_cut

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    s3_store.cache_clear()
    yield failing
    failing.released.set()
    server.shutdown()
    server.server_close()
    s3_store.cache_clear()


@pytest.mark.servers
@pytest.mark.parametrize(
    ("status", "code", "kind", "reason"),
    [
        (403, "AccessDenied", PermissionError, "access is denied"),
        (403, "SignatureDoesNotMatch", PermissionError, "the secret key does not fit the access key"),
        (404, "NoSuchBucket", FileNotFoundError, "the bucket does not exist"),
        (503, "SlowDown", OSError, "the store is busy"),
        (400, "Strange", OSError, "the store answers Strange"),
    ],
)
def test_errors_of_a_store_are_those_of_the_system(
    failing: FailingServer, status: int, code: str, kind: type[OSError], reason: str
) -> None:
    failing.status, failing.code = status, code
    with pytest.raises(OSError, match=reason) as caught:
        S3Store().list_page("bucket", "")
    assert (type(caught.value), caught.value.strerror) == (kind, reason)
    assert SECRET not in str(caught.value)
    assert (len(failing.requests) > 1) == (code == "SlowDown")


@pytest.mark.servers
def test_body_that_breaks_off_is_asked_for_again(failing: FailingServer) -> None:
    failing.status, failing.cut_bodies = 206, 2
    assert S3Store().read("bucket", "a.jpg", 0, 10)[0] == b"0123456789"
    assert len(failing.requests) == 3


@pytest.mark.servers
def test_store_that_is_not_there_is_an_error(failing: FailingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(s3, "TRIES", 1)
    with pytest.raises(ConnectionError, match="the store cannot be reached"):
        S3Store().list_page("bucket", "")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(PermissionError, match="there are no credentials for the store"):
        S3Store().list_page("bucket", "")


@pytest.mark.servers
def test_settings_that_are_not_valid_are_named(failing: FailingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="the name of the bucket is not valid"):
        S3Store().list_page("Bad_Bucket!", "")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    with pytest.raises(OSError, match="the address of the store is not valid"):
        S3Store().list_page("bucket", "")
    monkeypatch.setenv("AWS_PROFILE", "unknown")
    with pytest.raises(PermissionError, match="there are no credentials for the store"):
        S3Store().list_page("bucket", "")


@pytest.mark.servers
def test_listing_comes_in_pages(s3_server: S3Server) -> None:
    keys = ["a.jpg", "b.jpg", "c/d.jpg", "c/e.jpg", "f.jpg"]
    for key in keys:
        s3_server.put(key, b"x")
    store = S3Store()
    pages = [store.list_page("bucket", "", limit=2)]
    while (following := pages[-1].following) is not None:
        pages.append(store.list_page("bucket", "", following, limit=2))
    found = [name for page in pages for name in (*page.prefixes, *(key for key, _ in page.objects))]
    assert sorted(found) == ["a.jpg", "b.jpg", "c/", "f.jpg"]
    assert len(pages) > 1


@pytest.mark.servers
def test_object_that_is_replaced_is_not_read_any_further(s3_server: S3Server) -> None:
    s3_server.put("a.jpg", b"first")
    store = S3Store()
    data, status = store.read("bucket", "a.jpg", 0, 2)
    assert (data, status) == (b"fi", store.status("bucket", "a.jpg"))
    s3_server.put("a.jpg", b"other")
    with pytest.raises(ObjectChanged):
        store.read("bucket", "a.jpg", 2, 5, status.etag)
    with pytest.raises(FileNotFoundError):
        store.read("bucket", "b.jpg", 0, 5)
    with pytest.raises(FileNotFoundError):
        store.status("nobucket", "b.jpg")


def test_extra_is_named_if_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    s3_store.cache_clear()
    path = object_path("s3://bucket")
    assert path is not None
    with pytest.raises(ExtraMissing, match=r"sightline\[s3\]"):
        root_files(path)


@pytest.mark.servers
def test_fractions_of_a_second_that_only_listings_have_do_not_count(
    failing: FailingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = datetime(2024, 10, 12, 19, 50, 0, 600_000, tzinfo=timezone(timedelta(hours=2)))
    answers = {
        "list_objects_v2": {
            "Contents": [{"Key": "a.jpg", "Size": 1, "LastModified": listed, "ETag": '"e"'}],
            "IsTruncated": False,
        },
        "head_object": {"ContentLength": 1, "LastModified": datetime(2024, 10, 12, 17, 50, tzinfo=UTC), "ETag": '"e"'},
    }
    store = S3Store()
    monkeypatch.setattr(store, "_call", lambda method, **_: answers[method])
    ((_, status),) = store.list_page("bucket", "").objects
    assert status == store.status("bucket", "a.jpg")
    assert status.mtime_ns == 1_728_755_400_000_000_000


@pytest.mark.servers
def test_store_that_cannot_be_reached_is_not_asked_again_for_each_object(
    failing: FailingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fail(method: str, **_: Any) -> None:
        asked.append(method)
        raise ConnectionError(111, "the store cannot be reached")

    store = S3Store()
    monkeypatch.setattr(store, "_call", fail)
    with pytest.raises(ConnectionError):
        store.read("bucket", "a.jpg", 0, 10)
    assert asked == ["get_object"]


@pytest.mark.servers
@pytest.mark.parametrize("answer", [{}, {"IsTruncated": True}], ids=["no listing", "no next page"])
def test_answer_that_is_no_complete_listing_is_not_taken_for_an_empty_folder(
    failing: FailingServer, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    store = S3Store()
    monkeypatch.setattr(store, "_call", lambda _method, **_: answer)
    with pytest.raises(OSError, match="does not answer with a list"):
        store.list_page("bucket", "")


@pytest.mark.servers
def test_thread_does_not_wait_for_a_store_when_its_run_has_ended(failing: FailingServer) -> None:
    failing.status = 0
    ended, raised, store = Event(), list[OSError](), S3Store()

    def read() -> None:
        with waits_until(ended), pytest.raises(InterruptedError) as caught:
            store.read("bucket", "a.jpg", 0, 10)
        raised.append(caught.value)

    thread = Thread(target=read, daemon=True)
    thread.start()
    while not failing.requests:
        thread.join(0.01)
    ended.set()
    thread.join(20)
    assert len(raised) == 1
