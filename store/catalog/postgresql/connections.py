"""Connections to a PostgreSQL server: their settings, and noticing without a request that one was lost."""

import logging
import selectors
from functools import cache, partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from core.errors import ExtraMissing, LibraryUnusable
from store.catalog.postgresql.address import ServerAddress

if TYPE_CHECKING:
    import psycopg
    from psycopg.abc import Dumper

    from store.catalog.postgresql.brief_connection import BriefConnection

__all__ = ["WAIT_SECONDS", "connect", "is_lost", "require_driver", "same_server"]

WAIT_SECONDS = 60
"""How long a write transaction waits for another. Most take well under a second."""

CONNECT_SECONDS = 10

_SETTINGS = (
    f"SET lock_timeout = '{WAIT_SECONDS}s'; "
    "SET jit = off; "  # compiling takes longer than most queries here
    # An administrator may have chosen others for the user or the database. Locks are held by idle sessions.
    "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET idle_session_timeout = 0; "
    "SET default_transaction_isolation = 'read committed'; "
    "SET extra_float_digits = 1; "  # numbers are read as they were written
    # A machine that was switched off must not hold its locks for hours.
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; "
    "SET tcp_user_timeout = '30s'"
)
_LATER_SETTINGS = {170_000: "SET transaction_timeout = 0"}
"""Version of the server from which on it knows a setting."""

UNREADABLE_URL = (
    "its URL cannot be read. Its parameters must be those of PostgreSQL, and `%` is written as %25 in a password"
)

_READS = 8
"""Reads of a socket that has something to say, before the connection counts as alive."""


def require_driver() -> None:
    """Raise `ExtraMissing` if `psycopg` cannot be imported, or has no libpq."""
    try:
        import psycopg  # noqa: F401
    except ImportError as exc:
        raise ExtraMissing("A library in PostgreSQL", "postgresql") from exc


def connect(address: ServerAddress, *, autocommit: bool = False) -> "BriefConnection":
    """Open a connection. Parameters of the URL take precedence. Raises `psycopg.Error` and `LibraryUnusable`."""
    from psycopg import Capabilities

    from store.catalog.postgresql.brief_connection import BriefConnection, BriefCursor
    from store.catalog.postgresql.watched_connection import LIVENESS, WatchedConnection, answers

    logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # what goes wrong is raised, too
    parameters: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "fallback_application_name": "sightline",
        **LIVENESS,
        "client_encoding": "UTF8",
        **_parameters(address),
    }
    connection = BriefConnection.connect(autocommit=True, **parameters)
    try:
        again = partial(WatchedConnection.connect, autocommit=True, **same_server(connection, parameters))
        connection.is_answering = partial(answers, again)
        if Capabilities().has_pipeline():
            connection.cursor_factory = BriefCursor
        connection.adapters.register_dumper(str, _text_dumper())
        version = connection.info.server_version
        later = [setting for first, setting in _LATER_SETTINGS.items() if version >= first]
        connection.deadline = monotonic() + CONNECT_SECONDS
        connection.execute("; ".join([_SETTINGS, *later]).encode())
        connection.deadline = None
        connection.autocommit = autocommit
    except BaseException:
        connection.close()
        raise
    return connection


def same_server(connection: "psycopg.Connection[Any]", parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of another connection to the server of this one: they may name several.

    The role of the server may have changed since. Its time for the answer does not depend on what a user waits for.
    """
    from store.catalog.postgresql import watched_connection

    info = connection.info
    same = {**parameters, "host": info.host, "port": info.port, "target_session_attrs": "any"}
    same["connect_timeout"] = watched_connection.ANSWER_SECONDS
    return {**same, "hostaddr": info.hostaddr} if "hostaddr" in parameters else same


def _parameters(address: ServerAddress) -> dict[str, Any]:
    """Return what a URL says. Raises `LibraryUnusable`, without the text of libpq: it may quote the password."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        return conninfo_to_dict(address.url)
    except (psycopg.Error, UnicodeError):
        raise LibraryUnusable(address.shown, UNREADABLE_URL) from None


@cache
def _text_dumper() -> "type[Dumper]":
    """Return what passes texts to the server: those with NUL, which it does not store, get U+FFFD in its place.

    The comparable forms of paths have it there, too. A query with NUL thus finds what a file with it was stored as.
    """
    from psycopg.types.string import StrDumperUnknown

    class TextDumper(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)

    return TextDumper


def is_lost(connection: "psycopg.Connection[Any]") -> bool:
    """Return whether the server has ended an idle connection, as far as this machine knows. Nothing is sent."""
    import psycopg

    from store.catalog.postgresql.brief_connection import BriefConnection

    if connection.closed:
        return True
    try:
        if isinstance(connection, BriefConnection):
            connection.settle()
        for _ in range(_READS):
            with selectors.DefaultSelector() as selector:
                selector.register(connection.fileno(), selectors.EVENT_READ)
                if not selector.select(0):
                    return False
            connection.pgconn.consume_input()
    except (psycopg.Error, OSError, ValueError):
        return True
    return connection.closed
