"""Changing XMP sidecars of any form and encoding, and what is refused."""

import re

import pytest

from core.errors import PictureUndecodable
from core.metadata import MAX_KEYWORDS
from pictures.metadata.xmp import MAX_XMP_BYTES, read_xmp
from pictures.metadata.xmp_sidecar import SaidTags, edit_sidecar
from tests.support.xmp_sidecars import DARKTABLE, bag, keywords, sidecar

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
    + b"".join(b'<!ENTITY b%d "%s">' % (n, b"&b%d;" % (n - 1) * 10 if n else b"&b;" * 10) for n in range(9))
    + b"]>"
    + sidecar(bag("dc:subject", "&b8;"))
)


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
