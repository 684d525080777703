"""Which names a scan passes over: patterns in gitignore grammar, and names of bins, caches and machinery.

A rule set answers for one entry at a time and knows nothing of the entry's parents: the scan prunes an
ignored folder, so that, as in git, nothing beneath it can be brought back.
"""

import os
from collections.abc import Iterable
from typing import NamedTuple

from pathspec import GitIgnoreSpec, RegexPattern

__all__ = ["IGNORE_FILE", "IgnoreRules", "is_clutter", "parse_ignore_file", "parse_patterns"]

IGNORE_FILE = b".sightlineignore"
"""Name of the file whose patterns hold in its folder and beneath."""

_CLUTTER = frozenset(
    {
        b".git",
        b".trash",
        b".trashes",
        b".thumbnails",
        b"#recycle",  # Synology's bin
        b"@eadir",  # Synology's thumbnails
        b"@recycle",  # QNAP's bin
        b"$recycle.bin",
        b"__macosx",
        b"__pycache__",
        b"lost+found",
        b"node_modules",
        b"system volume information",
    }
)
"""Folders of bins, thumbnails and machinery, in lower case: their pictures are copies or nobody's."""


class IgnoreRules(NamedTuple):
    """Patterns of one source, relative to the folder `base` (a path that ends in "/", or "" for the root)."""

    base: str
    patterns: tuple[RegexPattern, ...]

    def verdict(self, path: str, is_folder: bool) -> bool | None:
        """True to ignore `path` (relative to the root), False to keep it, None when no pattern speaks of it.

        The last pattern that matches decides.
        """
        inner = path[len(self.base) :]
        for pattern in reversed(self.patterns):
            if _matches(pattern, inner, is_folder):
                return pattern.include
        return None


def parse_patterns(lines: Iterable[str], base: str = "") -> IgnoreRules:
    """Rules from patterns in gitignore grammar. Raises `ValueError` for a pattern that has no meaning."""
    patterns = GitIgnoreSpec.from_lines(lines).patterns
    return IgnoreRules(base, tuple(pattern for pattern in patterns if pattern.include is not None))


def parse_ignore_file(content: bytes, base: str) -> IgnoreRules:
    """Rules of an ignore file found in `base`. As in git, lines without meaning are passed over."""
    lines = [os.fsdecode(line) for line in content.removeprefix(b"\xef\xbb\xbf").splitlines()]
    return parse_patterns(filter(_is_pattern, lines), base)


def is_clutter(name: bytes) -> bool:
    """Names no pattern can bring back: AppleDouble companions (`._*`), bins, thumbnail caches, machinery."""
    return name.startswith((b"._", b".Trash-")) or name.lower() in _CLUTTER


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _matches(pattern: RegexPattern, path: str, is_folder: bool) -> bool:
    """Whether `pattern` means this entry itself.

    pathspec's expressions also match what lies beneath a matched folder, and name a group for the slash after
    it. Here only a match up to the very end counts: `*` then `!kept/` brings back the folder, not its files.
    """
    if pattern.regex is None:
        return False
    if not pattern.regex.groupindex:
        return pattern.regex.search(path) is not None
    whole = path + "/" if is_folder else path
    return any(match.end() == len(whole) for match in pattern.regex.finditer(whole))
