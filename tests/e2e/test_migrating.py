"""`sightline migrate` that is killed at any step leaves an empty library, and can be repeated."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from store import Library
from store.migrate.carried_tables import is_empty
from tests.support.processes import Cli


@pytest.mark.parametrize(
    ("function", "nth"),
    [
        ("store.migrate.migrating:copy_rows", 1),
        ("store.migrate.migrating:copy_rows", 9),
        ("store.migrate.migrating:compare_rows", 1),
        ("store.migrate.migrating:compare_rows", 20),
        ("store.migrate.migrating:_copy_files", 1),
    ],
)
def test_killed_migration_leaves_nothing_and_can_be_repeated(
    indexed_once: Path, tmp_path: Path, new_cli: Callable[[str], Cli], function: str, nth: int
) -> None:
    source, target = shutil.copytree(indexed_once, tmp_path / "source"), tmp_path / "target"
    cli = new_cli("target")
    cli.killed_at(function, nth, "migrate", source, target)
    with Library.open(target) as opened, opened.read() as connection:
        assert is_empty(connection)
    cli("migrate", source, target)
    assert cli.vectors() == Cli(source).vectors()
    assert cli.is_intact()


@pytest.mark.servers
@pytest.mark.parametrize(
    ("function", "nth"), [("store.catalog.bulk_copy:load_rows", 3), ("store.migrate.migrating:compare_rows", 20)]
)
def test_killed_migration_to_postgresql_leaves_nothing_and_can_be_repeated(
    indexed_once: Path,
    tmp_path: Path,
    new_cli: Callable[[str], Cli],
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    nth: int,
) -> None:
    monkeypatch.setenv("SIGHTLINE_LOCAL", str(tmp_path / "local"))
    source = shutil.copytree(indexed_once, tmp_path / "source")
    cli = new_cli("source")
    cli.killed_at(function, nth, "migrate", source, postgres_url)
    with Library.open(postgres_url, create=True) as opened, opened.read() as connection:
        assert is_empty(connection)
    cli("migrate", source, postgres_url)
    cli("migrate", postgres_url, tmp_path / "back")
    assert Cli(tmp_path / "back").vectors() == cli.vectors()
