"""Another model for a library that goes on being used: its space is filled beside the one that answers."""

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
from store.forget import forget
from store.library import Writer
from store.queries import list_failures
from store.spaces import index_cache, space_fill
from store.spaces.coverage import Coverage, count_unavailable, coverage
from store.spaces.drop import drop_space, forget_space
from store.spaces.index_cache import CurrentIndex
from store.spaces.registry import StoredSpace, active_space, list_spaces

Paint = Callable[..., Path]


class Mirrored(FakeEncoder):
    """Another model: it sees the same colours, with red and blue swapped. `before` is called ahead of each batch."""

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
    """Four pictures in the space of the colours."""
    index(library, [album], encoder)
    return library


def active(library: Library) -> str:
    stored = active_space(library)
    assert stored is not None
    return stored.space.model


def vectors(library: Library) -> dict[str, int]:
    return {summary.stored.space.model: summary.vectors for summary in list_spaces(library)}


def test_a_library_changes_its_model(filled: Library, album: Path) -> None:
    mirrored = Mirrored()
    done = fill(filled, mirrored)
    assert (done.embedded, done.switched, done.coverage) == (4, True, Coverage(4, 4, 0))
    assert active(filled) == "mirrored"
    assert vectors(filled) == {"fake": 4, "mirrored": 4}
    assert verify(filled) == []
    assert index_cache.load(filled, done.stored).published  # the first search need not make the index
    (hit,) = Searcher(filled, mirrored).search("red", k=1)
    assert (hit.path.name, round(hit.score, 3)) == ("red.png", 1)


def test_the_way_back_costs_only_what_came_since(filled: Library, album: Path, paint: Paint) -> None:
    fill(filled, Mirrored())
    assert fill(filled, FakeEncoder()).embedded == 0
    assert active(filled) == "fake"
    paint(album / "white.png", "white")
    index(filled, [album], FakeEncoder())
    again = Mirrored()
    assert fill(filled, again).embedded == again.embedded == 1
    assert vectors(filled) == {"fake": 5, "mirrored": 5}


def test_a_space_can_be_built_without_being_used(filled: Library) -> None:
    done = fill(filled, Mirrored(), FillSettings(switch=False))
    assert (active(filled), done.switched, space_fill.fillings(filled)) == ("fake", False, {})


def test_a_run_that_is_stopped_keeps_what_it_did_and_goes_on(filled: Library, album: Path) -> None:
    def stop() -> None:
        if stopped.embedded:
            raise KeyboardInterrupt

    stopped = Mirrored(before=stop)
    with pytest.raises(KeyboardInterrupt):
        fill(filled, stopped)
    assert (active(filled), vectors(filled)) == ("fake", {"fake": 4, "mirrored": 2})
    assert list(space_fill.fillings(filled).values()) == ["stopped"]
    assert verify(filled) == []
    assert len(Searcher(filled, space="mirrored", encoder=Mirrored())) == 2  # a half can be asked, too
    again = Mirrored()
    assert fill(filled, again).embedded == again.embedded == 2
    assert (active(filled), space_fill.fillings(filled)) == ("mirrored", {})


def test_what_comes_in_meanwhile_is_there_when_the_new_space_answers(
    filled: Library, album: Path, paint: Paint
) -> None:
    """The writer lock is free most of the time; a second process would do the same."""
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


def test_what_comes_in_at_the_last_moment_is_there_too(filled: Library, album: Path, paint: Paint) -> None:
    class Late(Progress):
        def publish(self) -> None:
            if not (album / "white.png").exists():
                paint(album / "white.png", "white")
                with Library.open(filled.path) as other:
                    index(other, [album], FakeEncoder())

    assert fill(filled, Mirrored(), progress=Late()).coverage == Coverage(5, 5, 0)


