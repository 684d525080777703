"""Pairing of RAW files and moving parts with pictures by their names."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.companions import MAX_MOVING_PART_BYTES, RAW_SUFFIXES, pair_companions
from indexer.file_names import folded, split_name, suffix_of


def paired(names: list[str], size: int | None = 3_000_000, *, reads_heif: bool = True) -> dict[str, list[str]]:
    found = pair_companions(map(str.encode, names), lambda _: size, reads_heif=reads_heif)
    return {still.decode(): [companion.decode() for companion in some] for still, some in found.items()}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.jpg", "a.nef"], {"a.jpg": ["a.nef"]}),
        (["A.JPG", "a.CR3", "a.mov"], {"A.JPG": ["a.CR3", "a.mov"]}),
        (["a.heic", "a.mov", "a.dng"], {"a.heic": ["a.dng", "a.mov"]}),
        (["a.heic", "a.jpg", "a.dng"], {"a.heic": ["a.dng"], "a.jpg": ["a.dng"]}),
        (["a.png", "a.tif", "a.nef", "a.mov"], {}),  # a rendition of its own
        (["a.nef", "a.mov"], {}),
        (["a.jpg", "ab.nef", "b.mov"], {}),
        (["I.jpg", "i.jpg", "I.nef", "i.nef"], {"I.jpg": ["I.nef"], "i.jpg": ["i.nef"]}),
        (["IM.jpg", "im.jpg", "Im.nef"], {}),
        (["IM.jpg", "im.nef", "Im.nef"], {}),
        (["IM.jpg", "im.nef", "IM.nef"], {"IM.jpg": ["IM.nef"]}),
        (["a.jpg", "a.avi", "a.mkv"], {}),
        (["P.MP.jpg", "P.MP"], {"P.MP.jpg": ["P.MP"]}),
        (["P.RAW-01.COVER.jpg", "P.RAW-02.ORIGINAL.dng"], {"P.RAW-01.COVER.jpg": ["P.RAW-02.ORIGINAL.dng"]}),
    ],
)
def test_files_of_one_shot_are_paired(names: list[str], expected: dict[str, list[str]]) -> None:
    assert paired(names) == expected


def test_a_film_is_not_a_moving_part() -> None:
    assert paired(["a.jpg", "a.mp4"], MAX_MOVING_PART_BYTES) == {"a.jpg": ["a.mp4"]}
    assert paired(["a.jpg", "a.mp4"], MAX_MOVING_PART_BYTES + 1) == {}
    assert paired(["a.jpg", "a.mp4"], None) == {}  # a folder, or gone


def test_a_raw_file_is_a_picture_if_the_heic_file_beside_it_cannot_be_read() -> None:
    assert paired(["a.heic", "a.dng"], reads_heif=False) == {}
    assert paired(["a.jpg", "a.dng"], reads_heif=False) == {"a.jpg": ["a.dng"]}


stems = st.sampled_from(["a", "A", "aa", "aA", "x\udce9", "X\udce9", "é", "e\u0301"])
files = st.sets(st.tuples(stems, st.sampled_from(["jpg", "JPG", "heic", "nef", "NEF", "mov", "png"])).map(".".join))


@given(files, st.randoms(use_true_random=False))
def test_pairing_of_companions_never_crosses(some: set[str], shuffle: random.Random) -> None:
    names = [name.encode("utf-8", "surrogateescape") for name in some]
    pairs = pair_companions(names, lambda _: 1)
    companions = {name for each in pairs.values() for name in each}
    assert not companions & pairs.keys()
    for still, each in pairs.items():
        for name in each:
            assert folded(split_name(still)[0]) == folded(split_name(name)[0])
    for name in names:
        stills = [still for still in names if suffix_of(still) in (b"jpg", b"heic")]
        exact = {still for still in stills if split_name(still)[0] == split_name(name)[0]}
        if suffix_of(name) in RAW_SUFFIXES and exact:
            assert {still for still, each in pairs.items() if name in each} == exact
    shuffle.shuffle(names)
    assert pair_companions(names, lambda _: 1) == pairs
