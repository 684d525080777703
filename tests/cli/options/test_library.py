"""The option that names the library."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.command_types import GlobalOptions
from cli.options import library_option
from store.catalog.postgresql.address import ServerAddress


def chosen(*arguments: str, before_verb: str | None = None) -> Path:
    """Return the library of a command with these arguments."""
    found = list[Path]()
    command = click.command()(library_option(lambda library: found.append(library)))
    assert CliRunner().invoke(command, arguments, obj=GlobalOptions(before_verb)).exit_code == 0
    return found[0]


def test_the_nearest_library_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_LIBRARY", "of the environment")
    assert chosen() == Path("of the environment")
    assert chosen(before_verb="before") == Path("before")
    assert chosen("--library", "after", before_verb="before") == Path("after")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql://db", "postgresql://@db"),
        ("postgresql://db/", "postgresql://@db"),
        ("postgres://db:5433?dbname=photos", "postgresql://@db:5433?dbname=photos"),
        ("postgresql://one,two?dbname=photos", "postgresql://@one,two?dbname=photos"),
        ("postgresql://anna@db", "postgresql://anna@db"),
        ("postgresql://anna:se?cret@db", "postgresql://anna:se?cret@db"),
        ("postgresql://db/photos", "postgresql://db/photos"),
        ("postgresql:///photos", "postgresql:///photos"),
        ("postgresql://?service=photos", "postgresql:///?service=photos"),
    ],
)
def test_a_host_of_a_url_stays_a_host(url: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ServerAddress.parse(str(chosen("--library", url))).url == address
    monkeypatch.setenv("SIGHTLINE_LIBRARY", url)
    assert ServerAddress.parse(str(chosen())).url == address
