"""Frame IDs: one integer for a content and the number of a frame."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from store.catalog.frame_ids import CONTENT_BITS, MAX_FRAMES, content_of, frame_id, has_further_frames, number_of

contents = st.integers(1, 2**CONTENT_BITS - 1)
numbers = st.integers(0, MAX_FRAMES - 1)


@given(contents, numbers)
def test_content_and_number_are_recovered(content: int, number: int) -> None:
    frame = frame_id(content, number)
    assert (content_of(frame), number_of(frame)) == (content, number)
    ids = np.array([frame], np.int64)  # raises `OverflowError` above 63 bits
    assert (content_of(ids).tolist(), number_of(ids).tolist()) == ([content], [number])
    assert has_further_frames(ids) == (number > 0)


@given(contents)
def test_first_frame_has_the_id_of_the_content(content: int) -> None:
    assert frame_id(content, 0) == content


@given(contents, numbers, contents, numbers)
def test_first_frames_sort_before_further_ones(one: int, first: int, other: int, second: int) -> None:
    by_number = (first, one) < (second, other)
    assert (frame_id(one, first) < frame_id(other, second)) == by_number


def test_the_largest_frame_id_fits_into_64_signed_bits() -> None:
    assert frame_id(2**CONTENT_BITS - 1, MAX_FRAMES - 1) == 2**63 - 1


def test_no_ids_have_no_further_frames() -> None:
    assert not has_further_frames(np.array([], np.int64))
    assert not has_further_frames(np.array([1, 2**CONTENT_BITS - 1], np.int64))
    assert has_further_frames(np.array([1, 2**CONTENT_BITS], np.int64))
