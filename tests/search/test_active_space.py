"""The active space changes during searches: every answer comes from exactly one space."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads

import pytest

from core.errors import InvalidQuery, ModelUnavailable, SpaceDropped, SpaceMismatch, UnknownSpace
from core.space import Space
from encoders import registry
from encoders.base import Encoder
from encoders.fake import FakeEncoder
from encoders.mini.encoder import MiniEncoder
from encoders.placement import Placement
from indexer import fill, index
from search import Filters, Query, Searcher, SearchOptions, pipeline
from search import active_space as view_module
from search.active_space import ActiveSpace
from search.results import Hit
from store import Library
from store.catalog.id_sets import Ids
from store.spaces.drop import forget_space
from store.spaces.registry import StoredSpace, activate, named_space
from tests.support.indexing import copied_library

Answer = list[tuple[str, float]]


@pytest.fixture(scope="session")
def both_once(tmp_path_factory: pytest.TempPathFactory, indexed_once: Path) -> Path:
    """The library of the fixture `both`, to be copied."""
    path = tmp_path_factory.mktemp("both") / "library"
    shutil.copytree(indexed_once, path)
    with Library.open(path) as opened:
        fill(opened, MiniEncoder())
        flip(opened, "fake")
    return path


@pytest.fixture
def both(tmp_path: Path, both_once: Path, album: Path) -> Iterator[Library]:
    """Four pictures in the spaces of two models; `fake` is active."""
    with copied_library(both_once, tmp_path / "library", album) as opened:
        yield opened


def flip(library: Library, name: str) -> StoredSpace:
    stored = named_space(library, name)
    with library.transaction() as connection:
        activate(connection, stored)
    return stored


def ask(searcher: Searcher) -> Answer:
    return [(hit.path.name, round(hit.score, 5)) for hit in searcher.search("red")]


def test_searcher_follows_active_space(both: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_module, "SWITCH_TIMEOUT", 60.0)  # a slow machine takes longer to load a model
    following = Searcher(both)
    fake, mini = (ask(Searcher(both, space=name)) for name in ("fake", "mini"))
    assert fake != mini
    assert ask(following) == fake
    assert following.search("red")[0].relevance is None
    for name, answer in [("mini", mini), ("fake", fake), ("mini", mini)]:
        stored = flip(both, name)
        assert ask(following) == answer
        assert following.space == stored
    assert (
        following.search("a red car stands in front of a house")[0].relevance is not None
    )  # what scores mean has come along


def test_searcher_keeps_given_space_or_encoder(both: Library) -> None:
    by_name, by_encoder = Searcher(both, space="fake"), Searcher(both, FakeEncoder())
    by_print = Searcher(both, space=FakeEncoder().space.fingerprint[:10])
    answer = ask(by_name)
    flip(both, "mini")
    assert ask(by_name) == ask(by_encoder) == ask(by_print) == answer


def test_encoder_of_another_space_raises(both: Library) -> None:
    with pytest.raises(SpaceMismatch):
        Searcher(both, FakeEncoder(), space="mini")
    with pytest.raises(SpaceMismatch):
        Searcher(both, MiniEncoder())  # which does not answer now
    with pytest.raises(UnknownSpace):
        Searcher(both, space="nope")


class Slow:
    """A model loader that waits until it is `released`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, patience: float) -> None:
        self.loading, self.released = Event(), Event()
        self._load_for = registry.load_for_space
        monkeypatch.setattr(registry, "load_for_space", self._slowly)
        monkeypatch.setattr(view_module, "SWITCH_TIMEOUT", patience)

    def _slowly(self, space: Space, placement: Placement) -> Encoder:
        self.loading.set()
        assert self.released.wait(60)
        return self._load_for(space, placement)

    def finish(self) -> None:
        self.released.set()
        for thread in enumerate_threads():
            if thread.name == "sightline-space":
                thread.join(60)


def test_other_threads_use_old_space_while_model_loads(both: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    following, fake, mini = Searcher(both), *(ask(Searcher(both, space=name)) for name in ("fake", "mini"))
    slow = Slow(monkeypatch, patience=10)
    flip(both, "mini")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, following)
        assert slow.loading.wait(60)
        assert ask(following) == fake
        slow.finish()
        assert first.result() == mini
    assert ask(following) == mini


