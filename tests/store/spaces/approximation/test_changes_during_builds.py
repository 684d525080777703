"""Changes of the library while inverted lists are built or merged."""

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import Connection, delete, func, select, update

from store import Library
from store.catalog.id_sets import Ids
from store.catalog.tables import Embedding, IndexGeneration, VectorChange
from store.check import verify
from store.library import mark_changed
from store.spaces import approximation, current_index, index_cache
from store.spaces.approximation import update_approximation
from store.spaces.embeddings import searchable_ids
from store.spaces.flat_index import FlatIndex
from store.spaces.layer_files import check_files
from store.spaces.registry import StoredSpace
from tests.support.inverted_lists import Fill, N, layered
from tests.support.writers import lose, publish

WhileBuilt = Callable[[Callable[[], object]], None]


@pytest.fixture
def while_built(monkeypatch: pytest.MonkeyPatch) -> WhileBuilt:
    """Return a function that sets what happens during the next builds, before vectors are added to the lists."""

    def during(act: Callable[[], object]) -> None:
        encode = approximation._encode

        def act_then_encode(*arguments: object) -> None:
            act()
            encode(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(approximation, "_encode", act_then_encode)

    return during


def test_a_base_that_was_replaced_during_the_build_is_not_announced(
    library: Library, stored: StoredSpace, fill: Fill, while_built: WhileBuilt
) -> None:
    fill(N)
    publish(library, stored)
    while_built(lambda: publish(library, stored, rebuild=True))
    assert not update_approximation(library, stored)
    assert isinstance(index_cache.load(library, stored).index, FlatIndex)
    assert verify(library) == []


def test_changes_during_a_merge_are_kept(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill, while_built: WhileBuilt
) -> None:
    fill(100)
    publish(library, stored)

    def change() -> None:
        fill(10)
        lose(library, built[:5])
        publish(library, stored)

    while_built(change)
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
    library: Library,
    stored: StoredSpace,
    fill: Fill,
    while_built: WhileBuilt,
    monkeypatch: pytest.MonkeyPatch,
    feed_is_cut_off: bool,
) -> None:
    ids = fill(N)
    publish(library, stored)
    compared = list[bool]()

    def change() -> None:
        fill(7)
        lose(library, ids[:3])
        if feed_is_cut_off:
            with library.transaction() as connection:
                last = select(func.max(VectorChange.id)).scalar_subquery()
                connection.execute(delete(VectorChange).where(VectorChange.id < last))

    def noted(connection: Connection, space: StoredSpace) -> Ids:
        compared.append(True)
        return searchable_ids(connection, space)

    while_built(change)
    monkeypatch.setattr(current_index, "searchable_ids", noted)
    assert update_approximation(library, stored)
    assert compared == [True] * feed_is_cut_off
    index = layered(library, stored)
    assert (len(index), index.changes) == (N + 4, 10)
    assert verify(library) == []


def test_vectors_that_are_replaced_during_a_merge_stay_replaced(
    library: Library, stored: StoredSpace, built: list[int], fill: Fill, while_built: WhileBuilt
) -> None:
    fill(100)
    publish(library, stored)
    axis = np.zeros(stored.space.dim, np.float32)
    axis[0] = 1

    def replace() -> None:
        with library.transaction() as connection:
            same = Embedding.content_id == built[0]
            connection.execute(update(Embedding).where(same).values(vector=stored.to_bytes(axis)))
            connection.execute(delete(IndexGeneration))  # as `add_vectors` does
            mark_changed(connection)
        names_before = {path.name for path in library.indexes.glob("*.faiss")}
        publish(library, stored)
        assert {path.name for path in library.indexes.glob("*.faiss")} == names_before  # the first generation again

    while_built(replace)
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
