"""Verdicts that pictures are not near-duplicates: they separate groups at once, and whenever groups are computed."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from store import Library
from store.catalog.tables import Content, DistinctPair, PerceptualHashRow, Picture, PictureState
from store.check import verify
from store.forget import forget
from store.near_duplicates.group_queries import duplicate_anchors, near_duplicate_records
from store.near_duplicates.grouper import DuplicateThresholds
from store.near_duplicates.groups import compute_duplicate_groups, update_near_duplicate_groups
from store.near_duplicates.hashes import PerceptualHash, record_hashes
from store.near_duplicates.verdicts import (
    count_verdicts,
    list_verdicts,
    pairs_among,
    tell_apart,
    withdraw_verdicts,
)
from store.spaces.registry import StoredSpace
from tests.support.writers import publish, run_repair

Put = Callable[..., list[int]]
BITS = bytes(range(32))


def flipped(*places: int) -> bytes:
    number = int.from_bytes(BITS)
    for place in places:
        number ^= 1 << place
    return number.to_bytes(32)


def hashes(library: Library, bits: dict[int, bytes], version: int = 1) -> None:
    with library.exclusive() as writer:
        record_hashes(writer, {content_id: PerceptualHash(version, each) for content_id, each in bits.items()})


def anchors(library: Library) -> dict[int, int]:
    with library.read() as connection:
        ids = list(connection.execute(select(Content.id)).scalars())
    return duplicate_anchors(library, ids)


@pytest.fixture
def alike(library: Library, stored: StoredSpace, put: Put) -> list[int]:
    """Four contents of one group. The first is the anchor, the last is 20 bits from the others."""
    ids = put(1, 2, 3, 4)
    hashes(library, dict(zip(ids, [BITS, flipped(1), flipped(2), flipped(*range(20))], strict=True)))
    update_near_duplicate_groups(library, stored)
    assert set(anchors(library).values()) == {ids[0]}
    return ids


def test_pairs() -> None:
    assert pairs_among([3, 1, 3, 2]) == [(1, 2), (1, 3), (2, 3)]
    assert pairs_among([2], [1, 2, 3, 3]) == [(1, 2), (2, 3)]
    assert pairs_among([1]) == []


def test_member_told_apart_from_the_others_leaves_the_group(library: Library, alike: list[int]) -> None:
    one, two, three, four = alike
    assert tell_apart(library, pairs_among([three], [one, two, four])) == 3
    assert anchors(library) == {one: one, two: one, three: three, four: one}
    assert [record.id for record in near_duplicate_records(library, [one])[one]] == [two, four]
    assert tell_apart(library, pairs_among([three], [one, two, four, 999])) == 0


def test_members_told_apart_keep_the_better_one_in_the_group(library: Library, alike: list[int]) -> None:
    one, two, three, four = alike
    with library.transaction() as connection:
        connection.execute(update(Content).where(Content.id == three).values(width=99))
    tell_apart(library, [(two, three)])
    assert anchors(library) == {one: one, two: two, three: one, four: one}


def test_anchor_told_apart_stays_and_the_others_stay_together(library: Library, alike: list[int]) -> None:
    one, two, three, four = alike
    tell_apart(library, pairs_among([one], [two, three, four]))
    assert anchors(library) == {one: one, two: two, three: two, four: two}


def test_withdrawn_verdict_joins_the_groups_again(library: Library, alike: list[int]) -> None:
    one, *_ = alike
    pairs = pairs_among(alike)
    assert tell_apart(library, pairs) == 6
    assert anchors(library) == {each: each for each in alike}
    assert (count_verdicts(library), list_verdicts(library, 2)) == (6, pairs[:2])
    assert list_verdicts(library, 9, pairs[1]) == pairs[2:]
    assert withdraw_verdicts(library, [*pairs, (1, 999)]) == 6
    assert anchors(library) == dict.fromkeys(alike, one)
    assert withdraw_verdicts(library, pairs) == 0


def test_verdict_holds_when_groups_are_computed_again(library: Library, alike: list[int], stored: StoredSpace) -> None:
    one, two, three, four = alike
    tell_apart(library, [(one, two)])
    expected = {one: one, two: two, three: one, four: one}
    assert compute_duplicate_groups(library, stored, DuplicateThresholds()) == expected
    with library.transaction() as connection:
        connection.execute(update(PerceptualHashRow).values(anchor_id=None))
    update_near_duplicate_groups(library, stored)
    assert anchors(library) == expected
    hashes(library, dict.fromkeys(alike, BITS), version=2)
    update_near_duplicate_groups(library, stored)
    found = anchors(library)
    assert found[one] != found[two]
    assert set(found) == set(alike)


def test_new_content_joins_only_the_group_that_it_may(
    library: Library, alike: list[int], stored: StoredSpace, put: Put
) -> None:
    one, *_ = alike
    (new,) = put(5)
    assert tell_apart(library, [(one, new)]) == 1
    hashes(library, {new: BITS})
    update_near_duplicate_groups(library, stored)
    assert anchors(library)[new] == new


def test_verdicts_last_while_files_are_missing_and_end_when_forgotten(library: Library, alike: list[int]) -> None:
    one, two, *_ = alike
    tell_apart(library, [(one, two)])
    with library.transaction() as connection:
        connection.execute(update(Picture).where(Picture.content_id == two).values(state=PictureState.MISSING))
    assert count_verdicts(library) == 0
    with library.read() as connection:
        assert connection.scalar(select(DistinctPair.second_id)) == two
    forget(library, library.path.parent / "photos" / "0002.png")
    with library.read() as connection:
        assert connection.scalar(select(DistinctPair.second_id)) is None


def test_verify_finds_and_repair_separates_contents_that_were_told_apart(
    library: Library, alike: list[int], stored: StoredSpace
) -> None:
    one, two, three, _ = alike
    publish(library, stored)
    with library.transaction() as connection:
        connection.execute(insert(DistinctPair).values(first_id=one, second_id=two))
    (fault,) = [fault for fault in verify(library) if fault.kind == "duplicates"]
    assert f"({two})" in fault.detail
    run_repair(library)
    assert [fault for fault in verify(library) if fault.kind == "duplicates"] == []
    assert (anchors(library)[two], anchors(library)[three]) == (two, one)


CLUSTERS = st.lists(st.integers(0, 2), min_size=8, max_size=8)
VERDICTS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.booleans()), max_size=10)


@given(clusters=CLUSTERS, verdicts=VERDICTS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_verdicts_separate_groups_and_only_those(
    library: Library, put: Put, stored: StoredSpace, clusters: list[int], verdicts: list[tuple[int, int, bool]]
) -> None:
    with library.read() as connection:
        ids = sorted(connection.execute(select(Content.id)).scalars()) or put(*range(8))
    with library.transaction() as connection:
        connection.execute(delete(DistinctPair))
        connection.execute(delete(PerceptualHashRow))
    bits = [flipped(*range(60 * cluster, 60 * cluster + 60)) for cluster in clusters]  # 120 bits apart
    hashes(library, dict(zip(ids, bits, strict=True)))
    update_near_duplicate_groups(library, stored)
    apart = set[tuple[int, int]]()
    for one, other, is_told in verdicts:
        pairs = pairs_among([ids[one], ids[other]])
        (tell_apart if is_told else withdraw_verdicts)(library, pairs)
        apart = apart | set(pairs) if is_told else apart - set(pairs)
    found = anchors(library)
    group_of = dict(zip(ids, clusters, strict=True))
    assert set(found) == set(ids)
    assert all(found[one] != found[other] for one, other in apart)
    assert all(found[found[each]] == found[each] and group_of[found[each]] == group_of[each] for each in ids)
    untouched = [each for each in ids if not any(each in pair for pair in apart)]
    for cluster in set(clusters):
        alike = {found[each] for each in untouched if group_of[each] == cluster}
        assert len(alike) <= 1, "these were never told apart"
    assert [fault for fault in verify(library) if fault.kind == "duplicates"] == []
