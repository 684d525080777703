"""What happens if an engine has something else than it should."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import delete, update

from store.catalog import change_feed
from store.catalog.tables import VectorChange
from store.check import verify
from store.library import mark_changed
from store.spaces.approximation import update_approximation
from store.spaces.recall import MeasuredRecall
from store.spaces.server_engines import connections
from store.spaces.server_engines.checking import find_differences, report_engine
from store.spaces.server_engines.feed_marks import append_mark
from store.spaces.server_engines.pgvector import PgvectorEngine
from store.spaces.server_engines.updating import repair_engine
from tests.support.engines import (
    Clusters,
    N,
    Setup,
    only_pgvector,
    only_servers,
    save,
    server_index_of,
    state_of,
)
from tests.support.writers import publish

pytestmark = pytest.mark.servers

Agrees = Callable[..., None]


@only_pgvector
@pytest.mark.parametrize("change", [{"later": 1}, {"recall": {}}, {"storage": "x; DROP SCHEMA sightline_vectors"}])
def test_a_state_of_another_version_is_not_used_and_replaced(
    setup: Setup, filled: list[int], agrees: Agrees, change: dict[str, object]
) -> None:
    state = state_of(setup)
    engine = setup.engine()
    assert isinstance(engine, PgvectorEngine)
    content = json.dumps({**json.loads(state.to_json()), **change})
    with engine._connections.lend() as connection:
        connection.execute("UPDATE sightline_vectors.spaces SET state = %s", [content])
    assert engine.state() is None
    engine.close()
    agrees(setup.load().index, exact=True)
    assert verify(setup.library) == []
    assert update_approximation(setup.library, setup.stored)
    assert state_of(setup).vectors == N
    agrees(setup.load().index, exact=False)


@only_servers
def test_an_engine_that_was_filled_from_another_history_is_not_used(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    state = state_of(setup)
    engine = setup.engine()
    ahead = engine.replace(state, np.array([], np.int64), [], state.position + 1_000)
    engine.close()
    assert ahead.position == state.position + 1_000
    agrees(setup.load().index, exact=True)
    assert update_approximation(setup.library, setup.stored)  # builds it from the catalogue
    assert state_of(setup).storage != state.storage
    agrees(setup.load().index, exact=False)


@only_servers
def test_an_engine_with_another_number_of_vectors_is_not_used(setup: Setup, filled: list[int], agrees: Agrees) -> None:
    save(setup, replace(state_of(setup), vectors=N - 1))
    agrees(setup.load().index, exact=True)


@only_servers
@pytest.mark.parametrize("later", [0, 10])
def test_an_engine_with_changes_of_another_history_is_built_again(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees, later: int
) -> None:
    before = state_of(setup)
    clusters.add(20)
    with setup.library.read() as connection:
        position = change_feed.position(connection)
    engine = setup.engine()  # the library was restored from a backup, and goes on from there
    other = engine.replace(before, np.array(filled[:3]), [], position)
    engine.close()
    assert other.position == position
    if later:
        clusters.add(later)
    setup.update()
    state = state_of(setup)
    assert state.vectors == N + 20 + later
    assert state.storage != before.storage
    assert verify(setup.library) == []
    agrees(setup.load().index, exact=False)


@only_servers
def test_vectors_of_unknown_pictures_are_never_shown(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    state = state_of(setup)
    engine = setup.engine()
    foreign = [(np.arange(10**6, 10**6 + 50), np.stack([clusters.query(0)] * 50))]
    engine.replace(state, np.array([10**6]), foreign, state.position)
    engine.close()
    save(setup, replace(state_of(setup), vectors=N))
    index = server_index_of(setup)
    assert index.connect() is not None
    agrees(index, exact=False)
    assert [str(difference.detail) for difference in find_differences(setup.library, setup.stored)] == [
        f"{setup.engine().shown} has what the catalogue does not have: 50 vectors"
    ]


@only_servers
def test_verify_finds_every_wrong_vector_and_repair_copies_them_again(
    setup: Setup, filled: list[int], clusters: Clusters
) -> None:
    assert verify(setup.library) == []
    state = state_of(setup)
    engine = setup.engine()
    wrong = clusters.everything()[filled[5]].astype(setup.stored.dtype)
    wrong[3] += np.float16(0.001)
    engine.replace(state, np.array(filled[5:7]), [(np.array([filled[5]]), wrong[None])], state.position)
    engine.close()
    details = [fault.detail for fault in verify(setup.library)]
    assert len(details) == 2
    assert f"differs from the catalogue in 1 vector ({filled[5]})" in details[0]
    assert f"lacks 1 vector ({filled[6]})" in details[1]
    assert repair_engine(setup.library, setup.stored)
    assert not repair_engine(setup.library, setup.stored)
    assert verify(setup.library) == []


@only_servers
def test_a_cut_off_feed_makes_the_engine_be_built_again(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    before = state_of(setup)
    clusters.lose(filled[:5])
    clusters.add(5)
    with setup.library.transaction() as connection:
        last = connection.scalar(
            VectorChange.__table__.select().with_only_columns(VectorChange.id).order_by(VectorChange.id.desc()).limit(1)
        )
        connection.execute(delete(VectorChange).where(VectorChange.id < last))
    publish(setup.library, setup.stored) if setup.has_file else None
    agrees(setup.load().index, exact=True)
    report = report_engine(setup.library, setup.stored)
    assert report is not None
    assert report.behind is None
    assert update_approximation(setup.library, setup.stored)
    assert state_of(setup).storage != before.storage
    agrees(setup.load().index, exact=False)
    assert verify(setup.library) == []


@only_servers
def test_an_engine_with_a_low_recall_is_not_used(setup: Setup, filled: list[int], agrees: Agrees) -> None:
    save(setup, replace(state_of(setup), recall=MeasuredRecall(0.94, 1.0, 100, True)))
    agrees(setup.load().index, exact=True)


@only_servers
def test_an_engine_far_behind_is_searched_around(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_PENDING", 20)
    clusters.add(21)
    agrees(setup.load().index, exact=True)
    setup.update()
    agrees(setup.load().index, exact=False)


@only_servers
@pytest.mark.parametrize("later", [0, 10])
def test_an_engine_of_another_history_with_as_many_vectors_is_built_again(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees, later: int
) -> None:
    """The library was restored from a backup, and the same files were indexed again; one of them had changed."""
    before = state_of(setup)
    clusters.add(20)
    setup.update()
    other = state_of(setup)
    assert (other.vectors, other.position > before.position) == (N + 20, True)
    with setup.library.transaction() as connection:  # the mark of that update is not in the backup
        mark = other.mark
        assert mark is not None
        changed = update(VectorChange).where(VectorChange.id == mark.row)
        assert connection.execute(changed.values(space_id=setup.stored.id, content_id=filled[0])).rowcount == 1
        mark_changed(connection, setup.stored.id)
    agrees(setup.load().index, exact=True)
    report = report_engine(setup.library, setup.stored)
    assert report is not None
    assert report.behind is None
    if later:
        clusters.add(later)
    setup.update()
    state = state_of(setup)
    assert (state.storage != other.storage, state.vectors) == (True, N + 20 + later)
    assert verify(setup.library) == []
    agrees(setup.load().index, exact=False)
    setup.update()
    assert state_of(setup) == state


@only_servers
def test_a_mark_that_was_cut_off_is_not_missed(
    setup: Setup, filled: list[int], clusters: Clusters, agrees: Agrees
) -> None:
    state = state_of(setup)
    assert state.mark is not None
    clusters.add(5)
    with setup.library.transaction() as connection:
        change_feed.cut_off(connection, state.mark.row)
    setup.update()
    assert state_of(setup).storage == state.storage
    agrees(setup.load().index, exact=False)


@only_servers
def test_an_update_without_changes_writes_nothing(setup: Setup, filled: list[int], clusters: Clusters) -> None:
    with setup.library.transaction() as connection:
        append_mark(connection, setup.stored.id + 1)  # of another space
        position = change_feed.position(connection)
    state = state_of(setup)
    setup.update()
    assert state_of(setup) == state
    with setup.library.read() as connection:
        assert change_feed.position(connection) == position
