"""Pairing of XMP files with pictures by their names."""

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.file_names import folded, split_name
from indexer.sidecars import pair_xmp

NFC, NFD = (unicodedata.normalize(form, "Müller").encode() for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("pictures", "sidecars", "expected"),
    [
        (["a.jpg"], ["a.jpg.xmp", "a.xmp"], {"a.jpg": "a.jpg.xmp"}),
        (["a.jpg"], ["a.xmp"], {"a.jpg": "a.xmp"}),
        (["a.jpg", "a.nef", "a.png"], ["a.xmp"], {"a.jpg": "a.xmp", "a.nef": "a.xmp", "a.png": "a.xmp"}),
        (["a.jpg", "a.nef"], ["a.xmp", "a.nef.xmp"], {"a.jpg": "a.xmp", "a.nef": "a.nef.xmp"}),
        (["I.jpg", "i.jpg"], ["I.xmp", "i.xmp"], {"I.jpg": "I.xmp", "i.jpg": "i.xmp"}),
        (["I.jpg", "i.jpg"], ["I.xmp"], {"I.jpg": "I.xmp"}),  # it belongs to one of the two
        (["I.JPG", "i.jpg"], ["I.Xmp"], {"I.JPG": "I.Xmp"}),
        (["IM.jpg", "im.jpg"], ["Im.xmp"], {}),
        (["IM.jpg", "im.jpg", "iM.png"], ["Im.xmp"], {}),  # of the same stem as two that cannot be told apart
        (["im.jpg"], ["Im.xmp", "IM.xmp"], {}),
        (["im.jpg"], ["Im.xmp", "IM.xmp", "im.xmp"], {"im.jpg": "im.xmp"}),
        (["IM.JPG"], ["im.jpg.xmp", "im.xmp"], {"IM.JPG": "im.jpg.xmp"}),
        (["IM.JPG", "im.png"], ["IM.xmp"], {"IM.JPG": "IM.xmp", "im.png": "IM.xmp"}),
        (["a.jpg", "a.JPG"], ["a.xmp"], {"a.jpg": "a.xmp", "a.JPG": "a.xmp"}),
        (["a.jpg"], ["a.jpg.XMP"], {"a.jpg": "a.jpg.XMP"}),
        (["a.jpg"], ["a.XMP", "a.xmp"], {"a.jpg": "a.xmp"}),
        (["a.jpg"], ["a.XMP", "a.Xmp"], {}),
        (["a.jpg", "a.jpg.png"], ["a.jpg.xmp"], {"a.jpg": "a.jpg.xmp"}),
        (["A.JPG", "a.jpg.png"], ["a.JPG.xmp"], {"A.JPG": "a.JPG.xmp"}),
        (["a.jpg"], ["b.xmp", "a.jpg.jpg.xmp", ".xmp"], {}),
        (["Straße.jpg"], ["STRASSE.xmp"], {"Straße.jpg": "STRASSE.xmp"}),
    ],
)
def test_xmp_files_are_paired_by_name(pictures: list[str], sidecars: list[str], expected: dict[str, str]) -> None:
    found = pair_xmp(map(str.encode, pictures), map(str.encode, sidecars))
    assert {picture.decode(): sidecar.decode() for picture, sidecar in found.items()} == expected


def test_names_in_another_unicode_normalization_are_paired() -> None:
    assert NFC != NFD
    assert pair_xmp([NFC + b".jpg"], [NFD + b".xmp"]) == {NFC + b".jpg": NFD + b".xmp"}
    both = pair_xmp([NFC + b".jpg", NFD + b".jpg"], [NFD + b".xmp"])
    assert both == {NFD + b".jpg": NFD + b".xmp"}


def test_names_that_are_not_utf8_are_paired_by_their_bytes() -> None:
    names = [b"caf\xe9.jpg", b"caf\xe8.jpg"]
    assert pair_xmp(names, [b"caf\xe9.xmp"]) == {b"caf\xe9.jpg": b"caf\xe9.xmp"}
    assert pair_xmp(names, [b"CAF\xe8.XMP"]) == {b"caf\xe8.jpg": b"CAF\xe8.XMP"}


stems = st.sampled_from(["a", "A", "ab", "aB", "a.jpg", "A.JPG", NFC.decode(), NFD.decode(), "x\udce9", "X\udce9"])
some_pictures = st.sets(st.tuples(stems, st.sampled_from(["jpg", "JPG", "nef", "png"])).map(".".join))
targets = st.one_of(stems, st.tuples(stems, st.sampled_from(["jpg", "nef"])).map(".".join))
some_sidecars = st.sets(st.tuples(targets, st.sampled_from(["xmp", "XMP"])).map(".".join))


@given(some_pictures, some_sidecars, st.randoms(use_true_random=False))
def test_pairing_never_crosses_and_prefers_exact_names(
    pictures: set[str], sidecars: set[str], shuffle: random.Random
) -> None:
    names, files = ([name.encode("utf-8", "surrogateescape") for name in some] for some in (pictures, sidecars))
    pairs = pair_xmp(names, files)
    for picture, sidecar in pairs.items():
        target = folded(split_name(sidecar)[0])
        assert target in (folded(picture), folded(split_name(picture)[0]))
    for picture in names:
        if picture + b".xmp" in files:
            assert pairs[picture] == picture + b".xmp"
        elif split_name(picture)[0] + b".xmp" in files and split_name(picture)[0] not in names:
            assert split_name(pairs[picture])[0] in (picture, split_name(picture)[0])
    for one in pairs:
        for other in pairs:
            if folded(one) == folded(other) and split_name(one)[0] != split_name(other)[0]:
                assert pairs[one] != pairs[other]
    shuffle.shuffle(names)
    shuffle.shuffle(files)
    assert pair_xmp(names, files) == pairs
