"""The comparison of databases: what is asked has the same answers, and each figure is of the right place."""

from pathlib import Path
from time import process_time

import numpy as np
import pytest

from benchmarks.databases import FILTERS, compared, generate, questions, server_seconds
from store import Library
from store.filters.selection import matching_ids
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.servers

COUNT = 400


def test_both_databases_give_the_same_answers(tmp_path: Path, postgres_url: str) -> None:
    with Library.open(tmp_path / "library", create=True) as one, Library.open(postgres_url, create=True) as other:
        generate(one, COUNT)
        generate(other, COUNT)
        asked, others = questions(one), questions(other)
        assert asked.keys() == others.keys()
        for what, ask in asked.items():
            assert repr(ask(1)) == repr(others[what](1)), what
        found = {name: len(matching_ids(one, where)) for name, each in FILTERS.items() if (where := each.condition())}
    assert found["1 %"] == COUNT // 100
    assert found["half"] == COUNT // 2
    assert 20 <= found["10 %"] <= 60
    assert found["a folder, 5 %"] == COUNT // 20


def test_times_are_those_of_each_database(postgres_server: PostgresServer) -> None:
    asked: dict[str, list[int]] = {"slow": [], "quick": []}

    def spend(number: int) -> None:
        asked["slow"].append(number)
        until = process_time() + 0.02
        while process_time() < until:
            pass

    times = compared({"slow": spend, "quick": asked["quick"].append}, 3, postgres_server)
    assert asked == {"slow": [-1, 0, 1, 2], "quick": [-1, 0, 1, 2]}
    assert times["slow"].busy_p50 >= 20 > times["quick"].busy_p50
    assert times["slow"].p95 >= times["slow"].p50 >= 20


def test_work_of_the_server_is_counted(postgres_server: PostgresServer) -> None:
    import psycopg

    before = server_seconds(postgres_server.pid)
    with psycopg.connect(postgres_server.url("postgres")) as connection:
        while server_seconds(postgres_server.pid) < before + 0.05:
            connection.execute("SELECT sum(n) FROM generate_series(1, 100000) AS n")
        busy = server_seconds(postgres_server.pid)
    assert np.isfinite(busy)
    assert busy > before
