"""Inverted lists of a library: built, kept in step with it, and never published half or with a low recall."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, func, insert, select, update

from core.errors import IndexFault, LibraryUnusable, UnknownIndexEngine
from store import Library
from store.catalog.id_sets import Ids
from store.catalog.tables import Content, Embedding, IndexGeneration, Picture, PictureState, VectorChange
from store.check import repair, verify
from store.library import mark_changed
from store.recovery.vectors import restore_vectors
from store.roots import ensure_root
from store.spaces import approximation, current_index, index_cache
from store.spaces.approximation import update_approximation
from store.spaces.embeddings import searchable_ids
from store.spaces.index_engines import ENGINE_VARIABLE, approximate_from
from store.spaces.layer_files import check_files
from store.spaces.layered_index import LayeredIndex
from store.spaces.recall import MeasuredRecall
from store.spaces.registry import StoredSpace
from store.spaces.vector_index import FlatIndex
from tests.support.announced import index_files
from tests.support.writers import publish

N = 600
Fill = Callable[[int], list[int]]


@pytest.fixture(autouse=True)
def _early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use inverted lists from 400 vectors."""
    monkeypatch.setenv(ENGINE_VARIABLE, "auto:400")


@pytest.fixture
def fill(library: Library, stored: StoredSpace) -> Fill:
    """Return a function that inserts so many more pictures, in clusters, and returns their content IDs."""
    with library.exclusive() as writer:
        place = ensure_root(writer, library.path.parent / "photos")
    centres = np.random.default_rng(0).normal(size=(30, stored.space.dim))
    last = [0]

    def add(number: int) -> list[int]:
        rng = np.random.default_rng(last[0])
        raw = centres[rng.integers(0, 30, number)] + 0.3 * rng.normal(size=(number, stored.space.dim))
        vectors = raw / np.linalg.norm(raw, axis=1, keepdims=True)
        names = range(last[0], last[0] + number)
        last[0] += number
        with library.transaction() as connection:
            ids = [
                connection.execute(
                    insert(Content)
                    .values(digest=name.to_bytes(32), size=1, format="PNG", width=8, height=8)
                    .returning(Content.id)
                ).scalar_one()
                for name in names
            ]
            rows = [
                {"space_id": stored.id, "content_id": content_id, "vector": stored.to_bytes(vector)}
                for content_id, vector in zip(ids, vectors, strict=True)
            ]
            connection.execute(insert(Embedding), rows)
            files = [
                {
                    "root_id": place.root_id,
                    "relpath": b"%06d.png" % name,
                    "size": 1,
                    "mtime_ns": 1,
                    "content_id": content_id,
                    "state": PictureState.PRESENT,
                }
                for name, content_id in zip(names, ids, strict=True)
            ]
            connection.execute(insert(Picture), files)
            mark_changed(connection)
        return ids

    return add


def lose(library: Library, ids: list[int]) -> None:
    """Mark the pictures of contents as missing."""
    with library.transaction() as connection:
        connection.execute(update(Picture).where(Picture.content_id.in_(ids)).values(state=PictureState.MISSING))
        mark_changed(connection)


def layered(library: Library, stored: StoredSpace) -> LayeredIndex:
    current = index_cache.load(library, stored)
    assert (current.published, current.fault) == (True, None)
    assert isinstance(current.index, LayeredIndex)
    return current.index


