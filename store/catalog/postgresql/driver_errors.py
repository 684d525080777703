"""What errors of PostgreSQL and of its driver mean for a library.

The codes are those of https://www.postgresql.org/docs/current/errcodes-appendix.html.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import (
    LibraryBusy,
    LibraryDamaged,
    LibraryError,
    LibraryReadOnly,
    LibraryUnreachable,
    LibraryUnusable,
)

__all__ = ["server_error", "server_errors"]

TOO_MANY_CONNECTIONS = "53300"
READ_ONLY = "25006"
TOO_MANY_VALUES = "number of parameters must be between"
"""Part of the message of libpq, which sends no such statement."""

_FAULTS = {
    "53100": "the disk of its server is full",
    "53200": "its server has no memory left",
    "55P03": "another program is writing to its catalogue",
    "40001": "another program has changed its catalogue at the same time",
    "40P01": "another program has changed its catalogue at the same time",
    "58030": "its server cannot read or write its files (input/output error)",
}
_DAMAGE = {
    "XX001": "its catalogue is damaged",
    "XX002": "an index of its catalogue is damaged",
}
_UNREACHABLE = {
    "57P01": "its server ended the connection",
    "57P02": "its server has crashed and starts again",
    "57P03": "its server is starting or stopping",
    "57P05": "its server ended the connection, which was idle for too long",
    "25P03": "its server ended the connection, which was idle for too long",
}
_UNREACHABLE_CLASS = "08"


def server_error(place: str, exc: BaseException | None) -> LibraryError:
    """Return the error for what `psycopg` raised for the library at `place`."""
    import psycopg

    code: str = getattr(exc, "sqlstate", None) or ""
    detail = _first_line(exc)
    if code in _DAMAGE:
        return LibraryDamaged(place, f"{_DAMAGE[code]}: {detail}")
    if code == READ_ONLY:
        return LibraryReadOnly(place, "its server does not accept changes")
    if code == TOO_MANY_CONNECTIONS:
        return LibraryBusy(place)
    if code in _UNREACHABLE or code.startswith(_UNREACHABLE_CLASS):
        return LibraryUnreachable(place, _UNREACHABLE.get(code, detail))
    if not code and TOO_MANY_VALUES in detail:
        return LibraryUnusable(place, "a statement has more values than its database takes (65,535)")
    if not code and isinstance(exc, psycopg.OperationalError):  # the connection failed, or was lost
        return LibraryUnreachable(place, detail)
    return LibraryUnusable(place, _FAULTS.get(code, detail))


def _first_line(exc: BaseException | None) -> str:
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    return lines[0] if lines else type(exc).__name__


@contextmanager
def server_errors(place: str) -> Iterator[None]:
    """Translate errors of the driver, and of a pool without a free connection, to errors of the library."""
    import psycopg

    try:
        yield
    except DBAPIError as exc:
        raise server_error(place, exc.orig) from exc
    except psycopg.Error as exc:
        raise server_error(place, exc) from exc
    except PoolTimeout as exc:
        raise LibraryBusy(place) from exc
