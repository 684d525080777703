"""A random name of a library, which snapshots have in their names, and the page in the addresses of its images.

Browsers may keep thumbnails for a year, and their addresses have only the ID of a picture. Libraries that are served at
the same address one after the other have different pictures with the same ID. So has a library that was deleted and
created again.
"""

import hashlib
import os
import re
import secrets

from sqlalchemy import select

from core.files import write_atomically
from store.catalog.tables import LibraryState
from store.library import Library

__all__ = ["KEY_FILE", "library_key"]

KEY_FILE = "page-key"
"""In the library's folder. It may be deleted at any time; browsers then request thumbnails again, and snapshots in
another folder than the library's get a new name."""

VALID_KEY = re.compile(r"[0-9a-f]{16}")


def library_key(library: Library) -> str:
    """Return the key of a library, which is written when it is first needed.

    That of a library whose folder cannot be written is derived from its path. That of a library on a server is derived
    from the time of its creation, because all machines must have the same.
    """
    if library.backend.name != "sqlite":
        with library.read() as connection:
            created = connection.scalar(select(LibraryState.created_at))
        return hashlib.sha256(str(created).encode()).hexdigest()[:16]
    file = library.path / KEY_FILE
    try:
        kept = file.read_text(encoding="ascii")
    except (OSError, UnicodeError):
        kept = ""
    if VALID_KEY.fullmatch(kept):
        return kept
    key = secrets.token_hex(8)
    try:
        write_atomically(file, [key.encode()])
    except OSError:
        return hashlib.sha256(os.fsencode(library.path)).hexdigest()[:16]
    return key
