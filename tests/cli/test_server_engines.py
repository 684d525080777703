"""Commands with an engine on a server."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store import Library
from store.spaces.drop import forget_space
from store.spaces.registry import active_space

pytestmark = pytest.mark.servers

Sightline = Callable[..., Any]


def test_the_engine_is_shown_checked_and_repaired(
    sightline: Sightline, filled: Path, pgvector_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_INDEX_ENGINE", f"pgvector:{pgvector_url.replace('@', ':hidden@')}")
    assert "has no vectors of this space yet" in sightline("status").text
    assert sightline("repair").lines[-1].startswith("renewed the approximate index of ")
    assert f"Engine    pgvector at {pgvector_url}: 4 vectors, exact\n" in sightline("status").text
    (space,) = sightline("status", "--json").record["spaces"]
    assert (space["index"]["in_use"], space["index"]["behind"], space["index"]["vectors"]) == (True, 0, 4)
    assert "hidden" not in str(space)
    assert sightline("verify").code == 0

    import psycopg

    with psycopg.connect(pgvector_url) as connection:
        ((table,),) = connection.execute(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE 's~_%' ESCAPE '~'"
        ).fetchall()
        connection.execute(f"DELETE FROM sightline_vectors.{table} WHERE id = 2".encode())
    wrong = sightline("verify")
    assert wrong.code == 1
    assert wrong.lines == [f"index: pgvector at {pgvector_url} lacks 1 vector (2)"]
    (done,) = sightline("repair").lines
    assert done.startswith("copied all vectors of fake ")
    assert sightline("verify").code == 0


def test_a_server_that_is_away_is_named_by_the_status(
    sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_INDEX_ENGINE", "pgvector:postgresql://me:hidden@127.0.0.1:1/photos")
    found = sightline("search", "red", "-k", "1", "--paths")
    assert len(found.lines) == 1
    assert "The index engine cannot be used now. Every picture is compared without it." in found.err
    status = sightline("status")
    assert "The index engine pgvector at postgresql://me@127.0.0.1:1/photos cannot be used: conn" in status.text
    assert "hidden" not in status.text + found.err + sightline("verify").text + sightline("repair").err


def test_a_missing_driver_is_named(sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setenv("SIGHTLINE_INDEX_ENGINE", "pgvector:postgresql://127.0.0.1:1/photos")
    assert "postgresql" in sightline("status").text
    assert "sightline[postgresql]" in sightline("search", "red").err


def test_a_space_that_is_removed_is_removed_from_the_engine(
    sightline: Sightline, filled: Path, pgvector_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    monkeypatch.setenv("SIGHTLINE_INDEX_ENGINE", f"pgvector:{pgvector_url}")
    sightline("repair")
    with Library.open(filled) as library, psycopg.connect(pgvector_url, autocommit=True) as connection:
        count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'sightline_vectors'"
        assert connection.execute(count).fetchone() == (2,)
        stored = active_space(library)
        assert stored is not None
        forget_space(library, stored)
        assert connection.execute(count).fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM sightline_vectors.spaces").fetchone() == (0,)


def test_size_of_a_library_on_a_server_is_that_of_its_files_here(
    sightline: Sightline, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_LOCAL", str(tmp_path / "local"))
    Library.open(postgres_url, create=True).close()
    assert (
        sightline("status", "--library", postgres_url).lines[0] == f"Library   {postgres_url}  (0.0 MB on this machine)"
    )
