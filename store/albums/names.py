"""The names of albums, in any spelling."""

from contextlib import suppress

from core.errors import InvalidTag
from store.catalog.collation import fold
from store.tags import tag_name

__all__ = ["album_key"]


def album_key(name: str) -> str:
    """Return the comparable form of the name of an album: all spellings of one name have the same."""
    with suppress(InvalidTag):
        name = tag_name(name)
    return fold(name.encode("utf-8", "replace").decode())  # it may be no text at all
