"""Lists of any length: a statement of SQLite takes 32,766 values, and one of PostgreSQL 65,535."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from store import Library
from store.albums.by_hand import add_to_album, contents_of_album, create_album, remove_from_album
from store.catalog.id_sets import read_ids
from store.content_digests import contents_with_digests, digests_of
from store.filters.conditions import FieldTest, Op
from store.filters.selection import select_matching
from store.frames import load_frames
from store.near_duplicates.verdicts import tell_apart, withdraw_verdicts
from store.people import people_of, set_people
from store.queries import load_content_records, load_dates_taken
from store.ratings import rate
from store.spaces.embeddings import load_vectors
from store.spaces.named_contents import embedded_contents
from store.spaces.registry import StoredSpace
from store.tags import Tagging, add_tags, relabel, remove_tags, tagged_by, tags_of
from store.texts import load_texts
from store.written_sidecars import said_files, said_in_folder

pytestmark = pytest.mark.slow

MANY = 70_000


@pytest.fixture
def ids(put: Callable[..., list[int]]) -> list[int]:
    """The IDs of two contents among many that do not exist."""
    one, two = put(1, 2)
    return [one, two, *range(1_000_000, 1_000_000 + MANY)]


def test_tags_and_ratings_take_any_number_of_contents(library: Library, ids: list[int]) -> None:
    assert add_tags(library, [Tagging(content_id, "sea") for content_id in ids]) == 2
    assert tags_of(library, ids).keys() == tagged_by(library, ids, "sea") == set(ids[:2])
    relabel(library, ids, ["sea"], [Tagging(content_id, "sky", 0.5) for content_id in ids])
    assert remove_tags(library, ids, ["sea"]) == 2
    assert rate(library, ids, 4) == dict.fromkeys(ids[:2])


def test_albums_take_any_number_of_contents(library: Library, ids: list[int]) -> None:
    assert create_album(library, "Trip", ids) == 2
    assert add_to_album(library, "Trip", ids) == 0
    assert contents_of_album(library, "Trip") == ids[:2]
    assert remove_from_album(library, "Trip", ids) == 2


def test_verdicts_take_any_number_of_pairs(library: Library, ids: list[int]) -> None:
    pairs = list(pairwise(ids))
    assert tell_apart(library, pairs) == 1
    assert withdraw_verdicts(library, pairs) == 1


def test_contents_are_read_by_any_number_of_ids(library: Library, stored: StoredSpace, ids: list[int]) -> None:
    array = np.array(ids, np.int64)
    digests = digests_of(library, ids)
    assert digests.keys() == load_content_records(library, ids).keys() == set(ids[:2])
    many = [*digests.values(), *(number.to_bytes(32) for number in ids)]
    assert contents_with_digests(library, many) == {digest: key for key, digest in digests.items()}
    assert (load_frames(library, ids), load_texts(library, ids), load_dates_taken(library, array)) == ({}, {}, {})
    assert load_vectors(library, stored, array).shape == (len(ids), stored.space.dim)
    with library.read() as connection:
        chosen = FieldTest("id", Op.IN, tuple(ids))
        assert read_ids(connection, select_matching(connection, chosen)).tolist() == ids[:2]
        assert people_of(connection, ids) == {}
    with library.transaction() as connection:
        set_people(connection, dict.fromkeys(ids, ()))


def test_files_are_read_by_any_number_of_names(library: Library, stored: StoredSpace, ids: list[int]) -> None:
    names = [f"{number}.png" for number in ids]
    folder = library.path.parent
    assert embedded_contents(library, stored, folder, names) == [None] * len(names)
    assert embedded_contents(library, stored, folder, [f"\udcff{name}" for name in names]) == [None] * len(names)
    assert said_files(library, ids) == said_in_folder(library, folder, b"", {name.encode() for name in names}) == []