def test_the_last_step_lets_nobody_else_write(
    filled: Library, album: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes in after the last look would be lacking in the space that answers."""
    locked: list[bool] = []

    def come_in(writer: Writer, stored: StoredSpace) -> CurrentIndex:
        with Library.open(filled.path) as other, other.exclusive_if_free() as another:
            locked.append(another is None)
        return publish(writer, stored)

    publish = index_cache.publish
    monkeypatch.setattr(index_cache, "publish", come_in)
    fill(filled, Mirrored())
    assert locked == [True, True]


def test_files_that_cannot_be_read_do_not_stand_in_the_way(filled: Library, album: Path, paint: Paint) -> None:
    (album / "red.png").unlink()
    paint(album / "green.png", "white", (16, 16))  # changed: the next index run takes it
    done = fill(filled, Mirrored(), FillSettings(accept_missing=True))
    assert (done.embedded, done.coverage.missing, done.switched) == (2, 2, True)
    summary = index(filled, [album], Mirrored())
    assert (summary.changed, summary.missing, summary.embedded) == (1, 1, 1)
    assert count_unavailable(filled, done.stored) == 1  # the missing one has its old vector
    assert verify(filled) == []


def test_a_copy_stands_in_for_a_file_that_is_gone(filled: Library, album: Path) -> None:
    shutil.copy(album / "red.png", album / "zinnober.png")
    index(filled, [album], FakeEncoder())
    (album / "red.png").unlink()
    assert fill(filled, Mirrored()).coverage == Coverage(4, 4, 0)


def test_names_that_are_not_utf8(filled: Library, album: Path, paint: Paint) -> None:
    paint(album / os.fsdecode(b"caf\xe9.png"), "white")
    index(filled, [album], FakeEncoder())
    assert fill(filled, Mirrored()).coverage == Coverage(5, 5, 0)


def test_a_library_never_becomes_empty(filled: Library, album: Path) -> None:
    album.rename(album.with_name("unmounted"))
    with pytest.raises(SpaceIncomplete, match=r"0 of 4 pictures.*is it mounted") as caught:
        fill(filled, Mirrored())
    assert caught.value.away == (album,)
    assert active(filled) == "fake"
    album.with_name("unmounted").rename(album)
    assert fill(filled, Mirrored()).switched


def test_a_folder_that_is_not_mounted_stops_the_switch_even_if_it_is_small(
    filled: Library, album: Path, paint: Paint, tmp_path: Path
) -> None:
    paint(tmp_path / "stick" / "white.png", "white")
    index(filled, [tmp_path / "stick"], FakeEncoder())
    (tmp_path / "stick" / "white.png").unlink()  # what is left of a stick is an empty folder
    with pytest.raises(SpaceIncomplete):
        fill(filled, Mirrored())
    assert vectors(filled)["mirrored"] == 4
    assert fill(filled, Mirrored(), FillSettings(accept_missing=True)).switched


def test_a_model_that_embeds_nothing_never_answers(filled: Library) -> None:
    class Broken(Mirrored):
        def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
            return super().forward_images(pixels) * np.float32(np.nan)

    with pytest.raises(SpaceIncomplete, match="0 of 4"):
        fill(filled, Broken())
    assert active(filled) == "fake"
    assert {failure.space for failure in list_failures(filled)} == {"mirrored"}
    assert len(list_failures(filled)) == 4


def test_what_is_forgotten_meanwhile_stays_forgotten(filled: Library, album: Path) -> None:
    def forget_one() -> None:
        if not slow.embedded:
            with filled.exclusive() as writer:
                forget(writer, album / "blue.png")

    slow = Mirrored(before=forget_one)
    assert fill(filled, slow).coverage == Coverage(3, 3, 0)
    assert verify(filled) == []


def test_a_space_that_is_dropped_meanwhile_is_not_made_again(filled: Library) -> None:
    def drop() -> None:
        if slow.embedded == 2:
            with pytest.raises(SpaceInUse, match="another process"), filled.exclusive() as writer:
                forget_space(writer, stored)
            with filled.transaction() as connection:  # somebody who does not ask
                drop_space(connection, stored)

    slow = Mirrored(before=drop)
    with filled.exclusive() as writer:
        stored = space_fill.begin(writer, slow.space)
    with pytest.raises(SpaceDropped, match=r"mirrored .* was dropped"):
        fill(filled, slow)
    assert (active(filled), vectors(filled)) == ("fake", {"fake": 4})
    with filled.exclusive() as writer:
        assert repair(writer) == []


def test_progress_is_told(filled: Library) -> None:
    class Noted(Progress):
        def __init__(self) -> None:
            self.told: list[tuple[str, int]] = []

        def begin(self, files: int) -> None:
            self.told.append(("begin", files))

        def advance(self, files: int) -> None:
            self.told.append(("advance", files))

    noted = Noted()
    fill(filled, Mirrored(), progress=noted)
    assert noted.told == [("begin", 4), ("advance", 2), ("advance", 2), ("begin", 0)]


def test_two_at_once_embed_every_picture_once(filled: Library) -> None:
    from concurrent.futures import ThreadPoolExecutor

    begun = Event()

    class Waited(Progress):
        def waiting(self) -> None:
            begun.set()

    def run(mirrored: Mirrored) -> int:
        with Library.open(filled.path) as opened:
            return fill(opened, mirrored, progress=Waited()).embedded

    def hold() -> None:
        assert begun.wait(10)

    first, second = Mirrored(before=hold), Mirrored()
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(run, first)
        while not list_spaces(filled)[1:]:
            pass
        two = pool.submit(run, second)
        assert sorted([one.result(), two.result()]) == [0, 4]
    assert first.embedded + second.embedded == 4
    assert begun.is_set()


def test_an_empty_library_can_change_its_model(library: Library, tmp_path: Path) -> None:
    os.mkdir(tmp_path / "empty")  # noqa: PTH102
    index(library, [tmp_path / "empty"], FakeEncoder())
    assert fill(library, Mirrored()).coverage == Coverage(0, 0, 0)
    assert active(library) == "mirrored"


def test_nothing_is_read_of_a_picture_that_is_there(filled: Library, album: Path) -> None:
    done = fill(filled, Mirrored())
    assert coverage(filled, done.stored).is_complete
    with filled.read() as connection:
        held = select(func.count()).where(Embedding.space_id == done.stored.id)
        assert connection.scalar(held) == 4
    again = Mirrored()
    fill(filled, again)
    assert again.embedded == 0
