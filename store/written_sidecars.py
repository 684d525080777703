"""User data about files that can have sidecars, and what has been written into these.

Tags and ratings by users belong to contents; a sidecar belongs to one file, so each copy has its own.
"""

import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select

from core.object_paths import as_path
from store.catalog.id_sets import batch_slices
from store.catalog.tables import (
    Content,
    ContentTag,
    Picture,
    PictureState,
    Root,
    RootKind,
    Tag,
    TagSource,
    WrittenSidecar,
)
from store.library import Library

__all__ = [
    "SaidFile",
    "WrittenFile",
    "forget_written",
    "present_names",
    "record_written",
    "said_files",
    "said_in_folder",
]

_COLUMNS = (WrittenSidecar.name, WrittenSidecar.digest, WrittenSidecar.added)


@dataclass(frozen=True)
class WrittenFile:
    """A sidecar as it was written."""

    name: bytes
    """In the folder of its picture."""
    digest: bytes
    """SHA-256 of the file."""
    added: Mapping[str, Any]
    """What was added to it, as JSON."""


@dataclass(frozen=True)
class SaidFile:
    """A present file, and the user data of its content."""

    picture_id: int
    root: Path
    relpath: bytes
    tags: tuple[str, ...]
    """By users, in the order of their names."""
    rating: int | None
    """By users."""
    keywords: tuple[str, ...]
    """In the file itself."""
    written: WrittenFile | None

    @property
    def folder(self) -> bytes:
        """The folder of the file, relative to the root; empty for the root."""
        return self.relpath.rpartition(b"/")[0]

    @property
    def name(self) -> bytes:
        """The name of the file in its folder."""
        return self.relpath.rpartition(b"/")[2]

    @property
    def path(self) -> Path:
        """The absolute path of the file."""
        return self.root / os.fsdecode(self.relpath)


def said_files(library: Library, content_ids: Sequence[int]) -> list[SaidFile]:
    """Return the present files of these contents that people tagged or rated, or whose sidecars have been written.

    They are in the order of their roots and folders, and within a folder of their names.
    """
    files = [file for batch in batch_slices(len(content_ids)) for file in _files(library, content_ids[batch])]
    return sorted(files, key=lambda file: (file.root, file.folder, file.name))


def said_in_folder(library: Library, root: Path, folder: bytes, names: Collection[bytes]) -> list[SaidFile]:
    """Return what `said_files` does, of the present pictures with these names in a folder."""
    statement = select(Picture.relpath, Picture.content_id).join(Root, Root.id == Picture.root_id)
    with library.read() as connection:
        rows = connection.execute(statement.where(_is_in_folder(root, folder))).all()
    ids = {row.content_id for row in rows if row.content_id is not None and row.relpath.rpartition(b"/")[2] in names}
    files = said_files(library, sorted(ids))
    return [file for file in files if (file.root, file.folder) == (root, folder) and file.name in names]


def present_names(library: Library, root: Path, folder: bytes) -> set[bytes]:
    """Return the names of the present pictures in a folder, which is relative to `root`."""
    statement = select(Picture.relpath).join(Root, Root.id == Picture.root_id).where(_is_in_folder(root, folder))
    with library.read() as connection:
        return {path.rpartition(b"/")[2] for path in connection.execute(statement).scalars()}


def _is_in_folder(root: Path, folder: bytes) -> ColumnElement[bool]:
    conditions = [
        Root.path == os.fsencode(root),
        Picture.folder == folder,
        Picture.state == PictureState.PRESENT,
    ]
    if folder:  # the range for which there is an index; "0" is the character after "/"
        conditions += [Picture.relpath > folder + b"/", Picture.relpath < folder + b"0"]
    return and_(*conditions)


def record_written(
    library: Library, picture_id: int, written: WrittenFile, before: WrittenFile | None
) -> WrittenFile | None:
    """Record what was written into the sidecar of a picture. A picture that has been forgotten is skipped.

    If the record is another one than `before`, because two runs write at once, it stays and is returned.
    """
    of_picture = WrittenSidecar.picture_id == picture_id
    with library.transaction() as connection:
        row = connection.execute(select(*_COLUMNS).where(of_picture)).one_or_none()
        if row is not None and (there := WrittenFile(*row)) != before:
            return there
        connection.execute(delete(WrittenSidecar).where(of_picture))
        if connection.scalar(select(Picture.id).where(Picture.id == picture_id)) is not None:
            values = {"name": written.name, "digest": written.digest, "added": dict(written.added)}
            connection.execute(insert(WrittenSidecar).values(picture_id=picture_id, **values))
    return None


def forget_written(library: Library, picture_id: int) -> None:
    """Remove the record of what was written into the sidecar of a picture, which is gone."""
    with library.transaction() as connection:
        connection.execute(delete(WrittenSidecar).where(WrittenSidecar.picture_id == picture_id))


def _files(library: Library, ids: Sequence[int]) -> Iterator[SaidFile]:
    tags = (
        select(ContentTag.content_id, Tag.name, ContentTag.source)
        .join(Tag, Tag.id == ContentTag.tag_id)
        .where(ContentTag.content_id.in_(ids), ContentTag.source.in_((TagSource.USER, TagSource.FILE)))
        .order_by(Tag.key)
    )
    pictures = (
        select(Picture.id, Picture.content_id, Picture.relpath, Root.path, Content.user_rating)
        .add_columns(*_COLUMNS)
        .join(Root, Root.id == Picture.root_id)
        .join(Content, Content.id == Picture.content_id)
        .outerjoin(WrittenSidecar, WrittenSidecar.picture_id == Picture.id)
        .where(Picture.content_id.in_(ids), Picture.state == PictureState.PRESENT, Root.kind == RootKind.FOLDER)
    )
    by_user = select(ContentTag.content_id).where(
        ContentTag.content_id == Picture.content_id, ContentTag.source == TagSource.USER
    )
    said = or_(Content.user_rating.is_not(None), WrittenSidecar.picture_id.is_not(None), by_user.exists())
    with library.read() as connection:
        named = defaultdict[tuple[int, str], list[str]](list)
        for row in connection.execute(tags):
            named[row.content_id, row.source].append(row.name)
        rows = connection.execute(pictures.where(said)).all()
    for row in rows:
        yield SaidFile(
            picture_id=row.id,
            root=as_path(row.path),
            relpath=row.relpath,
            tags=tuple(named[row.content_id, TagSource.USER]),
            rating=row.user_rating,
            keywords=tuple(named[row.content_id, TagSource.FILE]),
            written=None if row.digest is None else WrittenFile(row.name, row.digest, row.added),
        )
