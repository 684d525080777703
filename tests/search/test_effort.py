"""The cost of a search: few statements, and no full table scan."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Connection, event, insert

from encoders.fake import FakeEncoder
from search import Filters, Searcher, SearchOptions
from search.filters import field_condition
from store import Library
from store.catalog.tables import (
    Content,
    ContentTag,
    Embedding,
    PerceptualHashRow,
    Picture,
    PictureState,
    Root,
    Tag,
    TagSource,
)
from store.filters.selection import candidate_ids
from store.library import mark_changed
from store.queries import newest_contents
from store.spaces import index_cache
from store.spaces.registry import activate, active_space, register

START = datetime(2020, 1, 1)  # noqa: DTZ001 (cameras know no time zone)
NUMBER = 60

Statements = list[tuple[str, tuple[object, ...]]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A picture per day, each in its own group of near-duplicates."""
    encoder = FakeEncoder()
    vectors = np.random.default_rng(0).random((NUMBER, encoder.space.dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    with Library.open(tmp_path_factory.mktemp("effort") / "library", create=True) as library:
        with library.transaction() as connection:
            stored = register(connection, encoder.space)
            activate(connection, stored)
            connection.execute(insert(Root).values(id=1, path=b"/pictures", added_at=START))
            connection.execute(insert(Tag).values(id=1, key="rare", name="rare"))
            for number in range(1, NUMBER + 1):
                taken = START + timedelta(days=number)
                connection.execute(
                    insert(Content).values(
                        id=number,
                        digest=number.to_bytes(32),
                        size=number,
                        format="JPEG",
                        width=400,
                        height=300,
                        taken_at=taken,
                        camera=f"Camera {number % 10}",
                    )
                )
                connection.execute(
                    insert(Picture).values(
                        root_id=1,
                        relpath=b"%02d.jpg" % number,
                        size=number,
                        mtime_ns=number,
                        content_id=number,
                        state=PictureState.PRESENT,
                    )
                )
                blob = stored.to_bytes(vectors[number - 1])
                connection.execute(insert(Embedding).values(space_id=stored.id, content_id=number, vector=blob))
                connection.execute(insert(PerceptualHashRow).values(content_id=number, version=1, anchor_id=number))
            connection.execute(insert(ContentTag).values(tag_id=1, content_id=7, source=TagSource.USER))
            mark_changed(connection)
        index_cache.publish(library, stored)
        yield library


@pytest.fixture
def statements(library: Library) -> Iterator[Statements]:
    """The executed statements, without BEGIN."""
    asked: Statements = []

    def note(_connection: object, _cursor: object, statement: str, values: tuple[object, ...], *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append((statement, values))

    event.listen(library.backend.engine, "before_cursor_execute", note)
    yield asked
    event.remove(library.backend.engine, "before_cursor_execute", note)


SPAN = Filters(after=START, before=START + timedelta(days=20))
CAMERA = Filters(where=field_condition("camera", "=Camera 7"))
TAG = Filters(where=field_condition("tag", "rare"))


@pytest.mark.parametrize(("filters", "most"), [(Filters(), 5), (SPAN, 7), (CAMERA, 8), (TAG, 8)])
def test_search_takes_few_statements(library: Library, statements: Statements, filters: Filters, most: int) -> None:
    searcher = Searcher(library, FakeEncoder())
    statements.clear()
    assert searcher.search("red", SearchOptions(k=10, filters=filters))
    assert len(statements) <= most, [statement for statement, _ in statements]


def test_a_page_and_its_total_look_up_a_tag_once(library: Library, statements: Statements) -> None:
    condition = TAG.condition()
    statements.clear()
    page = newest_contents(library, condition, 5)
    assert page.total == len(page.records) > 0
    assert len([statement for statement, _ in statements if "FROM tags" in statement]) == 1


def test_search_of_stills_reads_no_frames(library: Library, statements: Statements) -> None:
    searcher = Searcher(library, FakeEncoder())
    statements.clear()
    assert searcher.search("red", k=10)
    assert not [statement for statement, _ in statements if "frames" in statement]


@pytest.mark.sqlite("its query plans")
@pytest.mark.parametrize("filters", [SPAN, CAMERA, TAG])
def test_search_scans_no_table(library: Library, statements: Statements, filters: Filters) -> None:
    searcher = Searcher(library, FakeEncoder())
    statements.clear()
    assert searcher.search("red", SearchOptions(k=5, filters=filters))
    asked = list(statements)
    with library.read() as connection:
        plans = [_plan(connection, statement, values) for statement, values in asked]
    scanned = [
        line for plan in plans for line in plan if re.match(r"SCAN (contents|pictures|embeddings|likenesses)", line)
    ]
    assert scanned == []


@pytest.mark.sqlite("its query plans")
@pytest.mark.parametrize("filters", [SPAN, CAMERA])
def test_filter_on_contents_reads_no_files(library: Library, statements: Statements, filters: Filters) -> None:
    condition, stored = filters.condition(), active_space(library)
    assert condition is not None
    assert stored is not None
    statements.clear()
    candidate_ids(library, stored, condition)
    with library.read() as connection:
        plan = _plan(connection, *statements[-1])
    assert any(re.match(r"SEARCH contents USING COVERING INDEX", line) for line in plan), plan
    assert not any("pictures" in line for line in plan), plan


def _plan(connection: Connection, statement: str, values: tuple[object, ...]) -> list[str]:
    return [str(row.detail) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