def test_search_does_not_wait_for_slow_model(both: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    following, fake, mini = Searcher(both), *(ask(Searcher(both, space=name)) for name in ("fake", "mini"))
    slow = Slow(monkeypatch, patience=0.01)
    flip(both, "mini")
    assert [ask(following) for _ in range(3)] == [fake] * 3
    slow.finish()
    assert ask(following) == mini


def test_change_reverted_while_model_loads(
    both: Library, album: Path, paint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    following = Searcher(both)
    slow = Slow(monkeypatch, patience=0.01)
    flip(both, "mini")
    assert len(ask(following)) == 4
    flip(both, "fake")
    paint(album / "white.png", "white")
    index(both, [album], FakeEncoder())
    assert len(ask(following)) == 5  # without waiting for a model that is not wanted any more
    slow.finish()
    assert following.space.space.model == "fake"
    assert len(ask(following)) == 5


def test_search_waits_for_new_pictures(both: Library, album: Path, paint: Callable[..., Path]) -> None:
    """A search never uses an outdated index of the current space."""
    following = Searcher(both)
    paint(album / "white.png", "white")
    index(both, [album], FakeEncoder())
    with ThreadPoolExecutor(4) as pool:
        assert {len(answer) for answer in pool.map(lambda _: ask(following), range(8))} == {5}


def test_dropped_space(both: Library) -> None:
    following, pinned = Searcher(both), Searcher(both, space="fake")
    mini = ask(Searcher(both, space="mini"))
    forget_space(both, named_space(both, "fake"))
    assert ask(following) == mini  # as the other one answers now
    with pytest.raises(SpaceDropped, match="was dropped"):
        ask(pinned)
    forget_space(both, named_space(both, "mini"))
    with pytest.raises(InvalidQuery, match="Nothing is indexed"):
        ask(following)


@pytest.mark.parametrize("ask_in", ["search", "many", "similar"])
def test_space_dropped_during_filtered_search(
    both: Library, album: Path, monkeypatch: pytest.MonkeyPatch, ask_in: str
) -> None:
    """A space is dropped before its filter is applied: the answer comes from the other space."""
    within = Filters(within=(album,))
    ways: dict[str, Callable[[Searcher], Sequence[Hit]]] = {
        "search": lambda searcher: searcher.search("red", SearchOptions(filters=within)),
        "many": lambda searcher: searcher.search_many([("red", SearchOptions(filters=within))])[0],
        "similar": lambda searcher: searcher.similar(album / "red.png", SearchOptions(filters=within)),
    }
    ask_within = ways[ask_in]
    following, pinned = Searcher(both), Searcher(both, space="fake")
    mini = [(hit.id, hit.score) for hit in ask_within(Searcher(both, space="mini"))]
    before = pipeline._candidates

    def dropped_first(library: Library, space: ActiveSpace, options: SearchOptions) -> Ids | None:
        if space.stored.space.model == "fake":
            forget_space(both, space.stored)
        return before(library, space, options)

    monkeypatch.setattr(pipeline, "_candidates", dropped_first)
    assert mini
    assert [(hit.id, hit.score) for hit in ask_within(following)] == mini
    with pytest.raises(SpaceDropped):
        ask_within(pinned)


def test_searcher_exposes_its_encoder(both: Library) -> None:
    searcher = Searcher(both)
    assert searcher.encoder.space.model == "fake"
    flip(both, "mini")
    assert searcher.embed(Query.of("red")).shape == (searcher.encoder.space.dim,)
    assert searcher.encoder.space.model == "mini"


def test_stored_pictures_are_searchable_without_model(
    both: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = Searcher(both)

    def gone(space: Space, placement: Placement) -> Encoder:
        raise ModelUnavailable(space.model, "its files", "put them back")

    monkeypatch.setattr(registry, "load_for_space", gone)
    flip(both, "mini")
    with pytest.raises(ModelUnavailable, match="put them back"):
        ask(following)
    assert len(following.similar(album / "red.png")) == 3
    flip(both, "fake")
    with pytest.raises(ModelUnavailable):
        ask(following)
    monkeypatch.undo()
    flip(both, "mini")
    assert len(ask(following)) == 4
