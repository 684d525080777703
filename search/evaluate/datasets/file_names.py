"""Names that differ from those of existing files only in how they are written.

Data sets are made on one system and used on another: `A.JPG` for `a.jpg`, decomposed letters (NFD, as macOS writes
them), `sub\\a.jpg` from Windows, and `my%20dog.jpg` from a URL. An exact name always comes first, and a name that
matches several files matches none.
"""

import os
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from store.catalog.collation import fold

__all__ = ["FileFinder", "NameMatcher"]

_Form: TypeAlias = Callable[[str], str]


def _unquoted(name: str) -> str:
    return unquote(name, errors="surrogateescape")


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return fold(_unquoted(name))


class NameMatcher:
    """Finds names among `known` ones."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._by_form: dict[_Form, dict[str, str | None]] = {}  # None: shared by several names

    def find(self, name: str) -> str | None:
        """Return the known name that `name` stands for; None if there is none, or if it is not clear which."""
        if name in self._known:
            return name
        if _unquoted(name) in self._known:
            return _unquoted(name)
        for form, key in ((_unquoted, name), (_composed, _composed(name)), (_folded, _folded(name))):
            names = self._names(form)
            if key in names:
                return names[key]
        return None

    def _names(self, form: _Form) -> dict[str, str | None]:
        if form not in self._by_form:
            names: dict[str, str | None] = {}
            for name in sorted(self._known):
                key = form(name)
                names[key] = None if key in names else name
            self._by_form[form] = names
        return self._by_form[form]


class FileFinder:
    """Finds files beneath the folder `root` by their relative paths."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[str, NameMatcher] = {}

    def find(self, name: str) -> str | None:
        """Return the relative path, with `/`, of the file that `name` stands for; None if there is none, or several."""
        for spelling in dict.fromkeys((name, name.replace("\\", "/"))):
            found = self._walk(spelling)
            if found is not None:
                return found
        return None

    def _walk(self, name: str) -> str | None:
        found = ""
        for part in name.split("/"):
            if part in ("", "."):
                continue
            if part == "..":
                return None
            child = self._children(found).find(part)
            if child is None:
                return None
            found = f"{found}/{child}" if found else child
        return found if os.path.isfile(self._root / found) else None  # noqa: PTH113 (no error for a long name)

    def _children(self, folder: str) -> NameMatcher:
        if folder not in self._folders:
            try:
                self._folders[folder] = NameMatcher(os.listdir(self._root / folder))  # noqa: PTH208
            except (OSError, ValueError):
                self._folders[folder] = NameMatcher(())
        return self._folders[folder]
