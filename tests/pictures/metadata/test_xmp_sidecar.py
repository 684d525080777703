"""Changing tags and ratings in XMP sidecars: what other programs wrote must stay byte by byte."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pictures.metadata.xmp import read_xmp
from pictures.metadata.xmp_sidecar import Additions, SaidTags, edit_sidecar, is_xml_text
from store.catalog.collation import fold
from store.tags import tag_names
from tests.support.tools import miss
from tests.support.xmp_sidecars import DARKTABLE, DIGIKAM, NEW_END, bag, keywords, sidecar


def test_a_new_sidecar_is_read_with_the_tags_and_the_rating() -> None:
    edited = edit_sidecar(None, SaidTags(("beach", "trips/Rome", "<&>\"'"), 4))
    assert set(keywords(edited)) == {"beach", "trips/Rome", "<&>\"'"}  # and no `Rome` of its own
    assert (read_xmp(edited.data).rating, edited.before.rating) == (4, None)
    assert b"<rdf:li>Rome</rdf:li>" in edited.data  # for programs that read dc:subject only
    assert b"<rdf:li>trips|Rome</rdf:li>" in edited.data


def test_nothing_to_say_writes_nothing() -> None:
    assert edit_sidecar(None, SaidTags()).data == b""
    assert edit_sidecar(DARKTABLE, SaidTags()).data == DARKTABLE


def test_only_lines_are_added_to_the_sidecar_of_another_program() -> None:
    edited = edit_sidecar(DARKTABLE, SaidTags(("beach", "rome", "trips/Bari"), 2))
    lines, before = edited.data.decode().splitlines(), DARKTABLE.decode().splitlines()
    rest = iter(lines)
    assert all(line in rest for line in before)  # in their order
    added = list(lines)
    for line in before:
        added.remove(line)
    assert [line.strip() for line in added if "<rdf:li>" in line] == [
        "<rdf:li>beach</rdf:li>",
        "<rdf:li>Bari</rdf:li>",
        "<rdf:li>beach</rdf:li>",
        "<rdf:li>trips|Bari</rdf:li>",
        "<rdf:li>Bari</rdf:li>",
    ]
    assert edited.added == ("beach", "trips/Bari")
    assert edited.other_rating is None


@pytest.mark.parametrize(
    "there",
    [
        bag("dc:subject", "a/B"),
        bag("digiKam:TagsList", "A/b", kind="Seq"),
        "<lr:hierarchicalSubject xmlns:lr='http://ns.adobe.com/lightroom/1.0/'><rdf:Bag><rdf:li>a|b</rdf:li></rdf:Bag>"
        "</lr:hierarchicalSubject>",
    ],
)
def test_a_tag_with_levels_that_is_there_in_any_list_is_not_doubled(there: str) -> None:
    assert edit_sidecar(sidecar(there), SaidTags(("a/b",))).data == sidecar(there)


@pytest.mark.parametrize("tag", ["Rome", "ROME", "cafe\u0301 & co", "Caf\xe9 & CO"])
def test_a_keyword_that_is_there_in_any_case_and_normalization_is_not_doubled(tag: str) -> None:
    edited = edit_sidecar(sidecar(bag("dc:subject", "Rome", "caf\xe9 &amp; co")), SaidTags((tag,)))
    assert edited.data == sidecar(bag("dc:subject", "Rome", "caf\xe9 &amp; co"))
    assert edited.additions == Additions()


@pytest.mark.parametrize(
    "there",
    [
        bag("dc:subject", "a/ sun  set"),
        bag("digiKam:TagsList", " a / sun\nset/"),
        "<lr:hierarchicalSubject xmlns:lr='http://ns.adobe.com/lightroom/1.0/'><rdf:Bag><rdf:li>A | sun set|</rdf:li>"
        "</rdf:Bag></lr:hierarchicalSubject>",
    ],
)
def test_a_keyword_that_is_there_with_other_blanks_is_not_doubled(there: str) -> None:
    tags = tag_names(read_xmp(sidecar(there)).keywords)
    assert edit_sidecar(sidecar(there), SaidTags(tuple(tags))).data == sidecar(there)


def test_only_what_was_added_is_removed_again() -> None:
    tags = ("beach", "Rome", "trips/Bari")
    first = edit_sidecar(DARKTABLE, SaidTags(tags, 2))
    again = edit_sidecar(first.data, SaidTags(tags, 2), first.additions)
    assert (again.data, again.additions) == (first.data, first.additions)
    second = edit_sidecar(first.data, SaidTags(("beach",)), Additions.from_json(first.additions.to_json()))
    assert second.removed == ("trips/Bari",)
    assert set(keywords(second)) == {"Places/Rome", "beach", "Rome", "caf\xe9 & co"}
    third = edit_sidecar(second.data, SaidTags(), second.additions)
    assert set(keywords(third)) == {"Places/Rome", "Rome", "caf\xe9 & co"}
    assert third.additions == Additions()
    assert edit_sidecar(first.data, SaidTags()).data == first.data  # without a record, nothing is removed


def test_members_of_a_list_that_are_no_items_stay() -> None:
    there = "<dc:subject><rdf:Bag><rdf:_1>numbered</rdf:_1></rdf:Bag></dc:subject>"
    first = edit_sidecar(sidecar(there), SaidTags(("new",)))
    assert keywords(first) == ("new",)
    assert edit_sidecar(first.data, SaidTags(), first.additions).data == sidecar(there)


def test_a_keyword_that_another_program_needs_stays() -> None:
    first = edit_sidecar(sidecar(), SaidTags(("Rome",)))
    with_levels = first.data.replace(
        b" </rdf:Description>\n</rdf:RDF>",
        b" </rdf:Description>\n <rdf:Description rdf:about='' xmlns:lr='http://ns.adobe.com/lightroom/1.0/'>"
        + bag("lr:hierarchicalSubject", "Places|Rome|Old town").encode()
        + b"</rdf:Description></rdf:RDF>",
    )
    with_levels = re.sub(rb"</rdf:RDF>\s*</rdf:RDF>", b"</rdf:RDF>", with_levels)
    edited = edit_sidecar(with_levels, SaidTags(), first.additions)
    assert "Rome" in keywords(edited)


def test_a_tag_that_another_program_wrote_too_is_not_removed() -> None:
    first = edit_sidecar(sidecar(), SaidTags(("trips/Rome", "beach")))
    copied = first.data.replace(b"</rdf:RDF>", DIGIKAM + b"</rdf:RDF>")
    edited = edit_sidecar(copied, SaidTags(("trips/Rome", "beach")), first.additions)
    assert edited.data == copied
    assert set(keywords(edited)) == {"trips/Rome", "beach"}
    gone = edit_sidecar(copied, SaidTags(("beach",)), edited.additions)
    assert "trips/Rome" in keywords(gone)  # the other program wrote it


def test_lists_of_digikam_are_kept_in_step() -> None:
    before = sidecar(bag("digiKam:TagsList", "Places/Rome", kind="Seq") + bag("dc:subject", "Rome"))
    edited = edit_sidecar(before, SaidTags(("beach", "trips/Bari")))
    assert b"<rdf:li>Places/Rome</rdf:li><rdf:li>beach</rdf:li><rdf:li>trips/Bari</rdf:li></rdf:Seq>" in edited.data
    back = edit_sidecar(edited.data, SaidTags(), edited.additions)
    assert back.data.startswith(before.partition(b"</rdf:Description>")[0])
    assert keywords(back) == read_xmp(before).keywords


def test_programs_that_read_only_hierarchical_keywords_find_those_of_others_too() -> None:
    before = sidecar(bag("dc:subject", "Anna", "Rome|Italy"))
    edited = edit_sidecar(before, SaidTags(("a/b",)))
    assert re.findall(r"<rdf:li>(.*?)</rdf:li>", edited.data.decode().partition("hierarchicalSubject>")[2])[:2] == [
        "a|b",
        "Anna",
    ]
    assert set(keywords(edit_sidecar(edited.data, SaidTags(), edited.additions))) == {"Anna", "Rome|Italy"}


def test_a_tag_with_the_separator_of_xmp_stays_one_keyword() -> None:
    edited = edit_sidecar(None, SaidTags(("a|b", "c/d|e", "x/y")))
    assert set(keywords(edited)) == {"a|b", "c/d|e", "x/y"}


def test_a_large_history_is_kept() -> None:
    history = "".join(f"<rdf:li>{number}</rdf:li>" for number in range(8_000))
    before = sidecar(f"<dc:date><rdf:Seq>{history}</rdf:Seq></dc:date>")
    edited = edit_sidecar(before, SaidTags(("new",)))
    assert edited.data.startswith(before.partition(b"\n</rdf:RDF>")[0])


xml_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(is_xml_text)
said_tags = st.lists(
    st.one_of(xml_texts, st.sampled_from(["Rome", "a/b", "b", "A/B", "a|b", "]]>", "&amp;", "<!--"])), max_size=6
).map(lambda texts: tuple({fold(name): name for name in tag_names(texts)}.values()))
ratings = st.sampled_from([None, -1, 0, 1, 5])


@given(said_tags, ratings, st.lists(st.tuples(said_tags, ratings), max_size=3), st.sampled_from([None, DARKTABLE]))
def test_any_sequence_of_changes_ends_with_what_was_said_last(
    tags: tuple[str, ...],
    rating: int | None,
    earlier: list[tuple[tuple[str, ...], int | None]],
    start: bytes | None,
) -> None:
    data, additions = start, Additions()
    before = read_xmp(start) if start else None
    for said in [*(SaidTags(*each) for each in earlier), SaidTags(tags, rating)]:
        edited = edit_sidecar(data, said, additions)
        data, additions = edited.data or None, Additions.from_json(json.loads(json.dumps(edited.additions.to_json())))
    theirs = set(before.keywords) if before else set[str]()
    found = set(read_xmp(data).keywords) if data else set[str]()
    assert set(map(fold, tags)) <= set(map(fold, found))
    assert theirs <= found
    assert set(map(fold, found)) <= set(map(fold, (*theirs, *tags)))
    assert (read_xmp(data).rating if data else None) == (2 if before else rating)
    if data and not tags and not before and rating is None:
        assert data == edit_sidecar(None, SaidTags(("a",))).data.partition(b"  <rdf:Desc")[0] + NEW_END


@given(xml_texts)
def test_reading_a_written_tag_gives_the_same_tag(text: str) -> None:
    names = tag_names([text])
    assume(names)
    assert list(edit_sidecar(None, SaidTags((names[0], "other"))).after.keywords).count(names[0]) == 1


def test_exiftool_reads_the_same_before_and_after(tmp_path: Path) -> None:
    if shutil.which("exiftool") is None:
        miss("exiftool", "it is the reference for metadata")
    tags = ("beach", "trips/Rome", "日本/京都", "a & <b>", "Ünïcödé", "]]>", "e\u0301")
    (tmp_path / "new.xmp").write_bytes(edit_sidecar(None, SaidTags(tags, 4)).data)
    first = edit_sidecar(DARKTABLE, SaidTags(tags, 4), replace_rating=True)
    (tmp_path / "before.xmp").write_bytes(DARKTABLE)
    (tmp_path / "added.xmp").write_bytes(first.data)
    (tmp_path / "utf16.xmp").write_bytes(
        edit_sidecar(DARKTABLE.decode().replace("UTF-8", "UTF-16").encode("utf-16"), SaidTags(tags)).data
    )
    (tmp_path / "back.xmp").write_bytes(edit_sidecar(first.data, SaidTags(), first.additions).data)
    command = ["exiftool", "-json", "-G1", "-struct", "-charset", "utf8", "-a"]
    printed = subprocess.run([*command, "-ext", "xmp", tmp_path], capture_output=True, check=True).stdout
    found = {Path(each.pop("SourceFile")).stem: each for each in json.loads(printed)}
    names = {"XMP-dc:Subject", "XMP-lr:HierarchicalSubject", "XMP-xmp:Rating"}
    last = {"beach", "Rome", "京都", "a & <b>", "Ünïcödé", "]]>", "e\u0301"}
    assert {str(text) for text in found["new"]["XMP-dc:Subject"]} == last
    assert set(found["new"]["XMP-lr:HierarchicalSubject"]) == {tag.replace("/", "|") for tag in tags}
    assert found["new"]["XMP-xmp:Rating"] == 4
    assert set(found["added"]["XMP-dc:Subject"]) == {*last, "caf\xe9 & co"}
    assert set(found["utf16"]["XMP-dc:Subject"]) == {*last, "caf\xe9 & co"}
    assert (found["added"]["XMP-xmp:Rating"], found["utf16"]["XMP-xmp:Rating"]) == (4, 2)
    assert "ExifTool:Warning" not in found["new"]
    for name, values in found.items():
        if name != "new":
            assert _others(values, names) == _others(found["before"], names)
    assert {name: found["back"].get(name) for name in names} == {name: found["before"].get(name) for name in names}


def _others(values: dict[str, object], names: set[str]) -> dict[str, object]:
    own = ("System:", "File:", "ExifTool:ExifToolVersion", "XMP-sightline:")
    return {name: value for name, value in values.items() if name not in names and not name.startswith(own)}
