"""Changing tags and ratings in XMP sidecars: what other programs wrote must stay byte by byte."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import PictureUndecodable
from core.metadata import MAX_KEYWORDS
from pictures.metadata.xmp import MAX_XMP_BYTES, read_xmp
from pictures.metadata.xmp_sidecar import Additions, EditedSidecar, SaidTags, edit_sidecar, is_xml_text
from store.catalog.collation import fold
from store.tags import tag_names
from tests.support.tools import miss

DARKTABLE = b"""<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:darktable="http://darktable.sf.net/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
   xmp:Rating="2"
   darktable:xmp_version="5"
   darktable:raw_params="0">
   <darktable:masks_history><rdf:Seq/></darktable:masks_history>
   <!-- a comment -->
   <darktable:history>
    <rdf:Seq>
     <rdf:li
      darktable:num="0" darktable:operation="exposure"
      darktable:params="gz04eJxj&gt;YA"/>
    </rdf:Seq>
   </darktable:history>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>Rome</rdf:li>
     <rdf:li>caf&#xe9; &amp; co</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Bag>
     <rdf:li>Places|Rome</rdf:li>
    </rdf:Bag>
   </lr:hierarchicalSubject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""

NEW_END = b' </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>\n'
"""The end of a sidecar by Sightline."""

DIGIKAM = b"""<rdf:Description rdf:about="" xmlns:digiKam="http://www.digikam.org/ns/1.0/">
<digiKam:TagsList><rdf:Seq><rdf:li>trips/Rome</rdf:li><rdf:li>beach</rdf:li></rdf:Seq></digiKam:TagsList></rdf:Description>
"""

RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
XMP = 'xmlns:xmp="http://ns.adobe.com/xap/1.0/"'


def sidecar(inside: str = "", attributes: str = "") -> bytes:
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {RDF}>
 <rdf:Description rdf:about="" {DC} {XMP} xmlns:digiKam="http://www.digikam.org/ns/1.0/" {attributes}>
  {inside}
 </rdf:Description>
