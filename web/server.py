"""Listening: a socket, uvicorn, and a way to stop."""

import socket
from collections.abc import Callable

import uvicorn

from sightline.errors import ServeRefused
from store.library import Library
from web.app import create_app
from web.settings import ServeSettings

__all__ = ["listen", "run"]

STOP_WITHIN = 5
"""Seconds that requests under way have to end once the server is asked to stop."""


def run(library: Library, settings: ServeSettings, ready: Callable[[str], None]) -> None:
    """Serves `library` until it is told to stop (Ctrl-C, SIGTERM); `ready` is told the page's address.

    Raises `ServeRefused` when the address cannot be had.
    """
    listening = listen(settings)
    port = listening.getsockname()[1]
    config = uvicorn.Config(
        create_app(library, settings),
        log_level="warning",
        access_log=False,  # it would write down what people search for, and a token that comes as ?token=
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_WITHIN,
        limit_concurrency=1_000,
        h11_max_incomplete_event_size=32_768,
    )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    ready(f"http://{host}:{port}/")
    uvicorn.Server(config).run(sockets=[listening])


def listen(settings: ServeSettings) -> socket.socket:
    """A socket at the address. It listens before anything is told, so that whoever is told can connect."""
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as exc:
        raise ServeRefused(f"cannot listen at {settings.host}:{settings.port}: {exc.strerror or exc}") from exc
    return listening
