"""Paths of objects in a store, such as `s3://bucket/2024/a.jpg`, as `pathlib` paths.

Roots and files are `Path` values everywhere. A root in an object store is an `ObjectPath`: a path that is written with
the scheme of its store, and that is no path of this machine. Whether a value is one decides where its files are read
(see `core.root_files`).
"""

import errno
import os
import posixpath
import re
from pathlib import Path, PosixPath
from typing import Any, NoReturn, Self

__all__ = ["ObjectPath", "as_path", "object_path", "scheme_of"]

_BEGIN = re.compile(r"([a-z][a-z0-9+.-]+):/{1,2}(?=[^/])", re.IGNORECASE)
"""The begin of an object's name. pathlib leaves one of the two slashes."""

_SCHEMES = frozenset({"s3"})


class ObjectPath(PosixPath):
    """The path of an object, or of the objects whose names begin with it and a slash. It is written with its scheme.

    Its parts are joined and compared as those of any path. It is on no disk of this machine: it has no status there,
    and leads through no link.
    """

    def __str__(self) -> str:
        text = super().__str__()
        scheme, colon, rest = text.partition(":/")
        return f"{scheme}://{rest}" if colon and scheme in _SCHEMES else text

    @property
    def scheme(self) -> str:
        """The scheme of the store, such as `s3`."""
        return str(self).partition("://")[0]

    def is_absolute(self) -> bool:
        """Return whether the path begins with a scheme: it does not depend on a current folder."""
        return "://" in str(self)

    def resolve(self, strict: bool = False) -> Self:  # noqa: ARG002
        """Return the path itself: there are no links."""
        return self

    def absolute(self) -> Self:
        """Return the path itself."""
        return self

    def stat(self, *, follow_symlinks: bool = True) -> NoReturn:  # noqa: ARG002
        """Raise `FileNotFoundError`: the path is not one of this machine."""
        raise FileNotFoundError(errno.ENOENT, "not a file of this machine", str(self))

    def exists(self, **_: Any) -> bool:
        """Return False: the path is not one of this machine."""
        return False

    is_dir = is_file = exists

    def open(self, *_: Any, **__: Any) -> NoReturn:
        """Raise `FileNotFoundError`: the path is not one of this machine."""
        self.stat()

    def iterdir(self) -> NoReturn:
        """Raise `FileNotFoundError`: the path is not one of this machine."""
        self.stat()


def object_path(path: Path | str) -> ObjectPath | None:
    """Return what names objects of a store as such a path; None for any other path.

    As in paths of folders, `..` is removed, and so are slashes at the end and repeated ones.
    """
    if isinstance(path, ObjectPath):
        return path
    text = os.fspath(path)
    scheme = scheme_of(text)
    if scheme not in _SCHEMES:
        return None
    inner = posixpath.normpath(text[len(scheme) + 1 :]).lstrip("/")
    return ObjectPath(f"{scheme}:/{inner}") if inner else None


def scheme_of(path: Path | str) -> str | None:
    """Return the scheme that a path begins with in lower case, such as `s3` or `https`, whether it is known or not."""
    match = _BEGIN.match(os.fspath(path))
    return match[1].lower() if match else None


def as_path(encoded: bytes) -> Path:
    """Return the path that `os.fsencode` has encoded, such as that of a root in the catalogue."""
    text = os.fsdecode(encoded)
    return object_path(text) or Path(text)
