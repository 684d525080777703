"""Changing the model of a library that is in use: its space is filled while searches use the old one."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import func, select

from core.errors import SpaceDropped, SpaceIncomplete, SpaceInUse
from core.space import Space
from encoders.fake import FakeEncoder
from indexer import FillSettings, Progress, fill, index
from search import Searcher
from store import Library
from store.catalog.tables import Embedding
from store.check import repair, verify
from store.failures import list_failures
from store.forget import forget
from store.library import Writer
from store.spaces import index_cache, space_fill
from store.spaces.coverage import Coverage, count_unavailable, coverage
from store.spaces.drop import drop_space, forget_space
from store.spaces.registry import StoredSpace, active_space, list_spaces

Paint = Callable[..., Path]


class Mirrored(FakeEncoder):
    """Another model: it has red and blue swapped. `before` is called before each batch."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        super().__init__(batch_size=2)
        self.space = Space("mirrored", "none", 13, self.space.preprocessing)
        self.embedded = 0
        self.before = before

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        self.before()
        self.embedded += len(pixels)
        return super().forward_images(pixels[:, ::-1])

    def forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        swapped = {"red": "blue", "blue": "red"}
        return super().forward_texts([swapped.get(text, text) for text in texts])


@pytest.fixture
def filled(library: Library, album: Path, encoder: FakeEncoder) -> Library:
    """A library with four pictures in the space of `FakeEncoder`."""
    index(library, [album], encoder)
    return library


def active(library: Library) -> str:
    stored = active_space(library)
    assert stored is not None
    return stored.space.model


def vectors_by_path(library: Library) -> dict[str, int]:
    return {summary.stored.space.model: summary.vectors for summary in list_spaces(library)}


def test_fill_embeds_all_pictures_and_switches(filled: Library, album: Path) -> None:
    mirrored = Mirrored()
    done = fill(filled, mirrored)
    assert (done.embedded, done.switched, done.coverage) == (4, True, Coverage(4, 4, 0))
    assert active(filled) == "mirrored"
    assert vectors_by_path(filled) == {"fake": 4, "mirrored": 4}
    assert verify(filled) == []
    assert index_cache.load(filled, done.stored).published  # the first search does not have to build the index
    (hit,) = Searcher(filled, mirrored).search("red", k=1)
    assert (hit.path.name, round(hit.score, 3)) == ("red.png", 1)


def test_switching_back_embeds_only_new_pictures(filled: Library, album: Path, paint: Paint) -> None:
    fill(filled, Mirrored())
    assert fill(filled, FakeEncoder()).embedded == 0
    assert active(filled) == "fake"
    paint(album / "white.png", "white")
    index(filled, [album], FakeEncoder())
    again = Mirrored()
    assert fill(filled, again).embedded == again.embedded == 1
    assert vectors_by_path(filled) == {"fake": 5, "mirrored": 5}


def test_fill_without_switch_keeps_the_active_space(filled: Library) -> None:
    done = fill(filled, Mirrored(), FillSettings(switch=False))
    assert (active(filled), done.switched, space_fill.fill_states(filled)) == ("fake", False, {})


def test_interrupted_fill_keeps_vectors_and_continues(filled: Library, album: Path) -> None:
    def stop() -> None:
        if stopped.embedded:
            raise KeyboardInterrupt

    stopped = Mirrored(before=stop)
    with pytest.raises(KeyboardInterrupt):
        fill(filled, stopped)
    assert (active(filled), vectors_by_path(filled)) == ("fake", {"fake": 4, "mirrored": 2})
    assert list(space_fill.fill_states(filled).values()) == ["stopped"]
    assert verify(filled) == []
    assert len(Searcher(filled, space="mirrored", encoder=Mirrored())) == 2  # an incomplete space can be searched
    again = Mirrored()
    assert fill(filled, again).embedded == again.embedded == 2
    assert (active(filled), space_fill.fill_states(filled)) == ("mirrored", {})


def test_pictures_indexed_during_fill_are_embedded_before_the_switch(
    filled: Library, album: Path, paint: Paint
) -> None:
    """The library is not locked most of the time; a second process would do the same."""
    waits: list[bool] = []

    def come_in() -> None:
        with Library.open(filled.path) as other, other.exclusive_if_free() as writer:
            waits.append(writer is None)
        if slow.embedded == 2:
            paint(album / "white.png", "white")
            index(filled, [album], FakeEncoder())

    slow = Mirrored(before=come_in)
    done = fill(filled, slow)
    assert (done.embedded, done.coverage) == (5, Coverage(5, 5, 0))
    assert waits[0] is False
    assert [hit.path.name for hit in Searcher(filled, slow).search("white", k=1)] == ["white.png"]


def test_pictures_indexed_before_the_last_step_are_embedded(filled: Library, album: Path, paint: Paint) -> None:
    class Late(Progress):
        def publish(self) -> None:
            if not (album / "white.png").exists():
                paint(album / "white.png", "white")
                with Library.open(filled.path) as other:
                    index(other, [album], FakeEncoder())

    assert fill(filled, Mirrored(), progress=Late()).coverage == Coverage(5, 5, 0)


