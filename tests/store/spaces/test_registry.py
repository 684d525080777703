"""Spaces: registration, fingerprints, revisions, and the active space."""

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import Connection, select

from core.errors import AmbiguousSpace, SpaceMismatch
from core.space import Space
from encoders.fake import FakeEncoder
from store import Library
from store.catalog.tables import LibraryState
from store.library import mark_changed
from store.spaces import space_fill
from store.spaces.drop import drop_space
from store.spaces.registry import (
    SpaceSummary,
    activate,
    active_space,
    find_spaces,
    list_spaces,
    named_space,
    register,
    require_active,
    revision_of,
)

SPACE = FakeEncoder().space


def test_space_is_registered_once_and_read_back(library: Library) -> None:
    with library.transaction() as connection:
        first = register(connection, SPACE)
        again = register(connection, SPACE, dtype="float32")  # the dtype does not change
    assert first == again
    assert again.dtype == "float16"
    assert again.space.fingerprint == SPACE.fingerprint  # also after JSON has made tuples into lists
    with library.read() as connection:
        assert [summary.stored for summary in list_spaces(library)] == [first]


def test_other_preprocessing_is_another_space(library: Library) -> None:
    other = replace(SPACE, preprocessing={**SPACE.preprocessing, "version": 99})
    with library.transaction() as connection:
        stored = register(connection, SPACE)
        activate(connection, stored)
        assert register(connection, other).id != stored.id
    assert active_space(library) == stored
    assert require_active(library, SPACE) == stored
    with pytest.raises(SpaceMismatch) as caught:
        require_active(library, other)
    assert (caught.value.expected, caught.value.found) == (str(SPACE), str(other))


def test_no_space_is_active_in_a_new_library(library: Library) -> None:
    assert active_space(library) is None
    with pytest.raises(SpaceMismatch, match="nothing yet"):
        require_active(library, SPACE)


def test_list_spaces_returns_all_spaces_and_the_active_one(library: Library) -> None:
    with library.transaction() as connection:
        one = register(connection, SPACE)
        two = register(connection, Space("other", "w", 4), dtype="float32")
        activate(connection, two)
    assert list_spaces(library) == [SpaceSummary(one, 0, False), SpaceSummary(two, 0, True)]


def test_versions_of_a_model_are_found_by_name(library: Library) -> None:
    with library.transaction() as connection:
        old, new = (register(connection, Space("paint", f"{version}:abc", 4)) for version in "12")
    assert find_spaces(library, "paint") == [old, new]
    for name in ("paint@1", "paint 1", old.space.fingerprint[:12]):
        assert named_space(library, name) == old
    for prefer_active in (False, True):
        with pytest.raises(AmbiguousSpace) as caught:
            named_space(library, "paint", prefer_active=prefer_active)
        assert f"paint@1 ({old.space.fingerprint[:12]}), paint@2 (" in str(caught.value)
    with library.transaction() as connection:
        activate(connection, new)
    assert named_space(library, "paint", prefer_active=True) == new
    assert named_space(library, "paint@1", prefer_active=True) == old
    with pytest.raises(AmbiguousSpace):
        named_space(library, "paint")


def test_a_model_is_found_before_a_version_of_the_same_name(library: Library) -> None:
    with library.transaction() as connection:
        register(connection, Space("paint", "1:abc", 4))
        model = register(connection, Space("paint@1", "abc", 4))
    assert named_space(library, "paint@1") == model


@pytest.mark.parametrize(("dtype", "size"), [("float16", 2), ("float32", 4)])
def test_vectors_are_stored_little_endian(library: Library, dtype: str, size: int) -> None:
    with library.transaction() as connection:
        stored = register(connection, SPACE, dtype=dtype)
    blob = stored.to_bytes(np.array([1.0, -2.0], np.float64))
    one, minus_two = {"float16": ("003c", "00c0"), "float32": ("0000803f", "000000c0")}[dtype]
    assert blob == bytes.fromhex(one + minus_two)
    assert stored.storage.itemsize == size


def test_each_space_has_its_own_revision(library: Library) -> None:
    """Filling one space must not make the index file of another one stale."""
    with library.transaction() as connection:
        one = register(connection, SPACE)
        two = register(connection, Space("other", "w", 4))
        before, clock = revision_of(connection, one), library_revision(connection)
        mark_changed(connection, two.id)
        assert revision_of(connection, one) == before
        assert revision_of(connection, two) == library_revision(connection) == clock + 1
        mark_changed(connection)
        assert revision_of(connection, one) == revision_of(connection, two) == clock + 2
        activate(connection, two)  # noticed by searchers, and no vector has changed
        assert library_revision(connection) == clock + 3
        assert revision_of(connection, two) == clock + 2


def test_space_that_is_dropped_and_created_again_gets_a_new_revision(library: Library) -> None:
    with library.transaction() as connection:
        first = register(connection, SPACE)
        mark_changed(connection, first.id)
        seen = revision_of(connection, first)
        drop_space(connection, first)
        assert revision_of(connection, first) is None
        again = register(connection, SPACE)
        assert seen is not None
        assert (revision_of(connection, again) or 0) > seen
        drop_space(connection, again)
        other = register(connection, Space("other", "w", 4))
        if library.backend.name == "sqlite":
            assert other.id == again.id  # it uses the number again
        assert revision_of(connection, again) is None


def test_dropping_the_active_space_activates_a_complete_space_first(library: Library) -> None:
    with library.exclusive() as writer:
        space_fill.begin(writer, Space("half", "w", 4))
    with library.transaction() as connection:
        active, other = register(connection, SPACE), register(connection, Space("other", "w", 4))
        activate(connection, active)
        drop_space(connection, active)
    assert active_space(library) == other


def library_revision(connection: Connection) -> int:
    return connection.execute(select(LibraryState.revision)).scalar_one()
