"""Inverted lists whose build is killed, or whose files are damaged, leave a working index."""

import os
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, insert, select, update

from core.errors import IndexFault, LibraryUnusable
from store import Library
from store.catalog.tables import Embedding, IndexGeneration
from store.check import repair, verify
from store.recovery.vectors import restore_vectors
from store.spaces import approximation, index_cache
from store.spaces.approximation import update_approximation
from store.spaces.flat_index import FlatIndex
from store.spaces.registry import StoredSpace
from tests.support.announced import index_files
from tests.support.inverted_lists import Fill, N, exact_index, layered, queries, suffixes
from tests.support.writers import lose, publish

STEPS = [
    "_build",
    "_write_base",
    "_attempts",
    "_encode",
    "measure_recall",
    "describe_file",
    "_switch",
    "_link",
    "_layered",
    "index_cache.publish_base",
    "index_cache.find_difference",
    "generation_files.write_layers",
    "announced_files.mark_changed",
    "announced_files._may_announce",
    "announced_files.record",
    "index_cache.announce",
    "index_cache.remove_strays",
]


NOT_ON_A_SERVER = {"announced_files.record": pytest.mark.sqlite("a server has no row for the files of a machine")}


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    ("step", "merging"),
    [
        pytest.param(step, merging, marks=NOT_ON_A_SERVER.get(step, ()))
        for step in STEPS
        for merging in (False, True)
        if merging or step != "_write_base"
    ],
)
def test_a_build_that_is_killed_leaves_a_working_index(
    library: Library, stored: StoredSpace, fill: Fill, monkeypatch: pytest.MonkeyPatch, step: str, merging: bool
) -> None:
    fill(N)
    publish(library, stored)
    if merging:
        assert update_approximation(library, stored)
        fill(100)
        publish(library, stored)

    def kill(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *_, **__: None)  # a killed process cleans up nothing
        module, _, name = step.rpartition(".")
        patch.setattr(f"store.spaces.{module or 'approximation'}.{name}", kill)
        with pytest.raises(Killed):
            update_approximation(library, stored)
    current, flat = index_cache.load(library, stored), exact_index(library, stored)
    assert current.fault is None
    np.testing.assert_array_equal(
        current.index.exact.search(queries(stored), 20).ids, flat.search(queries(stored), 20).ids
    )
    assert verify(library) == []
    publish(library, stored)
    update_approximation(library, stored)
    index = layered(library, stored)
    assert index.lists is not None
    assert index.changes == 0
    assert verify(library) == []
    assert not [path for path in index_files(library) if path.is_dir()]
    assert len(index_files(library)) == 5


