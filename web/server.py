"""Listening: a socket, uvicorn, and a way to stop."""

import errno
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from core.errors import ServeRefused
from store.library import Library
from web.app import create_app
from web.jobs import Jobs
from web.settings import ServeSettings

__all__ = ["Server", "listen", "run"]

STOP_WITHIN = 5
"""Seconds that requests under way have to end once the server is asked to stop."""


def run(library: Library, settings: ServeSettings, ready: Callable[[str], None]) -> None:
    """Serves `library` until it is told to stop (Ctrl-C, SIGTERM); `ready` is told the page's address.

    Raises `ServeRefused` when the address cannot be had.
    """
    listening = listen(settings)
    port = listening.getsockname()[1]
    app = create_app(library, settings)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # it would write down what people search for, and a token that comes as ?token=
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_WITHIN,
        ws="none",
        limit_concurrency=1_000,
        h11_max_incomplete_event_size=32_768,
    )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    ready(f"http://{host}:{port}/")
    Server(config, app.state.service.jobs).run(sockets=[listening])


class Server(uvicorn.Server):
    """Stops jobs at the signal already, and not only once everybody who watches them has gone."""

    def __init__(self, config: uvicorn.Config, jobs: Jobs) -> None:
        super().__init__(config)
        self._jobs = jobs

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Told of SIGINT and SIGTERM."""
        self._jobs.closing = True
        super().handle_exit(sig, frame)


def listen(settings: ServeSettings) -> socket.socket:
    """A socket at the address. It listens before anything is told, so that whoever is told can connect."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
    except (OSError, UnicodeError) as exc:  # the latter: a name that can be none
        raise _refused(settings, exc) from exc
    # The protocol must be said: asyncio sets TCP_NODELAY only where it is TCP by name, and without that every answer of
    # two packets waits 40 ms for the client's delayed acknowledgement of the first.
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as exc:
        listening.close()
        raise _refused(settings, exc) from exc
    return listening


def _refused(settings: ServeSettings, error: Exception) -> ServeRefused:
    said = error.strerror if isinstance(error, OSError) and error.strerror else error
    hint = "; --port 0 takes any free one" if isinstance(error, OSError) and error.errno == errno.EADDRINUSE else ""
    return ServeRefused(f"cannot listen at {settings.host}:{settings.port}: {said}{hint}")
