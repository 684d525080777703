"""Queries that filter by a folder, when that folder is moved."""

from pathlib import Path

import pytest

from search.query_language.moved_folders import with_folders_moved

MOVES = {Path("/old"): Path("/new place"), Path("/old/inner"): Path("/other")}


@pytest.mark.parametrize(
    ("query", "moved"),
    [
        ("in:/old", 'in:"/new place"'),
        ('a beach in:"/old/a b" iso:100', 'a beach in:"/new place/a b" iso:100'),
        ("in:/old/inner/x or -in:/old/x", 'in:"/other/x" or -in:"/new place/x"'),
        ("in:/older tag:old in:old", "in:/older tag:old in:old"),
        ('"in:/old" a phrase', '"in:/old" a phrase'),
        ("", ""),
    ],
)
def test_folders_in_filters_are_moved(query: str, moved: str) -> None:
    assert with_folders_moved(query, MOVES) == moved
