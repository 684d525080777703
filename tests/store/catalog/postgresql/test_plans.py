"""PostgreSQL reads what a statement needs, by indexes, in a library of some thousand pictures."""

from collections.abc import Callable, Iterator
from datetime import date
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import event, text

from benchmarks.filters import fill
from encoders.fake import FakeEncoder
from search.filters import parse_where
from store import Library
from store.filters.selection import candidate_ids, selected_ids
from store.queries import newest_contents
from store.spaces.registry import StoredSpace, require_active
from store.timeline import load_from_day
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.servers

PICTURES = 5_000


@pytest.fixture(scope="module")
def filled(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    database = postgres_server.create_database()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTLINE_LOCAL", str(tmp_path_factory.mktemp("plans")))
        with Library.open(postgres_server.url(database), create=True) as library:
            fill(library, PICTURES)
            compact(library)
            yield library
    postgres_server.drop_database(database)


def compact(library: Library) -> None:
    """Mark all rows of contents as visible to all transactions: only then are they read from an index alone.

    VACUUM leaves those that are not in the log on the disk yet, which the server of tests writes later.
    """
    unmarked = text("SELECT relpages - relallvisible FROM pg_class WHERE oid = 'contents'::regclass")
    deadline = monotonic() + 60
    while True:
        with library.connect() as connection:
            library.backend.compact(connection)
        with library.read() as connection:
            if not connection.scalar(unmarked):
                return
            active = connection.execute(text("SELECT datname, state, backend_xmin, query FROM pg_stat_activity")).all()
        assert monotonic() < deadline, f"VACUUM leaves rows unmarked, beside {active}"


@pytest.fixture
def stored(filled: Library) -> StoredSpace:
    return require_active(filled, FakeEncoder().space)


def plans(library: Library, work: Callable[[], object]) -> str:
    """Return the plans of all statements of `work`."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, _context: object, _many: bool) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, values))

    event.listen(library.backend.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(library.backend.engine, "before_cursor_execute", note)
    assert asked
    with library.read() as connection:
        lines = [
            row[0]
            for statement, values in asked
            for row in connection.exec_driver_sql(f"EXPLAIN (COSTS off) {statement}", values)
        ]
    return "\n".join(lines)


def test_the_newest_contents_are_read_in_order(filled: Library) -> None:
    plan = plans(filled, lambda: newest_contents(filled, None, 20))
    assert "Backward using ix_contents_taken_at_id_width_height" in plan


def test_the_timeline_is_read_from_a_day_on(filled: Library) -> None:
    plan = plans(filled, lambda: load_from_day(filled, None, date(2015, 3, 3), 0, 20))
    assert "Backward using ix_contents_taken_at_id_width_height" in plan


def test_whole_numbers_are_found_by_their_index(filled: Library, stored: StoredSpace) -> None:
    plan = plans(filled, lambda: candidate_ids(filled, stored, parse_where("iso>25600")))
    assert "ix_contents_iso" in plan
    assert "double precision" not in plan


def test_names_are_found_by_their_index(filled: Library, stored: StoredSpace) -> None:
    assert "ix_contents_camera" in plans(filled, lambda: candidate_ids(filled, stored, parse_where("camera:=Camera 7")))


@pytest.mark.parametrize(
    "where", ["iso>25600", "camera:=Camera 7", "lens:=Lens 3", "near:48.1,11.5,25km", "date:2015-03"]
)
def test_a_filter_of_facts_is_answered_from_an_index(filled: Library, stored: StoredSpace, where: str) -> None:
    plan = plans(filled, lambda: candidate_ids(filled, stored, parse_where(where)))
    assert "Index Only Scan using ix_contents_" in plan


def test_contents_with_a_tag_are_found_without_their_files(filled: Library, stored: StoredSpace) -> None:
    plan = plans(filled, lambda: candidate_ids(filled, stored, parse_where("tag:rare")))
    assert "content_tags" in plan
    assert "pictures" not in plan
    assert "(tag_id = ANY ('{1}'::bigint[]))" in plan  # with a sub-select, the server would not know how many these are


def test_files_of_many_contents_are_joined_as_a_whole(filled: Library, stored: StoredSpace) -> None:
    """Not one by one, as if few files were present."""
    plan = plans(filled, lambda: selected_ids(filled, stored, parse_where("rating>=1")))
    assert "Nested Loop" not in plan
    assert "Hash Join" in plan or "Merge Join" in plan
