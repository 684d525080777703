"""Pages contain the same hits as one long answer, also if the library changes between pages."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, update

from core.errors import InvalidQuery
from encoders.fake import FakeEncoder
from search import Answer, Filters, Query, Searcher, SearchOptions
from search.options import Sort
from search.paging import Cursor, CursorPosition
from store import Library
from store.catalog.tables import Content, Embedding, Picture, PictureState, Root
from store.library import mark_changed
from store.spaces.registry import StoredSpace, activate, register
from tests.support.examples import EXAMPLES_FACTOR

START = datetime(2020, 1, 1)  # noqa: DTZ001 (cameras know no time zone)


def fill(library: Library, vectors: np.ndarray, days: list[int | None]) -> list[int]:
    """Add contents with these vectors, taken on these days; return their IDs."""
    with library.transaction() as connection:
        stored = register(connection, FakeEncoder().space)
        activate(connection, stored)
        root = connection.execute(insert(Root).values(path=b"/p", added_at=START).returning(Root.id)).scalar_one()
        made = []
        for vector, day in zip(vectors, days, strict=True):
            made.append(_add(connection, stored, root, vector, day))
        mark_changed(connection)
    return made


def _add(connection: Connection, stored: StoredSpace, root: int, vector: np.ndarray, day: int | None) -> int:
    name = np.random.bytes(16)
    content = {"digest": name * 2, "size": 1, "format": "PNG", "width": 1, "height": 1}
    taken = None if day is None else START.replace(day=day)
    known = connection.execute(insert(Content).values(**content, taken_at=taken).returning(Content.id)).scalar_one()
    blob = stored.to_bytes(vector)
    connection.execute(insert(Embedding).values(space_id=stored.id, content_id=known, vector=blob))
    picture = {"root_id": root, "relpath": name.hex().encode(), "size": 1, "mtime_ns": 1, "state": PictureState.PRESENT}
    connection.execute(insert(Picture).values(content_id=known, **picture))
    return known


def unit(rng: np.random.Generator, n: int, kinds: int) -> np.ndarray:
    """Return unit vectors (n, 13) with many duplicates, so that many scores are equal."""
    some = rng.standard_normal((kinds, 13))
    some /= np.linalg.norm(some, axis=1, keepdims=True)
    return np.asarray(some[rng.integers(0, kinds, n)], np.float16)


def pages(ask: Callable[[str | None], Answer]) -> list[Answer]:
    found, cursor = [], None
    while True:
        found.append(ask(cursor))
        cursor = found[-1].next_cursor
        if cursor is None:
            return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 1000),
    n=st.integers(1, 40),
    k=st.integers(1, 12),
    sort=st.sampled_from(["relevance", "date"]),
    lowest=st.sampled_from([-1.0, 0.0, 0.3]),
)
def test_pages_equal_numpy_ranking(
    empty_library: Path, tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, k: int, sort: Sort, lowest: float
) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit(rng, n, kinds=7)
    days = [None if day == 0 else int(day) for day in rng.integers(0, 6, n)]
    folder = tmp_path_factory.mktemp("paging") / "library"
    shutil.copytree(empty_library, folder)
    with Library.open(folder) as library:
        ids = fill(library, vectors, days)
        searcher = Searcher(library, FakeEncoder())
        query = searcher.embed(Query.of("red"))
        found = pages(
            lambda cursor: searcher.search("red", SearchOptions(k=k, min_score=lowest, sort=sort, cursor=cursor))
        )
    # As FAISS does: each product in 32 bits, of the stored numbers.
    scores = vectors.astype(np.float32) @ query
    rows = [row for row in range(n) if scores[row] >= lowest - 1e-6]
    shown = [hit for page in found for hit in page]
    by_id = {known: float(score) for known, score in zip(ids, scores, strict=True)}
    assert {hit.id for hit in shown} <= {ids[row] for row in rows}
    assert len({hit.id for hit in shown}) == len(shown)
    assert {ids[row] for row in rows if scores[row] > lowest + 1e-6} <= {hit.id for hit in shown}
    assert [hit.rank for hit in shown] == list(range(1, len(shown) + 1))
    assert all(len(page) == k for page in found[:-1])
    dates = dict(zip(ids, days, strict=True))
    for hit in shown:
        assert hit.score == pytest.approx(by_id[hit.id], abs=1e-5)
    keys = [(-hit.score, hit.id) for hit in shown]
    if sort == "date":
        keys = [(-(dates[hit.id] or 0), -hit.score, hit.id) for hit in shown]  # type: ignore[misc]
    assert keys == sorted(keys)


@settings(max_examples=8 * EXAMPLES_FACTOR, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), k=st.integers(1, 8), sort=st.sampled_from(["relevance", "date"]))
def test_changes_between_pages_neither_repeat_nor_skip_hits(
    empty_library: Path, tmp_path_factory: pytest.TempPathFactory, seed: int, k: int, sort: Sort
) -> None:
    rng = np.random.default_rng(seed)
    folder = tmp_path_factory.mktemp("paging") / "library"
    shutil.copytree(empty_library, folder)
    with Library.open(folder) as library:
        staying = fill(library, unit(rng, 24, kinds=9), [int(day) for day in rng.integers(1, 9, 24)])
        gone: set[int] = set()
        searcher = Searcher(library, FakeEncoder())

        def ask(cursor: str | None) -> Answer:
            answer = searcher.search("red", SearchOptions(k=k, min_score=-1.0, sort=sort, cursor=cursor))
            with library.transaction() as connection:
                stored = register(connection, FakeEncoder().space)
                for vector in unit(rng, 2, kinds=2):
                    _add(connection, stored, 1, vector, int(rng.integers(1, 9)))
                victim = int(rng.choice(staying))
                gone.add(victim)
                connection.execute(
                    update(Picture).where(Picture.content_id == victim).values(state=PictureState.MISSING)
                )
                mark_changed(connection)
            return answer

        shown: list[int] = []
        answer = ask(None)
        for _ in range(100):
            shown += [hit.id for hit in answer]
            if answer.next_cursor is None:
                break
            answer = ask(answer.next_cursor)
    assert len(set(shown)) == len(shown)
    assert set(staying) - gone <= set(shown)


@pytest.fixture
def searcher(library: Library) -> Searcher:
    fill(library, unit(np.random.default_rng(1), 12, kinds=4), [None] * 12)
    return Searcher(library, FakeEncoder())


def test_cursor_of_another_query_raises(searcher: Searcher) -> None:
    cursor = searcher.search("red", k=3).next_cursor
    assert cursor is not None
    assert searcher.search("red", SearchOptions(k=5, cursor=cursor))  # the page size may change
    with pytest.raises(InvalidQuery, match="another query"):
        searcher.search("blue", SearchOptions(k=3, cursor=cursor))
    with pytest.raises(InvalidQuery, match="another query"):
        searcher.search("red", SearchOptions(k=3, min_score=0.1, cursor=cursor))
    with pytest.raises(InvalidQuery, match="another query"):
        searcher.search("red", SearchOptions(k=3, sort="date", cursor=cursor))
    with pytest.raises(InvalidQuery, match="another query"):
        searcher.search("red", SearchOptions(k=3, filters=Filters(before=START), cursor=cursor))


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "W10", "WzEsMl0", "e30", "bnVsbA", "////", "A" * 100_000, "\0", "\udcff"]
)
def test_malformed_cursor_raises(searcher: Searcher, cursor: str) -> None:
    with pytest.raises(InvalidQuery, match="Invalid cursor"):
        searcher.search("red", SearchOptions(k=3, cursor=cursor))


@given(st.floats(-1, 1), st.integers(0, 2**62), st.one_of(st.none(), st.datetimes()), st.integers(0, 10**9))
def test_cursor_round_trips_through_text(score: float, known: int, taken: datetime | None, shown: int) -> None:
    cursor = Cursor("q", shown, CursorPosition(score, known, taken))
    assert Cursor.parse(str(cursor), "q") == cursor


def test_cursor_with_a_time_zone_raises() -> None:
    """Dates of pictures have none, and are not compared with it."""
    aware = Cursor("q", 1, CursorPosition(0.5, 1, datetime(2026, 1, 1, tzinfo=UTC)))
    with pytest.raises(InvalidQuery, match="Invalid cursor"):
        Cursor.parse(str(aware), "q")


def test_best_hits_by_date_have_one_page(searcher: Searcher) -> None:
    assert searcher.search("red", SearchOptions(k=3, sort="date")).next_cursor is None
