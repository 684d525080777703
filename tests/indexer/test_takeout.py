"""Pairing of the JSON files of Google Takeout with pictures by their names."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.takeout import pair_takeout

METADATA = "supplemental-metadata"


def paired(pictures: list[str], files: list[str]) -> dict[str, list[str]]:
    found = pair_takeout(map(str.encode, pictures), map(str.encode, files))
    return {picture.decode(): [file.decode() for file in some] for picture, some in found.items()}


LONG = "Backyard_ceremony_wedding_photography_xxxxxxx_"  # 46 characters
EMOJI = "\U0001f600" * 22 + "☺️"  # 46 UTF-16 code units


@pytest.mark.parametrize(
    ("picture", "file"),
    [
        ("a.jpg", "a.jpg.json"),
        ("a.jpg", "a.jpg.supplemental-metadata.json"),
        ("a.jpg", "a.jpg.JSON"),
        ("a(1).jpg", "a.jpg(1).json"),
        ("a(1).jpg", "a.jpg.supplemental-metadata(1).json"),
        ("a(1).jpg", "a(1).jpg.json"),
        ("Screenshot_2017-07-05-10-05-26.png", "Screenshot_2017-07-05-10-05-26.png.supplementa.json"),
        ("D7157814-D2D5-4A62-AFCE-9CF465CB7D66.jpeg", "D7157814-D2D5-4A62-AFCE-9CF465CB7D66.jpeg.supp.json"),
        (
            "Screenshot_20220207_102421_com.snapchat.android.jpg",
            "Screenshot_20220207_102421_com.snapchat.androi.json",
        ),
        ("Urlaub in Knaufspesch in der Schneifel (38).JPG", "Urlaub in Knaufspesch in der Schneifel (38).JP.json"),
        (
            "13039_327707840323_537645323_9470255_27214_n(1).jpg",
            "13039_327707840323_537645323_9470255_27214_n.j(1).json",
        ),
        (f"{LONG}m(494).jpg", f"{LONG}(494).json"),
        (f"{EMOJI}\U0001f61b.jpg", f"{EMOJI}.json"),
        ("a-edited.jpg", "a.jpg.supplemental-metadata.json"),
        ("a-bearbeitet(1).jpg", "a.jpg(1).json"),
        ("a(1)-modifié.jpg", "a.jpg.supplemental-metadata(1).json"),
        ("a.jpg", "A.JPG.json"),
    ],
)
def test_a_picture_has_the_json_of_its_name(picture: str, file: str) -> None:
    assert paired([picture], [file]) == {picture: [file]}


@pytest.mark.parametrize(
    ("pictures", "files"),
    [
        (["a(1).jpg"], ["a.jpg.json"]),
        (["a.jpg"], ["a.jpg(1).json", "a.json", "metadata.json", "ab.jpg.json", "a.jpg.supplement-x.json"]),
        (["a(2).jpg"], ["a.jpg(1).json"]),
        (["A.jpg", "a.JPG"], ["a.jpg.json"]),
        (["a.jpg"], ["A.jpg.json", "a.JPG.json"]),
        (["a-sunset.jpg"], ["a.jpg.json"]),
        (["a-edited.jpg", "a.heic"], ["b.heic.json"]),
        (["a-edited.jpg", "a.heic", "a.png"], ["a.heic.json", "a.png.json"]),
    ],
)
def test_other_and_ambiguous_files_are_not_paired(pictures: list[str], files: list[str]) -> None:
    assert {picture: some for picture, some in paired(pictures, files).items() if picture in pictures[:1]} == {}


def test_edited_pictures_share_the_json_of_the_original() -> None:
    pictures = ["a.HEIC", "a-edited.jpg", "a-ha editado.jpg", "b.jpg", "b-edited.jpg"]
    files = ["a.HEIC.supplemental-metadata.json", "b.jpg.json", "b-edited.jpg.json"]
    assert paired(pictures, files) == {
        "a.HEIC": files[:1],
        "a-edited.jpg": files[:1],
        "a-ha editado.jpg": files[:1],
        "b.jpg": files[1:2],
        "b-edited.jpg": files[2:],
    }


def test_numbered_pictures_keep_apart() -> None:
    pictures = [f"{LONG}P.jpg", f"{LONG}P(1).jpg"]
    files = [f"{LONG}.json", f"{LONG}(1).json"]
    assert paired(pictures, files) == {pictures[0]: files[:1], pictures[1]: files[1:]}


def test_several_files_of_one_picture_are_kept_longest_first() -> None:
    files = ["a.jpg.json", "a.jpg.supplemental-metadata.json", "a.jpg.suppl.json"]
    assert paired(["a.jpg"], files) == {"a.jpg": [files[1], files[2], files[0]]}


def name_of_json(picture: str, *, is_old: bool) -> str:
    """Name the JSON file of a picture as Google does, for names without surrogate pairs."""
    stem, _, suffix = picture.rpartition(".")
    number = ""
    if stem.endswith(")") and "(" in stem:
        stem, _, count = stem.rpartition("(")
        number = f"({count}"
    whole = f"{stem}.{suffix}" if is_old else f"{stem}.{suffix}.{METADATA}"
    return f"{whole[:46]}{number}.json"


letters = st.text("abcdefgé海-_. ", min_size=1, max_size=60).map(lambda stem: "x" + stem)
numbers = st.one_of(st.just(""), st.integers(1, 20).map("({})".format))
pictures = st.tuples(letters, numbers, st.sampled_from([".jpg", ".HEIC", ".png"])).map("".join)


@given(st.sets(pictures, max_size=8), st.booleans(), st.randoms(use_true_random=False))
def test_every_unambiguous_picture_of_an_export_is_paired_with_its_own_json(
    names: set[str], is_old: bool, shuffle: random.Random
) -> None:
    by_json: dict[str, list[str]] = {}
    for name in names:
        by_json.setdefault(name_of_json(name, is_old=is_old), []).append(name)
    files, listed = sorted(by_json), sorted(names)
    found = paired(listed, files)
    for name, some in found.items():
        assert len(some) == 1
        expected = name_of_json(name, is_old=is_old)
        assert some == [expected] or name not in by_json[some[0]]
    clear = {some[0]: file for file, some in by_json.items() if len(some) == 1 and len(file) < 46}
    assert {name: found.get(name) for name in clear} == {name: [file] for name, file in clear.items()}
    shuffle.shuffle(listed)
    shuffle.shuffle(files)
    assert paired(listed, files) == found


def test_several_pictures_whose_names_are_cut_to_one_get_the_files_of_both() -> None:
    """What the files contain tells which is whose."""
    first, second = f"{LONG}one.jpg", f"{LONG}two.jpg"
    files = [f"{LONG}(1).json", f"{LONG}.json"]
    assert paired([first, second], files) == {first: files, second: files}
    assert paired([first, second], files[1:]) == {first: files[1:], second: files[1:]}


def test_a_picture_with_a_file_of_its_own_gets_no_other() -> None:
    first, second = f"{LONG}(1).jpg", f"{LONG}two.jpg"
    assert paired([first, second], [f"{LONG}(1).json"]) == {first: [f"{LONG}(1).json"]}


def test_many_pictures_with_one_name_get_nothing() -> None:
    """Each would have to be compared with each."""
    pictures = [f"{LONG}{number:03}.jpg" for number in range(100)]
    assert paired(pictures, [f"{LONG}.json", *(f"{LONG}({number}).json" for number in range(1, 100))]) == {}
