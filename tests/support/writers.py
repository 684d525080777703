"""Short names for changes of a library that tests make in a single step."""

from pathlib import Path

from sqlalchemy import update

from store import Library
from store.catalog.tables import Picture, PictureState
from store.check import repair
from store.forget import forget
from store.library import mark_changed
from store.roots import RootLocation, ensure_root
from store.spaces import index_cache
from store.spaces.index_cache import CurrentIndex
from store.spaces.registry import StoredSpace

__all__ = ["add_root", "lose", "publish", "run_forget", "run_repair"]


def add_root(library: Library, path: Path) -> RootLocation:
    """Call `ensure_root` as the only writer."""
    with library.exclusive() as writer:
        return ensure_root(writer, path)


def lose(library: Library, ids: list[int]) -> None:
    """Mark the pictures of contents as missing."""
    with library.transaction() as connection:
        connection.execute(update(Picture).where(Picture.content_id.in_(ids)).values(state=PictureState.MISSING))
        mark_changed(connection)


def publish(library: Library, stored: StoredSpace, *, rebuild: bool = False) -> CurrentIndex:
    """Call `index_cache.publish`."""
    return index_cache.publish(library, stored, rebuild=rebuild)


def run_repair(library: Library) -> list[str]:
    """Call `repair`."""
    return repair(library)


def run_forget(library: Library, path: Path, *, missing_only: bool = False, dry_run: bool = False) -> int:
    """Call `forget`."""
    return forget(library, path, missing_only=missing_only, dry_run=dry_run)
