"""The spaces and vectors of a merged library."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from sqlalchemy import select, text

from store import Library
from store.catalog.tables import Picture, Root
from store.check import verify
from store.exchange import import_vectors, open_vectors
from store.merge.spaces import SpaceRelation
from store.spaces.registry import list_spaces
from tests.support.merging import OtherEncoder, embedded_by_a_run, ids_of, merge_into

Paint = Callable[..., Path]


def test_space_of_another_model_is_carried(make: Callable[..., Library], tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "a" / "red.png", "red")
    paint(tmp_path / "b" / "green.png", "green")
    library = make("one", tmp_path / "a")
    other = make("other", tmp_path / "b", encoder=OtherEncoder())
    report = merge_into(library, other)
    assert [each.relation for each in report.spaces] == [SpaceRelation.CARRIED]
    assert report.without_vector == 1
    assert [(each.vectors, each.is_active) for each in list_spaces(library)] == [(1, True), (1, False)]
    assert embedded_by_a_run(library, tmp_path / "b") == 1
    assert not verify(library)


def imported(library: Library, folder: Path, name: str, *ids: str) -> None:
    folder.mkdir(exist_ok=True)
    vectors = np.random.default_rng(len(ids)).normal(size=(len(ids), 4)).astype(np.float32)
    np.save(folder / f"{name}.npy", vectors)
    (folder / f"{name}.txt").write_text("\n".join(ids) + "\n")
    import_vectors(library, open_vectors(folder / f"{name}.npy", folder / f"{name}.txt"), name)


def test_imported_spaces_come_with_their_documents(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, other = two
    imported(other, tmp_path / "v", "clip", "x", "y", "z")
    imported(other, tmp_path / "v", "taken", "k", "l")
    imported(library, tmp_path / "w", "taken", "m")
    report = merge_into(library, other)
    assert [each.relation for each in report.spaces] == [
        SpaceRelation.SAME,
        SpaceRelation.CARRIED,
        SpaceRelation.NAME_TAKEN,
    ]
    assert report.pictures["new"] == 2  # documents are no pictures
    vectors = {each.stored.space.model: each.vectors for each in list_spaces(library)}
    assert vectors == {"fake": 3, "clip": 3, "taken": 1}
    with library.read() as connection:
        documents = select(Picture.relpath).join(Root, Root.id == Picture.root_id).where(Root.kind == "collection")
        assert sorted(connection.execute(documents).scalars()) == [b"m", b"x", b"y", b"z"]
    assert not verify(library)
    assert merge_into(library, other).contents == 0


def test_damaged_vectors_are_not_taken(two: tuple[Library, Library], tmp_path: Path) -> None:
    library, other = two
    (green,) = ids_of(other, "green.png")
    with other.transaction() as connection:
        connection.execute(text(f"UPDATE embeddings SET vector = zeroblob(26) WHERE content_id = {green}"))
    report = merge_into(library, other)
    assert report.without_vector == 1
    assert embedded_by_a_run(library, tmp_path / "b") == 1
    assert not verify(library)
