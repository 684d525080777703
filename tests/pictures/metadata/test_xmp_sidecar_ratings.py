"""Changing ratings in XMP sidecars: those of other programs stay unless they are to be replaced."""

import re

import pytest

from pictures.metadata.xmp import read_xmp
from pictures.metadata.xmp_sidecar import SaidTags, edit_sidecar
from tests.support.xmp_sidecars import DARKTABLE, sidecar


@pytest.mark.parametrize(
    "there",
    [
        sidecar(attributes="xmp:Rating='2' dc:format = 'image/jpeg'"),
        sidecar("<xmp:Rating>2</xmp:Rating><dc:format>image/jpeg</dc:format>"),
        sidecar("<xmp:Rating>2.0</xmp:Rating><dc:format>image/jpeg</dc:format>"),
        sidecar(attributes='dc:format="a>b" xmp:Rating = "2"'),
    ],
)
def test_the_rating_of_another_program_is_replaced_only_on_request(there: bytes) -> None:
    kept = edit_sidecar(there, SaidTags(rating=4))
    assert (kept.data, kept.other_rating) == (there, 2)
    same = edit_sidecar(there, SaidTags(rating=2))
    assert (same.data, same.other_rating) == (there, None)
    replaced = edit_sidecar(there, SaidTags(rating=4), replace_rating=True)
    assert re.sub(rb"2\.0|2", b"4", there.partition(b"xmp:Rating")[2], count=1) in replaced.data
    assert read_xmp(replaced.data).rating == 4
    changed = edit_sidecar(replaced.data, SaidTags(rating=-1), replaced.additions)
    assert read_xmp(changed.data).rating == -1
    taken_back = edit_sidecar(changed.data, SaidTags(), changed.additions)
    assert taken_back.data == there


@pytest.mark.parametrize(
    "there", ["<xmp:Rating/>", "<xmp:Rating></xmp:Rating>", "<xmp:Rating>0</xmp:Rating>", "<xmp:Rating> </xmp:Rating>"]
)
def test_no_stars_are_no_rating_of_another_program(there: str) -> None:
    edited = edit_sidecar(sidecar(there), SaidTags(rating=5))
    assert read_xmp(edited.data).rating == 5
    assert edited.data.count(b"Rating>") == 2
    assert read_xmp(edit_sidecar(edited.data, SaidTags(), edited.additions).data).rating in (None, 0)


def test_a_rating_that_was_not_there_is_taken_back() -> None:
    edited = edit_sidecar(DARKTABLE.replace(b'   xmp:Rating="2"\n', b""), SaidTags(rating=3))
    back = edit_sidecar(edited.data, SaidTags(), edited.additions)
    assert b"Rating" not in back.data
    assert back.after.rating is None
    by_another = edited.data.replace(b">3<", b">1<")
    assert edit_sidecar(by_another, SaidTags(), edited.additions).data == by_another


@pytest.mark.parametrize(
    "there",
    [
        sidecar("<xmp:Rating>&lt;a&amp;b&gt;</xmp:Rating>"),
        sidecar(attributes="xmp:Rating='&lt;a&amp;b&gt;'"),
        sidecar(attributes='xmp:Rating="&quot;"'),
    ],
)
def test_a_rating_with_special_characters_comes_back(there: bytes) -> None:
    first = edit_sidecar(there, SaidTags(rating=4), replace_rating=True)
    assert edit_sidecar(first.data, SaidTags(), first.additions).data == there
