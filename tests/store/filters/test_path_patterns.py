"""Patterns translated to LIKE match the same names as Python, called for each."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from time import process_time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, Connection, insert, select

from core.errors import InvalidQuery, SightlineError
from search.filters import field_condition
from store import Library
from store.catalog.collation import fold, matches
from store.catalog.tables import Content, Picture, Root, RootKind
from store.filters.path_patterns import MAX_PATTERN_BYTES, name_like, path_in, path_like, remainders
from store.filters.selection import matching_ids

ROOTS = (b"/", b"/photos", b"/Photos/100%_\\", b"/f\xc3\xa9/\xe2\x84\xaa", b"/n\xfcl", b"/straSSe", b"imported:x")
"""The last one is a collection of documents."""

PLACES = (
    b"a.jpg",
    b"A.JPG",
    b"sea/a.jpg",
    b"sea/.jpg",
    b"sea/jpg/b",
    b"100%_/a",
    b"back\\slash",
    b"line\nend",
    b"0",
    b"[x]",
    b"n\xfcl",  # not UTF-8: read as one replacement character
    b"n\x80l",
    b"n\xe2\x82l",  # a truncated character
    b"caf\xc3\xa9.jpg",
    b"cafe\xcc\x81.jpg",
    b"stra\xc3\x9fe/a",
    b"\xe2\x84\xaa.jpg",  # the Kelvin sign, which folds to k
    b"\xef\xbf\xbd",  # the replacement character itself
    b"http://host/a.jpg",
)
DOCUMENTS = (*PLACES, b"/photos/a.jpg", b"/", b"nul\0here")

PATTERNS = st.lists(
    st.sampled_from(
        [
            "*",
            "*",
            "?",
            "/",
            "a",
            "A.jpg",
            "sea",
            "%",
            "_",
            "\\",
            "photos",
            "100%_",
            "l",
            "n",
            "é",
            "ß",
            "SS",
            "\ufffd",
            "k",
            "0",
            "\n",
            "[",
        ]
    ),
    max_size=7,
).map("".join)


@pytest.fixture(scope="module")
def connection(empty_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A library with every path below every root."""
    import shutil

    path = tmp_path_factory.mktemp("patterns") / "library"
    shutil.copytree(empty_library, path)
    now, numbers = datetime(2026, 1, 1), count(1)  # noqa: DTZ001
    with Library.open(path) as library:
        with library.transaction() as writing:
            writing.execute(insert(Content).values(id=1, digest=bytes(32), size=1, format="", width=0, height=0))
            for root_id, root in enumerate(ROOTS, start=1):
                kind = RootKind.COLLECTION if root.startswith(b"imported:") else RootKind.FOLDER
                writing.execute(insert(Root).values(id=root_id, path=root, added_at=now, kind=kind))
                places = PLACES if kind is RootKind.FOLDER else DOCUMENTS
                rows = [{"id": next(numbers), "root_id": root_id, "relpath": place} for place in places]
                writing.execute(insert(Picture).values(size=1, mtime_ns=1, content_id=1, state="present"), rows)
        with library.read() as reading:
            yield reading


def found(connection: Connection, where: ColumnElement[bool]) -> list[bytes]:
    rows = connection.execute(
        select(Root.path, Picture.relpath).join_from(Picture, Root).where(where).order_by(Picture.id)
    )
    return [b" ".join(row) for row in rows]


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATTERNS)
@example("*/100%_/*")
@example("/photos/*")
@example("n?l")
@example("?" * 501)
@example("n?l")
@example("nul?here")
@example("**a***?**")
def test_like_matches_the_same_names_as_python(connection: Connection, pattern: str) -> None:
    assert found(connection, path_like(connection, pattern)) == one_by_one(lambda path, _: matches(path, pattern))
    assert found(connection, name_like(pattern)) == one_by_one(lambda _, name: matches(name, pattern))


@pytest.mark.parametrize(
    "raw",
    [b"*n\xfcl*", b"n\xe2\x82l", b"*/n\xe2?l", b"*\xff*", b"/n\xfcl/*", b"caf\xff", b"n\x80?", b"*n\xe2\x82\x00*"],
)
def test_bytes_that_are_no_text_match_as_they_are_stored(connection: Connection, raw: bytes) -> None:
    """On the command line they are surrogates. A question mark in place of one would match any character."""
    given, read = os.fsdecode(raw), raw.replace(b"\0", "\ufffd".encode()).decode("utf-8", "replace")
    assert found(connection, path_like(connection, given)) == one_by_one(lambda path, _: matches(path, read))
    assert found(connection, name_like(given)) == one_by_one(lambda _, name: matches(name, read))
    assert found(connection, path_in(connection, [given])) == one_by_one(lambda path, _: fold(path) == fold(read))


@pytest.mark.parametrize("value", ["\ud800", "\udfff\ud800x", "\udce9"])
def test_halves_of_pairs_are_no_error_in_any_filter(library: Library, value: str) -> None:
    for field in ("path", "name", "camera", "tag", "album", "person", "format", "city", "place", "title", "text"):
        for pattern in (value, f"*{value}*"):
            try:
                assert len(matching_ids(library, field_condition(field, pattern))) == 0
            except SightlineError:  # such as an album that does not exist
                continue


