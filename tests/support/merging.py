"""Merging libraries, and what is in them."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.catalog.tables import Content, Picture, Root
from store.merge.merging import MergeReport, MergeSettings, merge
from store.tags import Tagging, add_tags
from tests.support.indexing import CountingEncoder


def merge_into(library: Library, other: Library, **settings: Any) -> MergeReport:
    other.close()
    with Library.open_to_read(other.path) as opened:
        return merge(library, opened, MergeSettings(**settings))


def vectors_of(library: Library) -> dict[tuple[bytes, int], bytes]:
    """The vectors of all spaces, by digest and number of the frame."""
    first = "SELECT digest, 0, vector FROM embeddings JOIN contents ON contents.id = content_id"
    further = "SELECT digest, number, vector FROM frame_embeddings JOIN contents ON contents.id = content_id"
    with library.read() as connection:
        return {(row[0], row[1]): row[2] for row in connection.execute(text(f"{first} UNION ALL {further}"))}


def files_of(library: Library) -> set[tuple[str, bytes | None, str]]:
    """The paths, contents and states of all files."""
    statement = (
        select(Root.path, Picture.relpath, Content.digest, Picture.state)
        .join(Root, Root.id == Picture.root_id)
        .outerjoin(Content, Content.id == Picture.content_id)
    )
    with library.read() as connection:
        return {
            (os.fsdecode(row.path + b"/" + row.relpath), row.digest, row.state) for row in connection.execute(statement)
        }


def ids_of(library: Library, *names: str) -> list[int]:
    with library.read() as connection:
        rows = connection.execute(select(Picture.relpath, Picture.content_id))
        by_name = {Path(os.fsdecode(row.relpath)).name: row.content_id for row in rows}
    return [by_name[name] for name in names]


def tag(library: Library, name: str, content_ids: Sequence[int]) -> None:
    add_tags(library, [Tagging(content_id, name) for content_id in content_ids])


def state_of(library: Library) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(library.path.rglob("*")) if path.is_file()}


def embedded_by_a_run(library: Library, *folders: Path) -> int:
    encoder = CountingEncoder()
    index(library, folders, encoder)
    return encoder.embedded


class OtherEncoder(FakeEncoder):
    """Another model, by its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.space = replace(self.space, weights="others")
