"""The commands that messages suggest. They are about the library that the running command is about."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from cli.output import in_utf8

__all__ = ["command", "forget_library", "remember_library"]


@dataclass(frozen=True)
class _Library:
    path: Path
    option: str | None
    """What the option says; None if the environment or the default named the library."""


_running: _Library | None = None
"""That of the command that this process runs. Its threads print messages, too."""


def remember_library(path: Path, option: str | None) -> None:
    """Let suggested commands name a library, unless commands use it without an `option`."""
    global _running
    _running = _Library(path, option)


def forget_library() -> None:
    """Begin another command, which has not named a library yet."""
    global _running
    _running = None


def command(words: str, library: Path | str | None = None) -> str:
    """Return a command of Sightline in backquotes, as it has to be typed for the library of the running one.

    With `library`, the command is about that one.
    """
    place = _running.option if _running else None
    if library is not None and not (_running and _is_same(library, _running.path)):
        place = str(library)
    return f"`sightline {f'--library {_typed(place)} ' if place else ''}{words}`"


def _is_same(library: Path | str, path: Path) -> bool:
    return str(library) in (str(path), str(path.absolute()))


def _typed(place: str) -> str:
    """Return a folder or URL as an argument, without a password."""
    from store.catalog.postgresql.address import ServerAddress, is_server_url  # late, for a fast start

    shown = ServerAddress.parse(place).shown if is_server_url(place) else in_utf8(place)
    return shlex.quote(shown)