</rdf:RDF></x:xmpmeta>""".encode()


def bag(name: str, *items: str, kind: str = "Bag") -> str:
    listed = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return f"<{name}><rdf:{kind}>{listed}</rdf:{kind}></{name}>"


def keywords(edited: EditedSidecar) -> tuple[str, ...]:
    return read_xmp(edited.data).keywords


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


@pytest.mark.parametrize(
    ("form", "found"),
    [
        ("<dc:subject/>", {"new"}),
        ("<dc:subject></dc:subject>", {"new"}),
        ("<dc:subject><rdf:Bag/></dc:subject>", {"new"}),
        ("<dc:subject><rdf:Bag ></rdf:Bag></dc:subject>", {"new"}),
        ("<dc:subject><rdf:Seq><rdf:li>a</rdf:li></rdf:Seq></dc:subject>", {"a", "new"}),
        ("<dc:subject><rdf:Bag><!-- <rdf:li>no</rdf:li> --><rdf:li>a</rdf:li></rdf:Bag></dc:subject>", {"a", "new"}),
        ("<dc:subject><rdf:Bag><rdf:li><![CDATA[a<b]]></rdf:li></rdf:Bag></dc:subject>", {"a<b", "new"}),
        ("<dc:subject xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><r:Bag/></dc:subject>", {"new"}),
    ],
)
def test_keywords_are_added_to_lists_of_any_form(form: str, found: set[str]) -> None:
    assert set(keywords(edit_sidecar(sidecar(form), SaidTags(("new",))))) == found


@pytest.mark.parametrize(
    "form",
    [
        '<rdf:RDF xmlns:rdf="{rdf}"/>',
        '<rdf:RDF xmlns:rdf="{rdf}"></rdf:RDF>',
        '<r:RDF xmlns:r="{rdf}"><r:Description r:about="a&amp;b"/></r:RDF>',
        '<RDF xmlns="{rdf}"><Description about="x"/></RDF>',
    ],
)
def test_properties_are_added_to_rdf_of_any_form(form: str) -> None:
    document = form.format(rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#").encode()
    edited = edit_sidecar(document, SaidTags(("x/y",), 1))
    assert (keywords(edited), edited.after.rating) == (("x/y",), 1)
    if b"about" in document:  # all descriptions in a document must have the same name
        abouts = re.findall(rb'about="([^"]*)"', edited.data)
        assert len(abouts) == 2
        assert len(set(abouts)) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_the_encoding_stays(encoding: str) -> None:
    before = DARKTABLE.decode().replace(' encoding="UTF-8"', "").replace("\n", "\r\n") + "\r\n  \r\n"
    edited = edit_sidecar(before.encode(encoding), SaidTags(("日本", "🌊"), 2))
    text = edited.data.decode(encoding)
    assert {"日本", "🌊"} <= set(keywords(edited))
    assert "\n" not in text.replace("\r\n", "")
    mark = re.match(rb"\xff\xfe\0\0|\xff\xfe|\xfe\xff|\xef\xbb\xbf|", before.encode(encoding))
    assert mark is not None
    assert edited.data.startswith(mark[0])
    kept = text.splitlines()
    assert all(line in kept for line in before.splitlines())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_that_names_its_encoding_is_read_and_changed(encoding: str) -> None:
    before = DARKTABLE.decode().replace("UTF-8", "UTF-16").encode(encoding)
    assert read_xmp(before) == read_xmp(DARKTABLE)
    assert "new" in keywords(edit_sidecar(before, SaidTags(("new",))))


def test_characters_that_the_encoding_lacks_are_written_as_numbers() -> None:
    before = DARKTABLE.decode().replace("UTF-8", "ISO-8859-1").replace("&#xe9;", "é").encode("iso-8859-1")
    edited = edit_sidecar(before, SaidTags(("日本", "é"), 2))
    assert b"<rdf:li>&#26085;&#26412;</rdf:li>" in edited.data
    assert b"<rdf:li>\xe9</rdf:li>" in edited.data
    assert {"日本", "é", "caf\xe9 & co"} <= set(keywords(edited))


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
    + b"".join(b'<!ENTITY b%d "%s">' % (n, b"&b%d;" % (n - 1) * 10 if n else b"&b;" * 10) for n in range(9))
    + b"]>"
    + sidecar(bag("dc:subject", "&b8;"))
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not XML"),
        (b"hello", "not XML"),
        (DARKTABLE[:-20], "not XML"),
        (b'{"Exif": 1}', "not XML"),
        (b"<a/>", "no rdf:RDF"),
        (sidecar() + sidecar(), "not XML"),
        (BOMB, "document type"),
        (
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + sidecar(bag("dc:subject", "&x;")),
            "document type",
        ),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd">' + sidecar(), "document type"),
        (sidecar(bag("dc:subject", "&x;")), "not XML"),
        (b'<?xml version="1.0" encoding="EBCDIC-CP-US"?>' + sidecar(), "encoding"),
        (b'<?xml version="1.0" encoding="UTF-16"?>' + sidecar(), "encoding"),
        (sidecar().replace(b"about", b"\xff"), "not text"),
        (sidecar("a\0b").decode().encode("utf-16-be"), "NUL"),
        (sidecar().decode().encode("utf-16")[:-1], "not text"),
        (sidecar("<a:a xmlns:a='a'>" * 200 + "</a:a>" * 200), "levels"),
        (sidecar(attributes="dc:subject='a'"), "subject"),
        (sidecar("<dc:subject>a</dc:subject>"), "subject"),
        (sidecar("<dc:subject rdf:parseType='Resource'/>"), "subject"),
        (sidecar("<xmp:Rating><rdf:Description/></xmp:Rating>"), "Rating"),
        (sidecar("<xmp:Rating><!-- not yet --></xmp:Rating>"), "Rating"),
        (sidecar(bag("dc:subject", *map(str, range(MAX_KEYWORDS)))), "keywords"),
        (b" " * (MAX_XMP_BYTES + 1), "limit"),
        (sidecar().rjust(MAX_XMP_BYTES), "limit"),
    ],
    ids=range(24),
)
def test_what_cannot_be_changed_safely_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(PictureUndecodable, match=reason):
        edit_sidecar(data, SaidTags(("new",), 3))


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
