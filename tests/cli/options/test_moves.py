"""Folders that are given as `OLD=NEW`."""

from pathlib import Path

import click
import pytest

from cli.options.moves import parse_moves

CONTEXT, OPTION = click.Context(click.Command("merge")), click.Option(["--root"])


@pytest.mark.parametrize(
    ("value", "old", "new"),
    [
        ("/a/Photos=/b/Photos", "/a/Photos", "/b/Photos"),
        ("/a/x=y=/b", "/a/x=y", "/b"),
        ("/a=/b/x=y", "/a", "/b/x=y"),
        ("/a/x=y=b", "/a/x=y", "b"),
        (r"C:\Photos=/b/x=y", r"C:\Photos", "/b/x=y"),
        ("C:/Photos=D:/Photos", "C:/Photos", "D:/Photos"),
        ("/a=/", "/a", "/"),
        ("s3://a/year=2024=s3://b/year=2024", "s3://a/year=2024", "s3://b/year=2024"),
        ("/a=S3://b/x=y", "/a", "S3://b/x=y"),
        ("s3://a/x=/b", "s3://a/x", "/b"),
    ],
)
def test_names_of_folders_may_have_an_equals_sign(value: str, old: str, new: str) -> None:
    assert parse_moves(CONTEXT, OPTION, (value,)) == {Path(old): Path(new)}


@pytest.mark.parametrize("values", [("/a",), ("=/b",), ("/a=",), ("=",), ("/a=/b", "/a=/c")])
def test_other_values_are_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(click.BadParameter):
        parse_moves(CONTEXT, OPTION, values)