@pytest.mark.parametrize("suffix", [".json", ".faiss", ".lists", ".added", ".removed"])
@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
def test_a_damaged_file_is_detected_and_rebuilt_from_the_catalogue(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill, suffix: str, damage: str
) -> None:
    fill(10)
    lose(library, built[:3])
    publish(library, stored)
    path = next(library.indexes.glob(f"*{suffix}"))
    data = bytearray(path.read_bytes())
    path.unlink()
    data[len(data) // 2] ^= 4
    if damage != "missing":
        path.write_bytes(data[:-1] if damage == "cut" else data)
    current = index_cache.load(library, stored)
    assert isinstance(current.fault, IndexFault)
    assert isinstance(current.index, FlatIndex)
    assert len(current.index) == N + 7
    assert [fault.kind for fault in verify(library)] == ["index"]
    repair(library)
    assert verify(library) == []
    assert update_approximation(library, stored)
    assert len(layered(library, stored)) == N + 7
    assert verify(library) == []


@pytest.mark.usefixtures("built")
def test_damage_in_the_middle_of_a_large_file_is_found_by_verify(
    library: Library, stored: StoredSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.spaces.layer_files.BLOCK_BYTES", 1024)
    publish(library, stored, rebuild=True)
    assert update_approximation(library, stored)
    path = next(library.indexes.glob("*.faiss"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 64
    path.unlink()
    path.write_bytes(data)
    assert index_cache.load(library, stored).fault is None
    assert [fault.kind for fault in verify(library)] == ["index"]
    repair(library)
    assert verify(library) == []


@pytest.mark.sqlite("its catalogue announces index files, and vectors are restored from them")
@pytest.mark.usefixtures("built")
def test_damage_in_the_middle_is_neither_merged_nor_restored(
    library: Library, stored: StoredSpace, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.spaces.layer_files.BLOCK_BYTES", 1024)
    publish(library, stored, rebuild=True)
    assert update_approximation(library, stored)
    fill(100)
    publish(library, stored)
    path = next(library.indexes.glob("*.faiss"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 64
    path.unlink()
    path.write_bytes(data)
    assert index_cache.load(library, stored).fault is None
    with library.exclusive() as writer, pytest.MonkeyPatch.context() as patch:
        with library.transaction() as connection:
            generation = connection.execute(select(IndexGeneration.__table__)).one()._asdict()
            lost = connection.scalar(select(Embedding.content_id).limit(1))
            before = connection.scalar(select(Embedding.vector).where(Embedding.content_id == lost))
            connection.execute(delete(Embedding).where(Embedding.content_id == lost))
        patch.setattr(index_cache, "remove_strays", lambda _: [])
        assert restore_vectors(writer) == 0
        with library.transaction() as connection:
            connection.execute(insert(Embedding).values(space_id=stored.id, content_id=lost, vector=before))
            connection.execute(insert(IndexGeneration).values(**{**generation, "revision": 0}))
    assert index_cache.load(library, stored).fault is None
    publish(library, stored)
    assert update_approximation(library, stored)
    assert isinstance(index_cache.load(library, stored).index, FlatIndex)
    assert verify(library) == []
    assert update_approximation(library, stored)
    assert layered(library, stored).lists is not None


def test_a_killed_build_of_a_space_that_is_gone_is_deleted(library: Library, stored: StoredSpace, fill: Fill) -> None:
    fill(1)
    killed, running = library.indexes / "building-0123456789ab", library.indexes / "building-ba9876543210"
    for folder in (killed, running):
        folder.mkdir()
        (folder / "base.faiss").write_bytes(b"vectors")
    with library.index_build_lock_if_free("ba9876543210"):
        publish(library, stored)
        assert (killed.exists(), running.exists()) == (False, True)
    publish(library, stored)
    assert not running.exists()


@pytest.mark.usefixtures("built")
def test_verify_compares_every_number(library: Library, stored: StoredSpace) -> None:
    with library.transaction() as connection:
        content_id = connection.scalar(select(Embedding.content_id).limit(1))
        other = np.zeros(stored.space.dim, np.float32)
        other[0] = 1
        connection.execute(
            update(Embedding).where(Embedding.content_id == content_id).values(vector=stored.to_bytes(other))
        )
    (fault,) = verify(library)
    assert f"differs from the catalogue in 1 vectors ({content_id})" in fault.detail


@pytest.mark.sqlite("its catalogue announces index files")
def test_removed_vectors_with_a_deleted_generation_are_rebuilt(
    library: Library, stored: StoredSpace, built: list[int]
) -> None:
    with library.transaction() as connection:
        connection.execute(delete(IndexGeneration))
    current = publish(library, stored)
    assert isinstance(current.index, FlatIndex)
    assert suffixes(library) == {".faiss"}
    assert len(current.index) == len(built)


def test_full_disk_keeps_the_exact_index(
    library: Library, stored: StoredSpace, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(N)
    publish(library, stored)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("store.spaces.inverted_lists.InvertedLists.write", full)
    with pytest.raises(LibraryUnusable, match="cannot be written"):
        update_approximation(library, stored)
    assert index_cache.load(library, stored).published
    assert suffixes(library) == {".faiss"}


def test_linking_falls_back_to_copying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"vectors")

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    approximation._link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"vectors"