def exact_index(library: Library, stored: StoredSpace) -> FlatIndex:
    """The same vectors in a flat index, from the catalogue."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_cache, "announced_file", lambda *_: None)
        index = index_cache.load(library, stored).index
    assert isinstance(index, FlatIndex)
    return index


def queries(stored: StoredSpace, number: int = 20) -> NDArray[np.float32]:
    raw = np.random.default_rng(9).normal(size=(number, stored.space.dim))
    return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), np.float32)


@pytest.fixture
def built(library: Library, stored: StoredSpace, fill: Fill) -> list[int]:
    ids = fill(N)
    publish(library, stored)
    assert update_approximation(library, stored)
    return ids


def names(library: Library) -> set[str]:
    return {path.suffix for path in index_files(library)}


@pytest.mark.usefixtures("built")
def test_lists_are_built_and_measured_from_the_given_size(library: Library, stored: StoredSpace) -> None:
    index = layered(library, stored)
    assert len(index) == N
    assert index.lists is not None
    manifest = index_cache.published_manifest(library, stored)
    assert manifest is not None
    assert manifest.recall.lowest >= 0.95
    assert manifest.recall.generated
    assert names(library) == {".json", ".faiss", ".lists", ".added", ".removed"}
    assert verify(library) == []
    assert not update_approximation(library, stored)


def test_small_libraries_stay_exact(library: Library, stored: StoredSpace, fill: Fill) -> None:
    fill(399)
    publish(library, stored)
    assert not update_approximation(library, stored)
    assert names(library) - {".json"} == {".faiss"}


def test_scores_are_those_of_exact_search(library: Library, stored: StoredSpace, built: list[int]) -> None:
    index, flat = layered(library, stored), exact_index(library, stored)
    found = index.search(queries(stored), 10)
    assert not found.complete
    assert found.ids.shape == (20, 10)
    for query, scores, ids in zip(queries(stored), found.scores, found.ids, strict=True):
        alone = flat.search(query[None], 10, ids)
        np.testing.assert_array_equal(alone.scores[0], scores)
    many = index.search(queries(stored), 201)
    assert many.complete
    np.testing.assert_array_equal(many.ids, flat.search(queries(stored), 201).ids)
    np.testing.assert_array_equal(index.exact.search(queries(stored), 10).ids, flat.search(queries(stored), 10).ids)
    assert index.exact.search(queries(stored), 10).complete
    among = np.array(built[::3], np.int64)
    few = index.search(queries(stored), 7, among)
    assert few.complete
    np.testing.assert_array_equal(few.ids, flat.search(queries(stored), 7, among).ids)


def test_changes_are_published_without_the_base(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill
) -> None:
    base = next(library.indexes.glob("*.faiss")).stat()
    new = fill(15)
    lose(library, [*built[:10], *new[:5]])
    publish(library, stored)
    after = next(library.indexes.glob("*.faiss")).stat()
    assert (base.st_ino, base.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    index, flat = layered(library, stored), exact_index(library, stored)
    assert sorted(index.ids().tolist()) == sorted([*built[10:], *new[5:]])
    assert len(index) == N
    order, other = np.argsort(index.ids()), np.argsort(flat.ids())
    np.testing.assert_array_equal(index.vectors()[order], flat.vectors()[other])
    parts = [index.vectors(start, start + 250) for start in range(0, len(index), 250)]
    np.testing.assert_array_equal(np.concatenate(parts), index.vectors())
    for k in (5, 300):
        found, expected = index.search(queries(stored), k), flat.search(queries(stored), k)
        assert not np.isin(found.ids, built[:10]).any()
        if found.complete:
            np.testing.assert_array_equal(found.scores, expected.scores)
    scores, ids = index.search_range(queries(stored)[0], 0.2)
    expected_scores, expected_ids = flat.search_range(queries(stored)[0], 0.2)
    assert dict(zip(ids.tolist(), scores.tolist(), strict=True)) == dict(
        zip(expected_ids.tolist(), expected_scores.tolist(), strict=True)
    )
    assert verify(library) == []
    assert not update_approximation(library, stored)  # 20 changes are below 5 %


def test_many_changes_are_merged_with_the_same_centroids(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill
) -> None:
    before = index_cache.published_manifest(library, stored)
    new = fill(60)
    lose(library, built[:30])
    publish(library, stored)
    assert update_approximation(library, stored)
    after = index_cache.published_manifest(library, stored)
    assert before is not None
    assert after is not None
    assert (after.trained_on, after.trained_fit) == (before.trained_on, before.trained_fit)
    index = layered(library, stored)
    assert (len(index.base), index.changes) == (N + 30, 0)
    assert sorted(index.ids().tolist()) == sorted([*built[30:], *new])
    assert index.lists is not None
    again = index.lists.emptied()
    again.add(index.base.vectors())
    found, expected = (lists.propose(queries(stored), 10, 10**6, None) for lists in (index.lists, again))
    np.testing.assert_array_equal(found, expected)  # each code still belongs to its row
    assert verify(library) == []
    assert len(list(library.indexes.glob("*.lists"))) == 1


def test_centroids_are_computed_again_when_pictures_have_changed(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approximation, "RETRAIN_DISTANCE", 0.5)
    fill(100)
    publish(library, stored)
    assert update_approximation(library, stored)
    manifest = index_cache.published_manifest(library, stored)
    assert manifest is not None
    assert manifest.trained_on == N + 100


def test_lists_are_dropped_when_the_library_has_shrunk(library: Library, stored: StoredSpace, built: list[int]) -> None:
    lose(library, built[: N - 300])
    publish(library, stored)
    assert update_approximation(library, stored)  # merged: 300 are above 70 % of 400
    assert len(layered(library, stored)) == 300
    lose(library, built[N - 300 : N - 270])
    publish(library, stored)
    assert update_approximation(library, stored)
    assert isinstance(index_cache.load(library, stored).index, FlatIndex)
    assert names(library) == {".faiss"}
    assert verify(library) == []


def test_lists_are_dropped_when_every_picture_is_gone(
    library: Library, stored: StoredSpace, built: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "auto:0")
    lose(library, built)
    publish(library, stored)
    assert update_approximation(library, stored)
    assert names(library) == {".faiss"}
    assert not update_approximation(library, stored)


def test_low_recall_keeps_search_exact_and_is_remembered(
    library: Library, stored: StoredSpace, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(N)
    publish(library, stored)
    low = MeasuredRecall(text=0.94, pictures=1.0, text_queries=100, generated=True)
    monkeypatch.setattr(approximation, "measure_recall", lambda *_: (16, low))
    assert update_approximation(library, stored)
    assert layered(library, stored).search(queries(stored), 10).complete
    assert names(library) == {".json", ".faiss", ".added", ".removed"}
    manifest = index_cache.published_manifest(library, stored)
    assert manifest is not None
    assert manifest.recall == low
    assert verify(library) == []
    fill(50)
    publish(library, stored)
    assert not update_approximation(library, stored)
    monkeypatch.undo()
    monkeypatch.setenv(ENGINE_VARIABLE, "auto:400")
    fill(150)
    publish(library, stored)
    assert update_approximation(library, stored)  # more than a fifth has changed
    assert layered(library, stored).lists is not None


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


def test_a_base_that_was_replaced_during_the_build_is_not_announced(
    library: Library, stored: StoredSpace, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(N)
    publish(library, stored)
    encode = approximation._encode

    def rebuild_then_encode(*arguments: object) -> None:
        publish(library, stored, rebuild=True)
        encode(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(approximation, "_encode", rebuild_then_encode)
    assert not update_approximation(library, stored)
    assert isinstance(index_cache.load(library, stored).index, FlatIndex)
    assert verify(library) == []


def test_changes_during_a_merge_are_kept(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(100)
    publish(library, stored)
    encode = approximation._encode

    def change_then_encode(*arguments: object) -> None:
        fill(10)
        lose(library, built[:5])
        publish(library, stored)
        encode(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(approximation, "_encode", change_then_encode)
    assert update_approximation(library, stored)
    index = layered(library, stored)
    assert (len(index), index.changes) == (N + 105, 15)
    assert verify(library) == []


@pytest.mark.parametrize(
    "feed_is_cut_off",
    [
        False,
        pytest.param(True, marks=pytest.mark.sqlite("on a server, only the feed tells which vectors were replaced")),
    ],
)
def test_only_what_changed_during_a_build_is_compared_unless_the_feed_is_cut_off(
    library: Library, stored: StoredSpace, fill: Fill, monkeypatch: pytest.MonkeyPatch, feed_is_cut_off: bool
) -> None:
    ids = fill(N)
    publish(library, stored)
    encode, compared = approximation._encode, list[bool]()

    def change_then_encode(*arguments: object) -> None:
        fill(7)
        lose(library, ids[:3])
        if feed_is_cut_off:
            with library.transaction() as connection:
                last = select(func.max(VectorChange.id)).scalar_subquery()
                connection.execute(delete(VectorChange).where(VectorChange.id < last))
        encode(*arguments)  # type: ignore[arg-type]

    def noted(connection: Connection, space: StoredSpace) -> Ids:
        compared.append(True)
        return searchable_ids(connection, space)

    monkeypatch.setattr(approximation, "_encode", change_then_encode)
    monkeypatch.setattr(current_index, "searchable_ids", noted)
    assert update_approximation(library, stored)
    assert compared == [True] * feed_is_cut_off
    index = layered(library, stored)
    assert (len(index), index.changes) == (N + 4, 10)
    assert verify(library) == []


def test_vectors_that_are_replaced_during_a_merge_stay_replaced(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(100)
    publish(library, stored)
    encode = approximation._encode
    axis = np.zeros(stored.space.dim, np.float32)
    axis[0] = 1

    def replace_then_encode(*arguments: object) -> None:
        with library.transaction() as connection:
            same = Embedding.content_id == built[0]
            connection.execute(update(Embedding).where(same).values(vector=stored.to_bytes(axis)))
            connection.execute(delete(IndexGeneration))  # as `add_vectors` does
            mark_changed(connection)
        names_before = {path.name for path in library.indexes.glob("*.faiss")}
        publish(library, stored)
        assert {path.name for path in library.indexes.glob("*.faiss")} == names_before  # the first generation again
        encode(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(approximation, "_encode", replace_then_encode)
    # On a server, the change feed says what was replaced, and the file before stays announced.
    assert update_approximation(library, stored) != library.backend.shares_files
    assert verify(library) == []
    assert built[0] in index_cache.load(library, stored).index.exact.search(axis[None], 1).ids


def test_a_merge_whose_files_are_replaced_is_left_to_the_next_run(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(100)
    publish(library, stored)

    def change_then_check(*arguments: object) -> None:
        lose(library, built[:5])
        publish(library, stored)
        check_files(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(approximation, "check_files", change_then_check)
        assert not update_approximation(library, stored)
    assert layered(library, stored).changes == 105
    assert update_approximation(library, stored)
    assert layered(library, stored).changes == 0


@pytest.mark.sqlite("its catalogue announces index files")
def test_removed_vectors_with_a_deleted_generation_are_rebuilt(
    library: Library, stored: StoredSpace, built: list[int]
) -> None:
    with library.transaction() as connection:
        connection.execute(delete(IndexGeneration))
    current = publish(library, stored)
    assert isinstance(current.index, FlatIndex)
    assert names(library) == {".faiss"}
    assert len(current.index) == len(built)


@pytest.mark.usefixtures("built")
def test_another_engine_ignores_the_layers(
    library: Library, stored: StoredSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "flat")
    current = index_cache.load(library, stored)
    assert isinstance(current.index, FlatIndex)
    assert len(current.index) == N
    assert not update_approximation(library, stored)
    publish(library, stored)
    assert names(library) == {".faiss"}


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
    assert names(library) == {".faiss"}


def test_linking_falls_back_to_copying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"vectors")

    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    approximation._link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"vectors"


@pytest.mark.parametrize(
    ("value", "expected"), [("", 1_000_000), ("auto", 1_000_000), ("auto:5", 5), ("flat", None), ("torch", None)]
)
def test_size_from_which_lists_are_used(monkeypatch: pytest.MonkeyPatch, value: str, expected: int | None) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, value)
    assert approximate_from() == expected


@pytest.mark.parametrize("value", ["auto:", "auto:x", "auto:-1", "auto:1e6"])
def test_size_that_is_not_a_number_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, value)
    if value == "auto:":
        assert approximate_from() == 1_000_000
        return
    with pytest.raises(UnknownIndexEngine, match="auto:NUMBER"):
        approximate_from()
