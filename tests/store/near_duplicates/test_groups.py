"""Groups of near-duplicates: thresholds, anchors, updates and running time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlalchemy import delete, insert, select, update

from store import Library, Writer
from store.catalog.tables import Content, PerceptualHashRow, Picture, PictureState
from store.check import verify
from store.near_duplicates.group_queries import duplicate_anchors, list_duplicate_groups, near_duplicate_records
from store.near_duplicates.grouper import BLOCK_SIZE, Closest, DuplicateGrouper, DuplicateThresholds
from store.near_duplicates.groups import MAX_TRIES, compute_duplicate_groups, update_near_duplicate_groups
from store.near_duplicates.hashes import PerceptualHash, record_hashes
from store.spaces.registry import StoredSpace
from tests.support.writers import publish, run_repair

Put = Callable[..., list[int]]


def flipped(bits: bytes, *places: int) -> bytes:
    """`bits` with the bits at `places` flipped."""
    number = int.from_bytes(bits)
    for place in places:
        number ^= 1 << place
    return number.to_bytes(32)


BITS = bytes(range(32))


def hashes(library: Library, bits_by_content: dict[int, bytes | None]) -> None:
    with library.exclusive() as writer:
        record_hashes(writer, {content_id: PerceptualHash(1, bits) for content_id, bits in bits_by_content.items()})


def update_groups(library: Library, stored: StoredSpace, thresholds: DuplicateThresholds | None = None) -> int:
    return update_near_duplicate_groups(library, stored, thresholds)


def anchors(library: Library) -> dict[int, int]:
    with library.read() as connection:
        ids = list(connection.execute(select(Content.id)).scalars())
    return duplicate_anchors(library, ids)


def groups(library: Library) -> list[list[int]]:
    return [[record.id for record in records] for records in list_duplicate_groups(library)]


def test_hash_alone_decides_below_certain_bits(library: Library, stored: StoredSpace, put: Put) -> None:
    one, near, far = put(1, 2, 3)  # their vectors are unrelated
    hashes(library, {one: BITS, near: flipped(BITS, *range(24)), far: flipped(BITS, *range(25))})
    assert update_groups(library, stored) == 3
    assert anchors(library) == {one: one, near: one, far: far}


def test_embeddings_decide_between_certain_bits_and_max_bits(library: Library, stored: StoredSpace, put: Put) -> None:
    one, other = put(1, 2)
    hashes(library, {one: BITS, other: flipped(BITS, *range(40))})
    assert compute_duplicate_groups(library, stored, DuplicateThresholds(min_cosine=-1)) == {one: one, other: one}
    assert compute_duplicate_groups(library, stored, DuplicateThresholds(min_cosine=0.99)) == {one: one, other: other}
    assert compute_duplicate_groups(library, stored, DuplicateThresholds(max_bits=39, min_cosine=-1)) == {
        one: one,
        other: other,
    }


def test_contents_without_a_vector_need_certain_bits(library: Library, stored: StoredSpace, put: Put) -> None:
    from store.catalog.tables import Embedding

    one, other = put(1, 2)
    hashes(library, {one: BITS, other: flipped(BITS, *range(30))})
    with library.transaction() as connection:
        connection.execute(delete(Embedding).where(Embedding.content_id == other))
    assert compute_duplicate_groups(library, stored, DuplicateThresholds(min_cosine=-1)) == {one: one, other: other}


def test_pictures_without_a_hash_have_no_group(library: Library, stored: StoredSpace, put: Put) -> None:
    black, blacker = put(1, 2)
    hashes(library, {black: None, blacker: None})
    assert update_groups(library, stored) == 0
    assert anchors(library) == {}


def test_chain_ends_where_pictures_are_far_from_the_anchor(library: Library, stored: StoredSpace, put: Put) -> None:
    ids = put(*range(1, 11))
    hashes(library, {content_id: flipped(BITS, *range(12 * step)) for step, content_id in enumerate(ids)})
    update_groups(library, stored, DuplicateThresholds(min_cosine=2))
    found = anchors(library)
    assert [found[content_id] for content_id in ids] == [ids[step - step % 3] for step in range(10)]


def test_best_picture_is_the_anchor(library: Library, stored: StoredSpace, put: Put) -> None:
    small, large = put(1, 2)
    with library.transaction() as connection:
        connection.execute(update(Content).where(Content.id == large).values(width=4000))
    hashes(library, {small: BITS, large: BITS})
    update_groups(library, stored)
    assert anchors(library) == {small: large, large: large}


def test_update_compares_only_new_contents(library: Library, stored: StoredSpace, put: Put) -> None:
    one, other = put(1, 2)
    hashes(library, {one: BITS, other: flipped(BITS, *range(100))})
    update_groups(library, stored)
    (later,) = put(3)
    hashes(library, {later: flipped(BITS, 7), one: BITS})
    assert update_groups(library, stored) == 1
    assert anchors(library) == {one: one, other: other, later: one}
    assert update_groups(library, stored) == 0
    records = near_duplicate_records(library, [one, other, later])
    assert {content_id: [record.id for record in others] for content_id, others in records.items()} == {
        one: [later],
        later: [one],
    }
    assert groups(library) == [[one, later]]


def test_new_hash_version_is_compared_again(library: Library, stored: StoredSpace, put: Put) -> None:
    one, other = put(1, 2)
    hashes(library, {one: BITS, other: BITS})
    update_groups(library, stored)
    with library.exclusive() as writer:
        record_hashes(writer, {other: PerceptualHash(2, flipped(BITS, *range(100)))})
    assert update_groups(library, stored) == 1
    assert anchors(library) == {one: one, other: other}


def test_members_of_a_deleted_anchor_are_grouped_again(library: Library, stored: StoredSpace, put: Put) -> None:
    anchor, one, other = put(1, 2, 3)
    hashes(library, {anchor: BITS, one: flipped(BITS, 1), other: flipped(BITS, 2)})
    update_groups(library, stored)
    with library.transaction() as connection:
        connection.execute(delete(Picture).where(Picture.content_id == anchor))
        connection.execute(delete(Content).where(Content.id == anchor))
    assert anchors(library) == {}
    assert update_groups(library, stored) == 2
    assert anchors(library) == {one: one, other: one}


def test_group_needs_several_present_files(library: Library, stored: StoredSpace, put: Put) -> None:
    (one,) = put(1)
    (gone,) = put(2, state=PictureState.MISSING)
    hashes(library, {one: BITS, gone: BITS})
    update_groups(library, stored)
    assert groups(library) == []


@pytest.mark.parametrize("damage", ["short", "headless"])
def test_broken_groups_are_found_and_repaired(library: Library, stored: StoredSpace, put: Put, damage: str) -> None:

    one, other, third = put(1, 2, 3)
    hashes(library, {one: BITS, other: BITS, third: flipped(BITS, *range(90))})
    update_groups(library, stored)
    publish(library, stored)
    assert verify(library) == []
    values = {"bits": b"xx"} if damage == "short" else {"anchor_id": third}
    with library.transaction() as connection:
        connection.execute(update(PerceptualHashRow).where(PerceptualHashRow.content_id == one).values(values))
    assert {fault.kind for fault in verify(library)} == {"duplicates"}
    assert any("near-duplicates" in done for done in run_repair(library))
    assert verify(library) == []
    assert anchors(library)[other] in (one, other)


def no_vectors(ids: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.full((len(ids), 4), np.nan, np.float32)


def group(bits: NDArray[np.uint8], nearness: DuplicateThresholds | None = None) -> NDArray[np.int64]:
    grouping = DuplicateGrouper(
        nearness or DuplicateThresholds(), no_vectors, np.empty(0, np.int64), np.empty((0, 32), np.uint8)
    )
    ids = np.arange(len(bits), dtype=np.int64)
    blocks = [
        grouping.assign(ids[at : at + BLOCK_SIZE], bits[at : at + BLOCK_SIZE]) for at in range(0, len(ids), BLOCK_SIZE)
    ]
    return np.concatenate(blocks)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(0, 60))
def test_members_are_near_their_anchor_and_anchors_are_not_near_each_other(seed: int, number: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    seeds = rng.integers(0, 256, (3, 32), dtype=np.uint8)
    noise = np.packbits(rng.random((number, 256)) < rng.uniform(0, most / 256, (number, 1)), axis=1)
    bits = seeds[rng.integers(0, 3, number)] ^ noise
    found = group(bits)
    distances = np.bitwise_count(bits[:, None] ^ bits[None]).sum(axis=2)
    heads = np.unique(found)
    assert (distances[np.arange(number), found] <= 24).all()
    assert (found[heads] == heads).all()
    assert all(distances[one, other] > 24 for one in heads for other in heads if one != other)


def test_twenty_thousand_equal_pictures_are_grouped_quickly() -> None:
    bits = np.tile(np.arange(32, dtype=np.uint8), (20_000, 1))
    bits[np.arange(20_000), np.arange(20_000) % 32] ^= 1  # each is near some others, but not all
    started = process_time()
    assert (group(bits) == 0).all()
    assert process_time() - started < 20


def test_the_writer_lock_is_free_while_hashes_are_compared(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes(library, {content_id: flipped(BITS, content_id) for content_id in put(1, 2, 3)})
    free, closest = [], DuplicateGrouper.closest

    def noted(self: DuplicateGrouper, bits: NDArray[np.uint8]) -> Closest:
        with Library.open(library.path) as other, other.exclusive_if_free() as writer:
            free.append(writer is not None)
        return closest(self, bits)

    monkeypatch.setattr(DuplicateGrouper, "closest", noted)
    assert update_groups(library, stored) == 3
    assert free == [True]


@pytest.mark.parametrize("times", [1, 2, 5])
def test_groups_that_others_make_before_the_lock_is_taken_are_joined(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """Another process makes a group each time after hashes were compared, more often than that is repeated."""
    contents = put(*range(1, 9))
    one, others = contents[0], contents[1:]
    hashes(library, {one: BITS})
    exclusive, made = Library.exclusive, list[int]()

    @contextmanager
    def after_others(self: Library, *arguments: Callable[[], None] | None) -> Iterator[Writer]:
        if self is library and len(made) < times:
            made.append(others[len(made)])
            with Library.open(library.path) as other, exclusive(other) as writer, writer.transaction() as connection:
                first = {"content_id": made[-1], "version": 1, "bits": flipped(BITS, len(made)), "anchor_id": made[0]}
                connection.execute(insert(PerceptualHashRow), first)
        with exclusive(self, *arguments) as writer:
            yield writer

    monkeypatch.setattr(Library, "exclusive", after_others)
    assert update_groups(library, stored) == 1
    assert anchors(library)[one] == made[0]
    assert len(made) == min(times, MAX_TRIES)


def test_a_content_that_others_have_grouped_is_not_compared_again(
    library: Library, stored: StoredSpace, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, near, far = put(1, 2, 3)
    hashes(library, {one: BITS, near: flipped(BITS, 1), far: flipped(BITS, *range(100))})
    closest, done = DuplicateGrouper.closest, list[bool]()

    def after_others(self: DuplicateGrouper, bits: NDArray[np.uint8]) -> Closest:
        if not done:
            done.append(True)
            with Library.open(library.path) as other, other.exclusive() as writer, writer.transaction() as connection:
                connection.execute(update(PerceptualHashRow).values(anchor_id=PerceptualHashRow.content_id))
        return closest(self, bits)

    monkeypatch.setattr(DuplicateGrouper, "closest", after_others)
    assert update_groups(library, stored) == 0
    assert anchors(library) == {one: one, near: near, far: far}
