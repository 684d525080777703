"""A TCP proxy that can stop forwarding: its machine still confirms packets, and nothing is answered any more."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

__all__ = ["StallingProxy"]


class StallingProxy:
    """Forwards connections to a port of this machine, within a `with` block. It accepts them also while it stalls."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._flows = threading.Event()
        self._flows.set()
        self._ended = False
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        self._flows.set()
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def url(self, url: str) -> str:
        """Return the URL of a database with the port of the proxy."""
        parts = urlsplit(url)
        return parts._replace(netloc=f"{parts.username}@127.0.0.1:{self.port}").geturl()

    def stall(self) -> None:
        """Forward nothing any more."""
        self._flows.clear()

    def resume(self) -> None:
        """Forward what has been received, and everything after it."""
        self._flows.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._ended:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [client, server]
                for source, goal in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=(source, goal), daemon=True).start()

    def _forward(self, source: socket.socket, goal: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                self._flows.wait()
                goal.sendall(data)
        for each in (source, goal):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