def one_by_one(accepts: Callable[[str, str], bool]) -> list[bytes]:
    """As `found`, with a call for the path and the name of each file."""
    kept = []
    for root in ROOTS:
        for place in DOCUMENTS if root.startswith(b"imported:") else PLACES:
            path, name = (
                part.replace(b"\0", "\ufffd".encode()).decode("utf-8", "replace")
                for part in (os.path.join(root, place), place.rpartition(b"/")[2])  # noqa: PTH118 (bytes)
            )
            if accepts(path, name):
                kept.append(root + b" " + place)
    return kept


@pytest.mark.parametrize(
    "path", ["/Photos/A.JPG", "/fé/\u212a/cafe\u0301.jpg", "/strasse/sea/a.jpg", "/n\ufffdl/0", "/photos"]
)
def test_equal_paths_are_found_as_python_compares_them(connection: Connection, path: str) -> None:
    expected = one_by_one(lambda whole, _: fold(whole) == fold(path))
    assert found(connection, path_in(connection, [path, "/nowhere"])) == expected
    assert expected or path == "/photos"


def test_no_function_of_python_is_called_for_each_file(connection: Connection) -> None:
    for where in (path_like(connection, "*/é*"), path_in(connection, ["/é"]), name_like("é*")):
        assert "sightline_" not in str(where)


def test_a_pattern_that_sqlite_rejects_is_an_invalid_query(connection: Connection) -> None:
    longest = "?" * MAX_PATTERN_BYTES
    assert found(connection, path_like(connection, longest)) == []
    assert found(connection, name_like(longest)) == []
    with pytest.raises(InvalidQuery, match="too long"):
        name_like(longest + "?")
    with pytest.raises(InvalidQuery, match="too long"):
        path_like(connection, "é" * (MAX_PATTERN_BYTES // 2 + 1))


@pytest.mark.parametrize(
    ("pattern", "places"),
    [
        (
            "*.jpg",
            {
                b"a.jpg",
                b"A.JPG",
                b"sea/a.jpg",
                b"sea/.jpg",
                b"caf\xc3\xa9.jpg",
                b"cafe\xcc\x81.jpg",
                b"\xe2\x84\xaa.jpg",
                b"/photos/a.jpg",
                b"http://host/a.jpg",
            },
        ),
        ("n?l", {b"n\xfcl", b"n\x80l", b"n\xe2\x82l"}),
        ("K.JPG", {b"\xe2\x84\xaa.jpg"}),
        ("a", {b"100%_/a", b"stra\xc3\x9fe/a"}),
    ],
)
def test_examples_of_name_patterns(connection: Connection, pattern: str, places: set[bytes]) -> None:
    assert {line.split(b" ", 1)[1] for line in found(connection, name_like(pattern))} == places


def test_examples_of_path_patterns(connection: Connection) -> None:
    assert found(connection, path_like(connection, "/photos/100%_\\/SEA/?.*")) == [b"/Photos/100%_\\ sea/a.jpg"]
    assert found(connection, path_like(connection, "*/strasse/sea/?.jpg")) == [b"/straSSe sea/a.jpg"]


def test_pattern_with_more_roots_than_an_expression_may_be_deep(empty_library: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(empty_library, tmp_path / "library")
    with Library.open(tmp_path / "library") as library, library.transaction() as connection:
        for number in range(1, 1_200 + 1):
            connection.execute(insert(Root).values(id=number, path=b"/r%d" % number, added_at=datetime(2026, 1, 1)))  # noqa: DTZ001
            connection.execute(
                insert(Content).values(id=number, digest=b"%32d" % number, size=1, format="", width=0, height=0)
            )
            connection.execute(
                insert(Picture).values(
                    root_id=number, relpath=b"a", size=1, mtime_ns=1, content_id=number, state="present"
                )
            )
        for pattern in ("/r1*", "*1/a", "/r?/a", "*"):
            expected = [number for number in range(1, 1_200 + 1) if matches(f"/r{number}/a", pattern)]
            where = path_like(connection, pattern)
            assert (
                connection.execute(select(Picture.content_id).where(where).order_by(Picture.id)).scalars().all()
                == expected
            )


@given(st.text("*?ab/", max_size=8), st.text("ab/", max_size=5), st.text("ab/", max_size=5))
@example("*a*b*", "ab", "")
@example("***", "a", "b")
def test_remainders_match_the_rest_of_a_text(pattern: str, beginning: str, text: str) -> None:
    remaining = remainders(pattern, beginning)
    assert any(matches(text, rest) for rest in remaining) == matches(beginning + text, pattern)
    assert len(set(remaining)) == len(remaining)


def test_examples_of_remainders() -> None:
    assert remainders("*/sea/*", "/photos/") == ("*/sea/*", "sea/*")
    assert remainders("/photos/*", "/photos/") == ("*",)
    assert remainders("/other/*", "/photos/") == ()


def test_pattern_of_only_stars_is_fast(connection: Connection) -> None:
    started = process_time()
    assert len(found(connection, path_like(connection, "*" * 10_000))) == (len(ROOTS) - 1) * len(PLACES) + len(
        DOCUMENTS
    )
    assert process_time() - started < 5  # trying every pair of stars takes minutes