def test_last_step_excludes_other_writers(
    filled: Library, album: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures added after the last check would be missing from the new space."""
    locked: list[bool] = []

    def come_in(writer: Writer, stored: StoredSpace, *, switch: bool) -> None:
        with Library.open(filled.path) as other, other.exclusive_if_free() as another:
            locked.append(another is None)
        end(writer, stored, switch=switch)

    end = space_fill.end
    monkeypatch.setattr(space_fill, "end", come_in)
    fill(filled, Mirrored())
    assert locked == [True]


def test_unreadable_files_do_not_prevent_the_switch(filled: Library, album: Path, paint: Paint) -> None:
    (album / "red.png").unlink()
    paint(album / "green.png", "white", (16, 16))  # changed: left to the next index run
    done = fill(filled, Mirrored(), FillSettings(accept_missing=True))
    assert (done.embedded, done.coverage.missing, done.switched) == (2, 2, True)
    summary = index(filled, [album], Mirrored())
    assert (summary.changed, summary.missing, summary.embedded) == (1, 1, 1)
    assert count_unavailable(filled, done.stored) == 1  # the missing one has a vector in the old space
    assert verify(filled) == []


def test_fill_reads_a_copy_of_a_missing_file(filled: Library, album: Path) -> None:
    shutil.copy(album / "red.png", album / "zinnober.png")
    index(filled, [album], FakeEncoder())
    (album / "red.png").unlink()
    assert fill(filled, Mirrored()).coverage == Coverage(4, 4, 0)


def test_fill_reads_file_names_that_are_not_utf8(filled: Library, album: Path, paint: Paint) -> None:
    paint(album / os.fsdecode(b"caf\xe9.png"), "white")
    index(filled, [album], FakeEncoder())
    assert fill(filled, Mirrored()).coverage == Coverage(5, 5, 0)


def test_fill_refuses_to_switch_without_files(filled: Library, album: Path) -> None:
    album.rename(album.with_name("unmounted"))
    with pytest.raises(SpaceIncomplete, match=r"0 of 4 pictures.*is it mounted") as caught:
        fill(filled, Mirrored())
    assert caught.value.away == (album,)
    assert active(filled) == "fake"
    album.with_name("unmounted").rename(album)
    assert fill(filled, Mirrored()).switched


def test_unmounted_folder_prevents_the_switch_even_if_small(
    filled: Library, album: Path, paint: Paint, tmp_path: Path
) -> None:
    paint(tmp_path / "stick" / "white.png", "white")
    index(filled, [tmp_path / "stick"], FakeEncoder())
    (tmp_path / "stick" / "white.png").unlink()  # after unmounting, an empty folder is left
    with pytest.raises(SpaceIncomplete):
        fill(filled, Mirrored())
    assert vectors_by_path(filled)["mirrored"] == 4
    assert fill(filled, Mirrored(), FillSettings(accept_missing=True)).switched


def test_model_without_valid_vectors_is_not_activated(filled: Library) -> None:
    class Broken(Mirrored):
        def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
            return super().forward_images(pixels) * np.float32(np.nan)

    with pytest.raises(SpaceIncomplete, match="0 of 4"):
        fill(filled, Broken())
    assert active(filled) == "fake"
    assert {failure.space for failure in list_failures(filled)} == {"mirrored"}
    assert len(list_failures(filled)) == 4


def test_pictures_forgotten_during_fill_stay_forgotten(filled: Library, album: Path) -> None:
    def forget_one() -> None:
        if not slow.embedded:
            forget(filled, album / "blue.png")

    slow = Mirrored(before=forget_one)
    assert fill(filled, slow).coverage == Coverage(3, 3, 0)
    assert verify(filled) == []


def test_space_dropped_during_fill_is_not_created_again(filled: Library) -> None:
    def drop() -> None:
        if slow.embedded == 2:
            with pytest.raises(SpaceInUse, match="another process"):
                forget_space(filled, stored)
            with filled.transaction() as connection:  # a process that ignores the lock
                drop_space(connection, stored)

    slow = Mirrored(before=drop)
    with filled.exclusive() as writer:
        stored = space_fill.begin(writer, slow.space)
    with pytest.raises(SpaceDropped, match=r"mirrored .* was dropped"):
        fill(filled, slow)
    assert (active(filled), vectors_by_path(filled)) == ("fake", {"fake": 4})
    assert repair(filled) == []


def test_fill_reports_progress(filled: Library) -> None:
    class Noted(Progress):
        def __init__(self) -> None:
            self.told: list[tuple[str, int]] = []

        def begin(self, files: int) -> None:
            self.told.append(("begin", files))

        def advance(self, files: int) -> None:
            self.told.append(("advance", files))

    noted = Noted()
    fill(filled, Mirrored(), progress=noted)
    assert noted.told == [("begin", 4), ("advance", 2), ("advance", 2), *2 * [("begin", 0)]]


def test_concurrent_fills_embed_every_picture_once(filled: Library) -> None:
    from concurrent.futures import ThreadPoolExecutor

    begun = Event()

    class Waited(Progress):
        def waiting(self) -> None:
            begun.set()

    def run(mirrored: Mirrored) -> int:
        with Library.open(filled.path) as opened:
            return fill(opened, mirrored, progress=Waited()).embedded

    def hold() -> None:
        assert begun.wait(60)

    first, second = Mirrored(before=hold), Mirrored()
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(run, first)
        while not list_spaces(filled)[1:]:
            pass
        two = pool.submit(run, second)
        assert sorted([one.result(), two.result()]) == [0, 4]
    assert first.embedded + second.embedded == 4
    assert begun.is_set()


def test_fill_of_an_empty_library_switches(library: Library, tmp_path: Path) -> None:
    os.mkdir(tmp_path / "empty")  # noqa: PTH102
    index(library, [tmp_path / "empty"], FakeEncoder())
    assert fill(library, Mirrored()).coverage == Coverage(0, 0, 0)
    assert active(library) == "mirrored"


def test_fill_does_not_read_embedded_pictures(filled: Library, album: Path) -> None:
    done = fill(filled, Mirrored())
    assert coverage(filled, done.stored).is_complete
    with filled.read() as connection:
        held = select(func.count()).where(Embedding.space_id == done.stored.id)
        assert connection.scalar(held) == 4
    again = Mirrored()
    fill(filled, again)
    assert again.embedded == 0
