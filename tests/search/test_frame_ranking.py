"""Ranking contents with several frames, compared with a slow reference."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlalchemy import delete, insert

from core.frames import Frame, FrameKind
from encoders.fake import FakeEncoder
from search import Filters, Query, Searcher, SearchOptions
from search.active_space import ActiveSpace
from search.options import Sort
from search.paging import CursorPosition
from search.ranking import rank, rank_many
from search.ranking_request import RankingRequest
from search.results import Hit
from store import Library
from store.catalog.frame_ids import content_of, frame_id, number_of
from store.catalog.tables import Content, FrameRow, PerceptualHashRow, Picture, PictureState
from store.frames import EmbeddedFrames, add_frames
from store.library import mark_changed
from store.roots import ensure_root
from store.spaces import index_cache, mirrored_index
from store.spaces.flat_index import FlatIndex
from store.spaces.registry import activate, register
from store.spaces.torch_index import INDEX_DEVICE_VARIABLE, TorchIndex

DIM = 13
START = datetime(2020, 1, 1)  # noqa: DTZ001 (cameras know no time zone)

Rows = Sequence[NDArray[np.floating]]
"""The vectors (F, D) of the frames of each content."""


def add_contents(
    library: Library, rows: Rows, days: Sequence[int | None] = (), groups: Sequence[int] = ()
) -> tuple[ActiveSpace, list[int]]:
    """Add contents with these frames, taken on these days, in these groups of near-duplicates; return their IDs."""
    with library.exclusive() as writer:
        root = ensure_root(writer, library.path.parent / "photos")
        with writer.transaction() as connection:
            stored = register(connection, FakeEncoder().space)
            activate(connection, stored)
            ids = []
            for number, vectors in enumerate(rows):
                day = days[number] if days else None
                facts = {"digest": number.to_bytes(32), "size": 1, "format": "TIFF", "width": 8, "height": 8}
                taken = None if day is None else START.replace(day=day)
                statement = insert(Content).values(**facts, taken_at=taken).returning(Content.id)
                ids.append(int(connection.execute(statement).scalar_one()))
                file = {"relpath": b"%03d.tif" % number, "size": 1, "mtime_ns": 1, "state": PictureState.PRESENT}
                connection.execute(insert(Picture).values(root_id=root.root_id, content_id=ids[-1], **file))
                pages = [Frame(page, FrameKind.PAGE) for page in range(len(vectors))] if len(vectors) > 1 else []
                add_frames(connection, stored, {ids[-1]: EmbeddedFrames(pages, vectors)})
            for content_id, group in zip(ids, groups, strict=False):
                row = {"content_id": content_id, "version": 1, "bits": bytes(32), "anchor_id": ids[group]}
                connection.execute(insert(PerceptualHashRow).values(row))
            mark_changed(connection)
    current = index_cache.publish(library, stored)
    return ActiveSpace(stored, None, None, None, current), ids


class Case(NamedTuple):
    """A library of a few contents, and a request."""

    seed: int
    frames: list[int]
    """The number of frames of each content."""
    k: int
    every_frame: bool
    min_score: float | None
    is_filtered: bool
    is_excluding: bool

    def rows(self) -> Rows:
        """Return vectors, many of them equal."""
        rng = np.random.default_rng(self.seed)
        kinds = rng.standard_normal((6, DIM))
        kinds /= np.linalg.norm(kinds, axis=1, keepdims=True)
        return [kinds[rng.integers(0, len(kinds), number)] for number in self.frames]

    def request(self, ids: Sequence[int], sort: Sort = "relevance") -> RankingRequest:
        rng = np.random.default_rng(self.seed + 1)
        some = np.array([content_id for content_id in ids if rng.random() < 0.6], np.int64)
        return RankingRequest(
            k=self.k,
            digest="",
            sort=sort,
            min_score=self.min_score,
            candidates=some if self.is_filtered else None,
            exclude=frozenset(ids[::3]) if self.is_excluding else frozenset(),
            every_frame=self.every_frame,
        )


cases = st.builds(
    Case,
    seed=st.integers(0, 1000),
    frames=st.lists(st.sampled_from([1, 1, 2, 5]), min_size=1, max_size=14),
    k=st.integers(1, 5),
    every_frame=st.booleans(),
    min_score=st.sampled_from([None, 0.0, 0.2]),
    is_filtered=st.booleans(),
    is_excluding=st.booleans(),
)


def reference(
    scores: dict[int, float], request: RankingRequest, dates: dict[int, datetime] | None = None
) -> list[tuple[int, float]]:
    """Return the frames to show with their scores, in order, from the scores of all frames."""
    found = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
    shown, seen = [], set[int]()
    for frame, score in found:
        content = content_of(frame)
        if request.candidates is not None and content not in request.candidates:
            continue
        if content in request.exclude or (content in seen and not request.every_frame):
            continue
        if request.min_score is not None and score < request.min_score:
            continue
        seen.add(content)
        shown.append((frame, score))
    if dates is not None:
        age = {content: (START.replace(day=31) - date).days for content, date in dates.items()}
        shown.sort(key=lambda item: age.get(content_of(item[0]), 99))
    return shown


def all_pages(library: Library, space: ActiveSpace, vector: NDArray[np.float32], request: RankingRequest) -> list[Hit]:
    """Return the hits of all pages."""
    hits: list[Hit] = []
    while True:
        found = rank(library, space, vector, replace(request, shown=len(hits)))
        assert [hit.rank for hit in found] == list(range(len(hits) + 1, len(hits) + 1 + len(found)))
        hits += found[: request.k]
        if len(found) <= request.k:
            return hits
        last = hits[-1]
        date = last.taken_at if request.sort == "date" else None
        request = replace(request, after=CursorPosition(last.score, last.frame_id, date))


def use_engine(space: ActiveSpace, engine: str) -> ActiveSpace:
    """Search with `engine`, which uses the processor as its device."""
    flat = space.current.index
    if engine == "flat":
        return space
    assert isinstance(flat, FlatIndex)
    return replace(space, current=replace(space.current, index=TorchIndex.over(flat)))


@pytest.fixture
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "torch":
        pytest.importorskip("torch")
        monkeypatch.setenv(INDEX_DEVICE_VARIABLE, "cpu")
        monkeypatch.setattr(mirrored_index, "ROWS_PER_CANDIDATE", 0)
        monkeypatch.setattr(mirrored_index, "SMALL_SUBSET_FACTOR", 10**9)
    return str(request.param)


QUERY = np.eye(1, DIM, dtype=np.float32)[0]


@pytest.mark.parametrize("engine", ["flat", "torch"], indirect=True)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases)
def test_pages_by_relevance_equal_the_reference(
    empty_library: Path, tmp_path_factory: pytest.TempPathFactory, engine: str, case: Case
) -> None:
    folder = tmp_path_factory.mktemp("frames") / "library"
    shutil.copytree(empty_library, folder)
    with Library.open(folder) as library:
        space, ids = add_contents(library, case.rows())
        found, frames = space.current.index.search(QUERY[None], sum(case.frames))
        scores = dict(zip(frames[0].tolist(), found[0].tolist(), strict=True))
        assert sorted(scores) == sorted(
            frame_id(content, page) for content, count in zip(ids, case.frames, strict=True) for page in range(count)
        )
        request, searched = case.request(ids), use_engine(space, engine)
        hits = all_pages(library, searched, QUERY, request)
        assert [(hit.frame_id, hit.score) for hit in hits] == reference(scores, request)
        for hit in hits:
            count = case.frames[ids.index(hit.id)]
            expected = Frame(number_of(hit.frame_id), FrameKind.PAGE) if count > 1 else None
            assert hit.frame == expected
        two = [request, replace(request, k=request.k + 1)]
        many = rank_many(library, searched, np.stack([QUERY, QUERY]), two)
        assert [hit.frame_id for hit in many[0]] == [hit.frame_id for hit in hits[: request.k + 1]]
        assert [hit.frame_id for hit in many[1]] == [hit.frame_id for hit in hits[: request.k + 2]]


@pytest.mark.parametrize("engine", ["flat", "torch"], indirect=True)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases)
def test_pages_by_date_equal_the_reference(
    empty_library: Path, tmp_path_factory: pytest.TempPathFactory, engine: str, case: Case
) -> None:
    case = case._replace(min_score=case.min_score or 0.1)
    days = [None if day == 0 else int(day) for day in np.random.default_rng(case.seed).integers(0, 4, len(case.frames))]
    folder = tmp_path_factory.mktemp("frames") / "library"
    shutil.copytree(empty_library, folder)
    with Library.open(folder) as library:
        space, ids = add_contents(library, case.rows(), days)
        found, frames = space.current.index.search_range(QUERY, -1)
        scores = dict(zip(frames.tolist(), found.tolist(), strict=True))
        request = case.request(ids, "date")
        dates = {content: START.replace(day=day) for content, day in zip(ids, days, strict=True) if day is not None}
        hits = all_pages(library, use_engine(space, engine), QUERY, request)
        assert [(hit.frame_id, hit.score) for hit in hits] == reference(scores, request, dates)


def pages_of(*directions: int) -> NDArray[np.float32]:
    """Return unit vectors (F, D) along axes of the space."""
    return np.eye(DIM, dtype=np.float32)[list(directions)]


def test_scores_are_those_of_the_best_frame(library: Library) -> None:
    rows = [pages_of(3), pages_of(4, 0, 5), np.stack([QUERY * 0.6 + pages_of(1)[0] * 0.8, pages_of(2)[0]])]
    space, ids = add_contents(library, rows)
    hits = rank(library, space, QUERY, RankingRequest(k=10, digest=""))
    assert [hit.id for hit in hits] == [ids[1], ids[2], ids[0]]
    assert [hit.frame.number if hit.frame else None for hit in hits] == [1, 0, None]
    assert [hit.score for hit in hits] == pytest.approx([1, 0.6, 0], abs=1e-3)


def test_equal_frames_of_a_content_are_ordered_by_number(library: Library) -> None:
    space, ids = add_contents(library, [pages_of(1, 0, 0, 0), pages_of(0)])
    best = rank(library, space, QUERY, RankingRequest(k=1, digest=""))
    assert [(hit.id, number_of(hit.frame_id)) for hit in best] == [(ids[1], 0), (ids[0], 1)]  # by frame ID
    every = rank(library, space, QUERY, RankingRequest(k=9, digest="", every_frame=True))
    assert [(hit.id, number_of(hit.frame_id)) for hit in every] == [
        (ids[1], 0), (ids[0], 1), (ids[0], 2), (ids[0], 3), (ids[0], 0)
    ]  # fmt: skip


def test_content_with_many_good_frames_does_not_hide_others(library: Library) -> None:
    """The first neighbours are all frames of one content: more are asked for."""
    space, ids = add_contents(library, [pages_of(*[0] * 200), pages_of(1), pages_of(2)])
    hits = rank(library, space, QUERY, RankingRequest(k=2, digest=""))
    assert [hit.id for hit in hits] == ids


def test_frame_that_is_removed_during_a_search_is_left_out(library: Library) -> None:
    space, ids = add_contents(library, [pages_of(1, 0), pages_of(2)])
    with library.transaction() as connection:
        connection.execute(delete(FrameRow))
    hits = rank(library, space, QUERY, RankingRequest(k=5, digest=""))
    assert [hit.id for hit in hits] == [ids[1]]


def test_diversity_compares_the_frames_that_were_found(library: Library) -> None:
    """The first frames of the first two contents differ, but the frames that are found are the same."""
    near = QUERY * np.float32(0.96) + pages_of(6)[0] * np.float32(0.28)
    other = QUERY * np.float32(0.9) + pages_of(7)[0] * np.float32(0.4359)
    rows = [np.stack([pages_of(3)[0], near]), np.stack([pages_of(4)[0], near]), other[None], pages_of(8)]
    space, ids = add_contents(library, rows)
    plain = rank(library, space, QUERY, RankingRequest(k=2, digest=""))
    assert [hit.id for hit in plain[:2]] == ids[:2]
    diverse = rank(library, space, QUERY, RankingRequest(k=2, digest="", diverse=0.5))
    assert [(hit.id, number_of(hit.frame_id)) for hit in diverse] == [(ids[0], 1), (ids[2], 0)]


def test_collapsed_group_is_represented_by_its_best_frame(library: Library) -> None:
    rows = [np.stack([pages_of(3)[0], QUERY * 0.8 + pages_of(2)[0] * 0.6]), pages_of(4, 0), pages_of(5)]
    space, ids = add_contents(library, rows, groups=[0, 0, 2])
    request = RankingRequest(k=5, digest="", collapse_duplicates=True)
    hits = rank(library, space, QUERY, request)
    assert [(hit.id, number_of(hit.frame_id)) for hit in hits] == [(ids[1], 1), (ids[2], 0)]
    without = replace(request, exclude=frozenset([ids[1]]))
    assert [hit.id for hit in rank(library, space, QUERY, without)] == [ids[0], ids[2]]


@pytest.fixture
def searcher(library: Library, encoder: FakeEncoder) -> Searcher:
    """A searcher over two contents of three pages, near-duplicates of each other, and a still picture."""
    red, green, blue = encoder.encode_texts(["red", "green", "blue"])
    add_contents(library, [np.stack([green, red, blue]), np.stack([blue, green, red]), red[None]], groups=[0, 0, 2])
    return Searcher(library, encoder)


@pytest.mark.parametrize("sort", ["relevance", "date"])
@pytest.mark.parametrize("every_frame", [False, True])
@pytest.mark.parametrize("k", [1, 2, 50])
def test_cursors_return_each_content_or_frame_once(
    searcher: Searcher, encoder: FakeEncoder, sort: Sort, every_frame: bool, k: int
) -> None:
    options = SearchOptions(k=k, sort=sort, every_frame=every_frame, min_score=-1.0, collapse_duplicates=False)
    everything = searcher.search("red", replace(options, k=99))
    assert len(everything) == (7 if every_frame else 3)
    assert len({hit.frame_id if every_frame else hit.id for hit in everything}) == len(everything)
    hits, cursor = list[Hit](), None
    for _ in everything:  # at most a page for each hit
        page = searcher.search("red", replace(options, cursor=cursor))
        hits += page
        cursor = page.next_cursor
        if cursor is None:
            break
    assert hits == list(everything)


def test_every_frame_is_shown_of_near_duplicates_too(searcher: Searcher) -> None:
    best = searcher.search("red", k=9)
    assert [(hit.path.stem, hit.frame and hit.frame.number) for hit in best] == [("002", None), ("000", 1)]
    assert [record.paths[0].stem for record in best[1].stack] == ["001"]
    every = searcher.search("red", SearchOptions(k=9, every_frame=True))
    assert len(every) == 7
    assert all(hit.stack == () for hit in every)
    assert [str(hit.frame) for hit in every[1:3]] == ["page 2", "page 3"]


def test_parts_are_those_of_the_frame_that_was_found(searcher: Searcher, encoder: FakeEncoder) -> None:
    options = SearchOptions(k=9, explain=True, every_frame=True)
    red, blue = encoder.encode_texts(["red", "blue"])
    hits = searcher.search("red", options)
    for hit in hits:
        assert hit.parts == pytest.approx((hit.score,), abs=1e-5)
    assert hits[0].parts != hits[-1].parts
    assert float(red @ blue) < 0.9


def test_filters_apply_to_all_frames_of_a_content(searcher: Searcher, library: Library) -> None:
    photos = library.path.parent / "photos"
    options = SearchOptions(k=9, filters=Filters(within=(photos / "001.tif",)), every_frame=True)
    assert [hit.path.stem for hit in searcher.search("red", options)] == ["001"] * 3
    (best,) = searcher.search("red", replace(options, every_frame=False))
    assert best.frame == Frame(2, FrameKind.PAGE)


def test_the_vector_of_a_later_page_finds_that_page(searcher: Searcher, encoder: FakeEncoder) -> None:
    (hit,) = searcher.search(Query.of("blue"), SearchOptions(k=1))
    assert hit.frame == Frame(0, FrameKind.PAGE)
    assert hit.path.stem == "001"


def test_number_of_pictures_counts_contents(searcher: Searcher) -> None:
    assert len(searcher) == 3
