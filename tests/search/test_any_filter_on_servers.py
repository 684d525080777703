"""Any condition selects the same contents on PostgreSQL as on SQLite, and as plain Python."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings

from encoders.fake import FakeEncoder
from store import Library
from store.filters.conditions import Condition, FieldTest, Op
from store.filters.facets import count_facets
from store.filters.selection import candidate_ids, matching_ids, selected_ids
from store.spaces.registry import StoredSpace, activate, register
from store.timeline import load_days
from tests.search.test_any_filter import PLACES, File, conditions, fill, holds, read_back
from tests.support.examples import EXAMPLES_FACTOR
from tests.support.postgres import PostgresServer

pytestmark = [pytest.mark.servers, pytest.mark.sqlite("compares both databases")]


@dataclass(frozen=True)
class Filled:
    """One library in two databases."""

    in_file: Library
    on_server: Library
    stored: StoredSpace
    files: list[File]


@pytest.fixture(scope="module")
def filled(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    database = postgres_server.create_database()
    folder = tmp_path_factory.mktemp("filters")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTLINE_LOCAL", str(folder))
        with (
            Library.open(folder / "library", create=True) as in_file,
            Library.open(postgres_server.url(database), create=True) as on_server,
        ):
            for library in (in_file, on_server):
                with library.transaction() as connection:
                    stored = register(connection, FakeEncoder().space)
                    activate(connection, stored)
                    fill(connection, stored)
            with in_file.read() as connection:
                files = read_back(connection, stored)
            yield Filled(in_file, on_server, stored, files)
    postgres_server.drop_database(database)


def test_both_have_the_same_files(filled: Filled) -> None:
    with filled.on_server.read() as connection:
        files = read_back(connection, filled.stored)
    assert sorted(files, key=lambda file: file.path) == sorted(filled.files, key=lambda file: file.path)
    assert len(files) > 300


@settings(
    max_examples=100 * EXAMPLES_FACTOR,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(conditions)
def test_any_condition_selects_the_same_contents_on_both(filled: Filled, condition: Condition) -> None:
    stored = filled.stored
    expected = sorted({file.content_id for file in filled.files if holds(file, condition)})
    assert selected_ids(filled.on_server, stored, condition).tolist() == expected
    on_server, in_file = (candidate_ids(each, stored, condition) for each in (filled.on_server, filled.in_file))
    assert set(expected) <= set(on_server.tolist())
    assert on_server.tolist() == in_file.tolist()
    assert sorted(matching_ids(filled.on_server, condition)) == sorted(matching_ids(filled.in_file, condition))


@settings(
    max_examples=20 * EXAMPLES_FACTOR,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(conditions)
def test_any_condition_gives_the_same_facets_and_timeline_on_both(filled: Filled, condition: Condition) -> None:
    assert count_facets(filled.on_server, condition) == count_facets(filled.in_file, condition)
    assert load_days(filled.on_server, condition) == load_days(filled.in_file, condition)


@pytest.mark.parametrize("field", ["title", "camera", "name", "path", "tag", "format", "orientation", "text", "place"])
def test_a_value_with_nul_finds_nothing(filled: Filled, field: str) -> None:
    assert selected_ids(filled.on_server, filled.stored, FieldTest(field, Op.EQ, "a\0b")).tolist() == []


def test_a_list_that_begins_with_a_whole_number_finds_fractions(filled: Filled) -> None:
    test = FieldTest("latitude", Op.IN, (0, PLACES[3][0]))
    expected = sorted({file.content_id for file in filled.files if holds(file, test)})
    assert expected
    assert selected_ids(filled.on_server, filled.stored, test).tolist() == expected


def test_facets_and_timeline_of_everything_are_the_same_on_both(filled: Filled) -> None:
    assert count_facets(filled.on_server) == count_facets(filled.in_file)
    assert load_days(filled.on_server, None) == load_days(filled.in_file, None)
