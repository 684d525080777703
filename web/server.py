"""The HTTP server: its socket, uvicorn, and shutdown."""

import atexit
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import uvicorn

from core.errors import AddressUnavailable
from store.library import Library
from web.app import create_app
from web.service import Service
from web.settings import ServeSettings

__all__ = ["Server", "listen", "run"]

SHUTDOWN_TIMEOUT_SECONDS = 5
"""How long requests in progress may take to finish once the server is asked to stop."""


def run(library: Library, settings: ServeSettings, ready: Callable[[str], None]) -> None:
    """Serve `library` until Ctrl-C or SIGTERM; `ready` is called with the URL of the page.

    Raises `AddressUnavailable`.
    """
    listening = listen(settings)
    port = listening.getsockname()[1]
    app = create_app(library, settings)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # it would contain queries, and a token given as ?token=
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_SECONDS,
        ws="none",
        limit_concurrency=1_000,
        h11_max_incomplete_event_size=32_768,
    )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    ready(f"http://{host}:{port}/")
    jobs = app.state.service.jobs
    try:
        Server(config, app.state.service).run(sockets=[listening])
    finally:
        if jobs.is_running():
            atexit.register(_exit_without_shutdown)


def _exit_without_shutdown() -> None:
    """End the process after Ctrl-C although a job did not stop in time. What the job has written is complete.

    Python would abort during its shutdown if the job's thread returned from native code, such as ONNX Runtime.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):  # the reader has exited, or the stream is closed
            stream.flush()
    os._exit(128 + signal.SIGINT)


class Server(uvicorn.Server):
    """A uvicorn server that stops the running job at the signal, not only after all clients that watch it are gone."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle SIGINT and SIGTERM."""
        self._service.jobs.closing = True
        self._service.readiness.stopping = True
        super().handle_exit(sig, frame)


def listen(settings: ServeSettings) -> socket.socket:
    """Return a socket that already listens, so that the URL works as soon as it is shown.

    Raises `AddressUnavailable`.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
    except (OSError, UnicodeError) as exc:  # UnicodeError: not a valid host name
        raise _unavailable(settings, exc) from exc
    # The protocol must be given: asyncio sets TCP_NODELAY only on sockets that name TCP. Without it, every response of
    # two packets waits 40 ms for the client's delayed acknowledgement of the first.
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as exc:
        listening.close()
        raise _unavailable(settings, exc) from exc
    return listening


def _unavailable(settings: ServeSettings, error: Exception) -> AddressUnavailable:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    is_in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
    return AddressUnavailable(settings.host, settings.port, reason, is_in_use=is_in_use)
