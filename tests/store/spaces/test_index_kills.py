"""A process that is killed before any flush, rename, link, deletion or transaction leaves an index that works.

Publishing an index, building its inverted lists, merging its changes and dropping the lists are killed at every step.
So is what publishes an index after it has changed the library: an import, and the removal of pictures and of a space.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from core.errors import PathNotIndexed, SpaceDropped
from store import Library
from store.catalog.tables import Picture
from store.check import verify
from store.exchange import ImportSettings, import_vectors, open_vectors
from store.forget import forget
from store.library import Writer
from store.spaces import approximation, generation_files, index_cache
from store.spaces.approximation import update_approximation
from store.spaces.drop import forget_space
from store.spaces.embeddings import searchable_ids
from store.spaces.flat_index import FlatIndex
from store.spaces.index_engines import ENGINE_VARIABLE
from store.spaces.layered_index import LayeredIndex
from store.spaces.registry import StoredSpace, list_spaces
from tests.support.announced import index_files
from tests.support.writers import lose, publish

pytestmark = pytest.mark.sqlite("copies the folder of a library that is open, in a process that is killed")

Put = Callable[..., list[int]]
MAX_STEPS = 200


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def _early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use inverted lists from 40 vectors, with any recall."""
    monkeypatch.setenv(ENGINE_VARIABLE, "auto:40")
    monkeypatch.setattr(approximation, "MIN_RECALL", 0)


@contextmanager
def killed_before(step: int) -> Iterator[list[int]]:
    """Raise `Killed` instead of the durable operation number `step`, and of all after it; yield the number of each."""
    done: list[int] = []

    def before(original: Callable[..., object]) -> Callable[..., object]:
        def run(*arguments: object, **named: object) -> object:
            done.append(len(done))
            if len(done) > step:
                raise Killed
            return original(*arguments, **named)

        return run

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((os, "fsync"), (os, "link"), (Path, "replace"), (Path, "unlink"), (Writer, "transaction")):
            patch.setattr(owner, name, before(getattr(owner, name)))
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # a killed process cleans up nothing
        yield done


def first_index(library: Library, stored: StoredSpace, put: Put) -> None:
    put(*range(1, 61))


def changed_index(library: Library, stored: StoredSpace, put: Put) -> None:
    contents = put(*range(1, 31))
    publish(library, stored)
    put(*range(100, 105))
    lose(library, contents[:5])


def first_lists(library: Library, stored: StoredSpace, put: Put) -> None:
    put(*range(1, 61))
    publish(library, stored)


def changed_layers(library: Library, stored: StoredSpace, put: Put) -> None:
    contents = put(*range(1, 61))
    publish(library, stored)
    assert update_approximation(library, stored)
    put(*range(200, 210))
    lose(library, contents[:9])


def merge(library: Library, stored: StoredSpace, put: Put) -> None:
    changed_layers(library, stored, put)
    publish(library, stored)


def drop(library: Library, stored: StoredSpace, put: Put) -> None:
    contents = put(*range(1, 61))
    publish(library, stored)
    assert update_approximation(library, stored)
    lose(library, contents[:40])
    publish(library, stored)


CASES: list[tuple[Callable[..., None], Callable[..., object], type, bool]] = [
    (first_index, publish, FlatIndex, False),
    (first_index, publish, FlatIndex, True),
    (changed_index, publish, FlatIndex, False),
    (changed_index, publish, FlatIndex, True),
    (first_lists, update_approximation, LayeredIndex, False),
    (changed_layers, publish, LayeredIndex, False),
    (merge, update_approximation, LayeredIndex, False),
    (drop, update_approximation, FlatIndex, False),
    (drop, update_approximation, FlatIndex, True),
]


@pytest.mark.parametrize(
    ("prepare", "act", "expected", "blockwise"),
    CASES,
    ids=[f"{case[0].__name__}{'-blockwise' if case[3] else ''}" for case in CASES],
)
def test_a_process_killed_before_any_step_leaves_a_working_index(
    library: Library,
    stored: StoredSpace,
    put: Put,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepare: Callable[..., None],
    act: Callable[..., object],
    expected: type,
    blockwise: bool,
) -> None:
    prepare(library, stored, put)
    if blockwise:
        monkeypatch.setattr(generation_files, "BLOCKWISE_FROM", 1)
    with library.read() as connection:
        ids = searchable_ids(connection, stored)
    for step in count():
        shutil.copytree(library.path, tmp_path / "killed")
        with Library.open(tmp_path / "killed") as killed:
            is_finished = False
            with killed_before(step) as done:
                try:
                    act(killed, stored)
                    is_finished = len(done) <= step
                except Killed:
                    pass
            current = index_cache.load(killed, stored)
            assert current.fault is None
            np.testing.assert_array_equal(np.sort(current.index.ids()), ids)
            publish(killed, stored)  # as the next index run does
            act(killed, stored)
            after = index_cache.load(killed, stored)
            assert (after.published, after.fault, type(after.index)) == (True, None, expected)
            np.testing.assert_array_equal(np.sort(after.index.ids()), ids)
            assert len(index_files(killed)) == (5 if expected is LayeredIndex else 1)
            assert verify(killed) == []
        shutil.rmtree(tmp_path / "killed")
        if is_finished:
            break
        assert step < MAX_STEPS
    assert step > 3


def import_some(library: Library) -> None:
    source = library.path.parent / "vectors.npy"
    np.save(source, np.eye(5, dtype=np.float32))
    with suppress(SpaceDropped):
        import_vectors(library, open_vectors(source), "elsewhere", ImportSettings(replace=True))


def forget_one(library: Library) -> None:
    with suppress(PathNotIndexed):  # the process was killed after that
        forget(library, library.path.parent.parent / "photos" / "0003.png")


def drop_other(library: Library) -> None:
    for summary in list_spaces(library, unfinished=True):
        if not summary.is_active:
            forget_space(library, summary.stored)


@pytest.mark.parametrize(
    ("act", "pictures", "blockwise"), [(import_some, 15, True), (forget_one, 9, False), (drop_other, 11, False)]
)
def test_a_change_that_is_killed_before_any_step_leaves_working_indexes(
    library: Library,
    stored: StoredSpace,
    put: Put,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Library], None],
    pictures: int,
    blockwise: bool,
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, "flat")
    if blockwise:
        monkeypatch.setattr(generation_files, "BLOCKWISE_FROM", 1)
    put(*range(1, 11))
    publish(library, stored)
    if act is drop_other:
        import_some(library)
        put(20)  # the file of the other space is written, too
    for step in count():
        (tmp_path / "at").mkdir()
        shutil.copytree(library.path, tmp_path / "at" / "killed")
        with Library.open(tmp_path / "at" / "killed") as killed:
            is_finished = False
            with killed_before(step) as done:
                try:
                    act(killed)
                    is_finished = len(done) <= step
                except Killed:
                    pass
            assert verify(killed) == []
            act(killed)
            index_cache.publish_all(killed)
            assert verify(killed) == []
            spaces = list_spaces(killed, unfinished=True)
            assert len(spaces) == (2 if act is import_some else 1)
            assert all(index_cache.load(killed, each.stored).published for each in spaces)
            assert len(list(killed.indexes.iterdir())) == len(spaces)
            assert count_pictures(killed) == pictures
        shutil.rmtree(tmp_path / "at")
        if is_finished:
            break
        assert step < MAX_STEPS
    assert step > 3


def count_pictures(library: Library) -> int:
    with library.read() as connection:
        return connection.scalar(select(func.count()).select_from(Picture)) or 0
