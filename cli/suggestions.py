"""The commands that messages suggest. They are about the library that the running command is about."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.output import shown
from core.errors import SightlineError

__all__ = ["command", "forget_library", "remember_library", "without_library"]


@dataclass(frozen=True)
class _Library:
    path: Path
    option: str | None


_running: _Library | None = None
"""That of the command that this process runs. Its threads print messages, too."""


def remember_library(path: Path, option: str | None) -> None:
    """Remember the library of the running command. `option` is the value of `--library`, if it was given."""
    global _running
    _running = _Library(path, option)


def forget_library() -> None:
    """Forget the library, because another command begins."""
    global _running
    _running = None


@contextmanager
def without_library() -> Iterator[None]:
    """Let commands name no library within the block: the message is for people in other places."""
    global _running
    before = _running
    forget_library()
    try:
        yield
    finally:
        _running = before


def command(words: str, library: Path | str | None = None) -> str:
    """Return a command of Sightline in backquotes, with `--library` if the running command was given it.

    With `library`, the command is about that one. A password in a URL is left out.
    """
    place = _running.option if _running else None
    if library is not None and not (_running and _normal(library) == _normal(_running.path)):
        place = str(library)
    name = _normal(place, expand=False) if place else None
    return f"`sightline {f'--library {shlex.quote(shown(name))} ' if name else ''}{words}`"


def _normal(place: Path | str, *, expand: bool = True) -> str | None:
    """Return a URL without secrets, or None if it cannot be read; of a folder, the absolute path if `expand`."""
    from store.catalog.postgresql.address import ServerAddress, is_server_url  # late, for a fast start

    if not is_server_url(str(place)):
        return str(Path(place).expanduser().absolute()) if expand else str(place)
    try:
        return ServerAddress.parse(str(place)).shown
    except SightlineError:
        return None
