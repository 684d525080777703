"""Where the files of one content lie: for whoever must open them, and not only name them."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from store.catalog.tables import Content, Picture, Root, RootKind, State

__all__ = ["StoredFile", "files_of"]


@dataclass(frozen=True)
class StoredFile:
    """A file that is present, as the last scan saw it."""

    root: Path
    path: Path
    digest: bytes
    """SHA-256 of its bytes."""
    format: str


def files_of(connection: Connection, content_id: int) -> list[StoredFile]:
    """Every present file that holds this content, first known first; none for a document or an unknown id."""
    statement = (
        select(Root.path, Picture.relpath, Content.digest, Content.format)
        .join(Picture, Picture.root_id == Root.id)
        .join(Content, Content.id == Picture.content_id)
        .where(Content.id == content_id, Picture.state == State.PRESENT, Root.kind == RootKind.FOLDER)
        .order_by(Picture.id)
    )
    found = []
    for row in connection.execute(statement):
        root = Path(os.fsdecode(row.path))
        found.append(StoredFile(root, root / os.fsdecode(row.relpath), row.digest, row.format))
    return found
