"""The URLs with which a database is opened for reading alone."""

import os
from pathlib import Path
from urllib.parse import quote

__all__ = ["read_only_uri"]


def read_only_uri(file: Path, *, immutable: bool = False) -> str:
    """Return the URL for `sqlite3.connect`. A connection that only reads does not move the log into the file.

    With `immutable`, the log is left out, and nothing is locked.
    """
    return f"file:{quote(os.fsencode(file))}?mode=ro{'&immutable=1' if immutable else ''}"
