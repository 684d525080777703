"""Where the properties of an XMP document stand in its text, so that one of them can be changed and no other byte.

The document is read by expat with the same limits as in `pictures.metadata.rdf`: a document type is rejected.
"""

import codecs
import re
from dataclasses import dataclass, field, replace
from typing import TypeVar
from xml.parsers import expat

from core.errors import PictureUndecodable
from core.text_files import BYTE_ORDER_MARK, text_encoding
from pictures.metadata.rdf import MAX_DEPTH, RDF

__all__ = ["Attribute", "Element", "XmpText", "decode_xmp"]

_Some = TypeVar("_Some")

_START_TAG = re.compile(rb"""<(?:[^"'<>]|"[^"]*"|'[^']*')*+>""")
_END_TAG = re.compile(rb"</[^>]*>")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=/>"']+)\s*=\s*("[^"]*"|'[^']*')""")
_TAG_NAME = re.compile(rb"<([^\s/>]+)")
_DECLARATION = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")

_EIGHT_BIT = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"})
"""Encodings in which the bytes of ASCII mean ASCII, by Python's names."""

_ROOT, _DESCRIPTION = f"{RDF} RDF", f"{RDF} Description"
_PADDING = " \t\r\n\0"


@dataclass(frozen=True)
class Attribute:
    """An attribute: where it stands with the blanks before it, and its value without the quotation marks."""

    start: int
    end: int
    value_start: int
    value_end: int


@dataclass
class Element:
    """An element: where its tags and all of it stand, as offsets in bytes of UTF-8."""

    name: str
    """The namespace, a blank and the local name."""
    tag: str
    """The name as it is written, with its prefix."""
    start: int
    start_tag_end: int
    attributes: dict[str, str]
    end_tag_start: int = 0
    end: int = 0
    children: "list[Element]" = field(default_factory=list)
    parts: list[str] = field(default_factory=list)

    @property
    def is_empty_tag(self) -> bool:
        """Whether it is written as `<name/>`."""
        return self.end == self.start_tag_end

    @property
    def text(self) -> str:
        """The text directly in the element."""
        return "".join(self.parts)


@dataclass(frozen=True)
class XmpText:
    """An XMP document as UTF-8, and how it was encoded."""

    data: bytes
    encoding: str
    mark: bytes
    """The byte order mark, or nothing."""
    lead: str
    """Blanks and NUL bytes before the document."""
    trail: str
    rdf: Element
    """The element `rdf:RDF` with all elements in it."""

    @property
    def descriptions(self) -> list[Element]:
        """The elements with the properties of the picture."""
        return [child for child in self.rdf.children if child.name == _DESCRIPTION]

    def attribute(self, element: Element, name: str) -> Attribute:
        """Return where the attribute `name` (with its namespace) of `element` stands."""
        start_tag = self.data[element.start : element.start_tag_end]
        begin = len(_matched(_TAG_NAME.match(start_tag))[0])
        number = list(element.attributes).index(name)  # expat keeps the order
        found = [match for match in _ATTRIBUTE.finditer(start_tag, begin) if not _declares_namespace(match[1])]
        match, offset = found[number], element.start
        return Attribute(
            offset + match.start(), offset + match.end(), offset + match.start(2) + 1, offset + match.end(2) - 1
        )

    def with_data(self, data: bytes) -> "XmpText":
        """Return the document changed to `data`, in UTF-8 even if its declaration names another encoding.

        Raises `PictureUndecodable`.
        """
        return replace(self, data=data, rdf=_parse(data))

    def encoded(self, data: bytes) -> bytes:
        """Return the document `data` in UTF-8 as the bytes of a file, encoded like this one."""
        text = self.lead + data.decode() + self.trail
        return self.mark + text.encode(self.encoding, "xmlcharrefreplace")


def decode_xmp(raw: bytes) -> XmpText:
    """Return the parsed document in the bytes of a file.

    Raises `PictureUndecodable` if it is not XMP, might be an attack, or cannot be written again byte by byte.
    """
    encoding, mark = _encoding(raw)
    try:
        text = raw[len(mark) :].decode(encoding)
        is_kept = text.encode(encoding) == raw[len(mark) :]
    except UnicodeError as error:
        raise PictureUndecodable(f"it is not text in {encoding}") from error
    if not is_kept or text.startswith(BYTE_ORDER_MARK):
        raise PictureUndecodable(f"its {encoding} has more than one form")
    inner = text.strip(_PADDING)
    if "\0" in inner:  # expat would take it for UTF-16
        raise PictureUndecodable("it is not XML: it contains NUL characters")
    begin = len(text) - len(text.lstrip(_PADDING)) if inner else 0
    data = inner.encode()
    rdf = _parse(data)
    return XmpText(data, encoding, mark, text[:begin], text[begin + len(inner) :], rdf)


def _encoding(raw: bytes) -> tuple[str, bytes]:
    """Return the encoding of a document by its first bytes, or else by its declaration, and its byte order mark."""
    encoding = text_encoding(raw)
    mark = BYTE_ORDER_MARK.encode(encoding)
    if raw.startswith(mark):
        return encoding, mark
    if encoding == "utf-8" and (declared := _DECLARATION.match(raw)):
        try:
            encoding = codecs.lookup(declared[1].decode()).name
        except LookupError:
            encoding = ""
        if encoding not in _EIGHT_BIT:
            raise PictureUndecodable(f"its encoding {declared[1].decode()} is not supported")
    return encoding, b""


def _parse(data: bytes) -> Element:
    reader = _Reader(data)
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartDoctypeDeclHandler = _reject
    parser.EntityDeclHandler = _reject
    parser.StartElementHandler = lambda name, attributes: reader.start(parser.CurrentByteIndex, name, attributes)
    parser.EndElementHandler = lambda _name: reader.end(parser.CurrentByteIndex)
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError) as error:
        raise PictureUndecodable(f"it is not XML: {error}") from error
    if len(reader.found) != 1:
        raise PictureUndecodable("it is XML, but not XMP: it has no rdf:RDF" if not reader.found else "two rdf:RDF")
    return reader.found[0]


def _reject(*_declaration: object) -> None:
    raise PictureUndecodable("XMP with a document type is rejected, because it may expand without limit")


def _matched(match: _Some | None) -> _Some:
    assert match is not None  # expat found the tag
    return match


def _declares_namespace(name: bytes) -> bool:
    return name == b"xmlns" or name.startswith(b"xmlns:")


class _Reader:
    """Builds the tree below `rdf:RDF`."""

    def __init__(self, data: bytes) -> None:
        self.found: list[Element] = []
        self._data = data
        self._open: list[Element] = []
        self._depth = 0

    def start(self, offset: int, name: str, attributes: list[str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise PictureUndecodable(f"XMP exceeds the limit of {MAX_DEPTH} levels")
        if not self._open and name != _ROOT:
            return
        tag = _matched(_START_TAG.match(self._data, offset))
        written = _matched(_TAG_NAME.match(tag[0]))[1].decode()
        named = dict(zip(attributes[::2], attributes[1::2], strict=True))
        element = Element(name, written, offset, tag.end(), named)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.found.append(element)
        self._open.append(element)

    def text(self, text: str) -> None:
        if self._open:
            self._open[-1].parts.append(text)

    def end(self, offset: int) -> None:
        self._depth -= 1
        if not self._open:
            return
        element = self._open.pop()
        if self._data[element.start_tag_end - 2 : element.start_tag_end] == b"/>":
            element.end_tag_start = element.end = element.start_tag_end
        else:
            element.end_tag_start = offset
            element.end = _matched(_END_TAG.match(self._data, offset)).end()
