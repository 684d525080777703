"""A hub on loopback with the part of huggingface.co's protocol that a pull uses, and its failures."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

COMMIT = "c0ffee" + "0" * 34


@dataclass
class Repository:
    """Files by name. Those in `lfs` are identified by their SHA-256, the others by their git object ID."""

    files: dict[str, bytes]
    licence: str | None = "mit"
    lfs: set[str] = field(default_factory=set)
    commit: str = COMMIT
    status: int = 200
    code: str = ""
    """The header `X-Error-Code` of a status other than 200."""

    def record(self, name: str) -> dict[str, Any]:
        siblings = []
        for file, content in self.files.items():
            known = {"rfilename": file, "size": len(content), "blobId": git_oid(content)}
            if file in self.lfs or file.endswith((".safetensors", ".bin")):
                known["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
            siblings.append(known)
        card = {} if self.licence is None else {"license": self.licence}
        return {"id": name, "sha": self.commit, "siblings": siblings, "cardData": card, "tags": [], "private": False}


@dataclass
class Hub:
    """Its repositories, its simulated failures, and the requests it received."""

    address: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    cut_after: int | None = None
    """Number of bytes of a file of weights after which the connection breaks, once."""
    dies: bool = False
    """Whether all later requests fail as well."""
    spoil: set[str] = field(default_factory=set)
    """Names of files that are sent with a flipped byte."""
    gone: set[str] = field(default_factory=set)
    ignores_ranges: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Every requested file, with its Range."""
    sent: dict[str, int] = field(default_factory=dict)
    """Bytes sent by file."""
    agents: set[str] = field(default_factory=set)


def git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that downloads use, without an account and without pauses between two attempts."""
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("encoders.hub.client.RETRY_PAUSE_SECONDS", 0.0)
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    hub = Hub()

    class Handler(_Handler):
        state = hub

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        hub.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the base class)
        pass

    def do_GET(self) -> None:
        self.state.agents.add(self.headers.get("User-Agent", ""))
        path = self.path.partition("?")[0]
        if asked := re.fullmatch(r"/api/models/((?:[^/]+/)?[^/]+)(?:/revision/([^/]+))?", path):
            self._model(asked[1])
        elif asked := re.fullmatch(r"/((?:[^/]+/)?[^/]+)/resolve/([^/]+)/(.+)", path):
            self._file(asked[1], asked[2], asked[3])
        else:
            self._fail(404, "RepoNotFound")

    def _model(self, name: str) -> None:
        repository = self.state.repositories.get(name)
        if repository is None:
            self._fail(401, "RepoNotFound")  # as the hub does: it does not say which repositories exist
        elif repository.status != 200:
            self._fail(repository.status, repository.code)
        else:
            self._answer(json.dumps(repository.record(name)).encode(), {"Content-Type": "application/json"})

    def _file(self, name: str, revision: str, file: str) -> None:
        repository = self.state.repositories.get(name)
        self.state.asked.append((f"{name}/{file}", self.headers.get("Range")))
        if repository is None or revision != repository.commit:
            self._fail(404, "RevisionNotFound")
            return
        if file not in repository.files or file in self.state.gone:
            self._fail(404, "EntryNotFound")
            return
        content = repository.files[file]
        headers = {
            "ETag": f'"{git_oid(content)}"',
            "X-Repo-Commit": repository.commit,
            "X-Linked-Size": str(len(content)),
            "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
            "Accept-Ranges": "bytes",
        }
        if file in self.state.spoil:
            content = content[:-1] + bytes([content[-1] ^ 1])
        status, start = 200, 0
        if (asked := self.headers.get("Range")) and not self.state.ignores_ranges:
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._answer(content[start:], headers, status, file)

    def _answer(self, body: bytes, headers: dict[str, str], status: int = 200, file: str = "") -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        hub = self.state
        if hub.cut_after is not None and file.endswith((".safetensors", ".bin")):
            body = body[: hub.cut_after]
            hub.cut_after = 0 if hub.dies else None
            self.close_connection = True
        self.wfile.write(body)
        hub.sent[file] = hub.sent.get(file, 0) + len(body)

    def _fail(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()
