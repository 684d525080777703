"""Files and folders that a scan ignores: patterns in gitignore syntax, and names of trash, caches and system folders.

Rules are applied to one entry at a time, regardless of its parents. The scan does not enter an ignored folder, so that,
as in git, no pattern can include a file beneath it again.
"""

import io
from collections.abc import Iterable
from typing import NamedTuple

from pathspec import GitIgnoreSpec, RegexPattern

from core.text_files import iterate_lines

__all__ = ["IGNORE_FILE", "IgnoreRules", "is_always_ignored", "is_derived", "parse_ignore_file", "parse_patterns"]

IGNORE_FILE = b".sightlineignore"
"""Name of the file whose patterns apply to its folder and everything beneath."""

_SYSTEM_FOLDERS = frozenset(
    {
        b".git",
        b".trash",
        b".trashes",
        b".thumbnails",
        b"#recycle",  # trash, Synology
        b"@eadir",  # thumbnails, Synology
        b"@recycle",  # trash, QNAP
        b"$recycle.bin",
        b"__macosx",
        b"__pycache__",
        b"lost+found",
        b"node_modules",
        b"system volume information",
    }
)
"""Folders of trash, thumbnails and system files, in lower case. Their pictures are copies or not the user's."""

_SYSTEM_FILES = frozenset({b"desktop.ini", b"ehthumbs.db", b"picasa.ini", b"thumbs.db"})
"""Files that systems and programs leave in folders of pictures, in lower case."""

_PREVIEWS_SUFFIX = b".lrdata"
"""Of folders in which Lightroom keeps previews."""

_LIBRARY_SUFFIXES = (b".photoslibrary", b".photolibrary", b".aplibrary")
_LIBRARY_ORIGINALS = frozenset({b"originals", b"masters"})
"""Libraries of Apple Photos, iPhoto and Aperture are folders, and contain thumbnails and previews besides originals."""

_SYSTEM_NAMES = _SYSTEM_FOLDERS | _SYSTEM_FILES


class IgnoreRules(NamedTuple):
    """Patterns from one source, relative to the folder `base`: a path that ends in "/", or "" for the root."""

    base: str
    patterns: tuple[RegexPattern, ...]

    def verdict(self, path: str, is_folder: bool) -> bool | None:
        """Return True to ignore `path` (relative to the root), False to include it, None if no pattern matches.

        The last matching pattern decides.
        """
        inner = path[len(self.base) :]
        for pattern in reversed(self.patterns):
            if _matches(pattern, inner, is_folder):
                return pattern.include
        return None


def parse_patterns(lines: Iterable[str], base: str = "") -> IgnoreRules:
    """Return rules for patterns in gitignore syntax. Raises `ValueError` for an invalid pattern."""
    patterns = GitIgnoreSpec.from_lines(lines).patterns
    return IgnoreRules(base, tuple(pattern for pattern in patterns if pattern.include is not None))


def parse_ignore_file(content: bytes, base: str) -> IgnoreRules:
    """Return the rules of an ignore file in the folder `base`. As in git, invalid lines are skipped.

    The file can be UTF-16 or UTF-32, too.
    """
    try:
        lines = list(iterate_lines(io.BytesIO(content), "surrogateescape"))
    except UnicodeDecodeError:  # damaged UTF-16
        lines = list(iterate_lines(io.BytesIO(content), "replace"))
    return parse_patterns(filter(_is_pattern, lines), base)


def is_always_ignored(name: bytes) -> bool:
    """Return whether a name is ignored regardless of patterns: AppleDouble files (`._*`), trash, system files."""
    return (
        name.startswith((b"._", b".Trash-")) or name.lower() in _SYSTEM_NAMES or name.lower().endswith(_PREVIEWS_SUFFIX)
    )


def is_derived(folder: bytes, name: bytes) -> bool:
    """Return whether an entry of `folder` is a part of a photo library that has no originals."""
    return folder.lower().endswith(_LIBRARY_SUFFIXES) and name.lower() not in _LIBRARY_ORIGINALS


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _matches(pattern: RegexPattern, path: str, is_folder: bool) -> bool:
    """Return whether `pattern` matches this entry itself.

    pathspec's expressions also match everything beneath a matched folder, and have a named group for the slash after
    it. Only a match up to the end counts here: `*` followed by `!kept/` includes the folder again, not its files.
    """
    if pattern.regex is None:
        return False
    if not pattern.regex.groupindex:
        return pattern.regex.search(path) is not None
    entry = path + "/" if is_folder else path
    return any(match.end() == len(entry) for match in pattern.regex.finditer(entry))
