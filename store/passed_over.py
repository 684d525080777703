"""Files that the last scan of their folder did not take, counted by folder and type."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, func, select

from core.object_paths import as_path
from store.catalog.tables import PassedOver, Root
from store.library import Library
from store.roots import RootLocation

__all__ = ["PassedOverFiles", "count_passed_over", "folders_within", "list_passed_over"]


@dataclass(frozen=True)
class PassedOverFiles:
    """The number of files of one type in a folder that were passed over."""

    folder: Path
    type: str
    """The suffix in lower case; empty for files without one."""
    files: int


def count_passed_over(library: Library) -> dict[str, int]:
    """Return the number of files that were passed over, by type, the most frequent type first."""
    number = func.sum(PassedOver.files)
    statement = select(PassedOver.suffix, number).group_by(PassedOver.suffix).order_by(number.desc(), PassedOver.suffix)
    with library.read() as connection:
        return {suffix: int(files) for suffix, files in connection.execute(statement)}


def list_passed_over(library: Library) -> list[PassedOverFiles]:
    """Return the files that were passed over by folder and type, ordered by path."""
    statement = (
        select(Root.path, PassedOver.folder, PassedOver.suffix, PassedOver.files)
        .join(Root, Root.id == PassedOver.root_id)
        .order_by(Root.path, PassedOver.folder, PassedOver.suffix)
    )
    with library.read() as connection:
        rows = connection.execute(statement).all()
    return [PassedOverFiles(as_path(row.path) / os.fsdecode(row.folder), row.suffix, row.files) for row in rows]


def folders_within(location: RootLocation) -> list[ColumnElement[bool]]:
    """Return conditions on `PassedOver` that match the folder at `location` and all below it."""
    conditions: list[ColumnElement[bool]] = [PassedOver.root_id == location.root_id]
    if location.beneath:
        first, beyond = location.beneath + b"/", location.beneath + b"0"  # "0" is the character after "/"
        below = (PassedOver.folder >= first) & (PassedOver.folder < beyond)
        conditions.append((PassedOver.folder == location.beneath) | below)
    return conditions
