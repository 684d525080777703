"""Read XMP (ISO 16684-1), which cataloguing programs write into pictures and sidecar files.

XML is parsed by expat without the features that attack its reader: documents with a document type (and therefore any
with entities) are rejected, sizes are limited, and only the few relevant properties are kept.
"""

from collections.abc import Iterator
from xml.parsers import expat

from core.errors import PictureUndecodable
from core.metadata import MAX_DESCRIPTION_LENGTH, MAX_KEYWORDS, MAX_TITLE_LENGTH, PhotoMetadata
from pictures.exif import parse_rating

__all__ = ["MAX_XMP_BYTES", "read_xmp"]

MAX_XMP_BYTES = 16 * 1024 * 1024
"""Limit on a packet. Programs that store masks and edit histories in it write a few million bytes."""

_MAX_DEPTH = 100
"""Nested elements. Real packets have about ten."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = "http://purl.org/dc/elements/1.1/"
_ROOT, _DESCRIPTION, _ITEM = f"{_RDF} RDF", f"{_RDF} Description", f"{_RDF} li"

_FLAT = f"{_DC} subject"
_LEVELS = {  # hierarchical keywords, and the separator of each program
    "http://ns.adobe.com/lightroom/1.0/ hierarchicalSubject": "|",
    "http://www.digikam.org/ns/1.0/ TagsList": "/",
    "http://ns.microsoft.com/photo/1.0/ LastKeywordXMP": "/",
}
_TITLE, _TEXT = f"{_DC} title", f"{_DC} description"
_RATING = "http://ns.adobe.com/xap/1.0/ Rating"
_PROPERTIES = frozenset({_FLAT, *_LEVELS, _TITLE, _TEXT, _RATING})


def read_xmp(data: bytes) -> PhotoMetadata:
    """Return the metadata in an XMP packet. Raises `PictureUndecodable` if it is not XMP or might be an attack."""
    if len(data) > MAX_XMP_BYTES:
        raise PictureUndecodable(f"XMP of {len(data):,} bytes exceeds the limit of {MAX_XMP_BYTES:,} bytes")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _reject
    parser.EntityDeclHandler = _reject
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(data.strip(b"\0 \t\r\n"), True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # LookupError: an unknown encoding
        raise PictureUndecodable(f"invalid XMP: {error}") from error
    return reader.metadata()


def _reject(*_declaration: object) -> None:
    raise PictureUndecodable("XMP with a document type is rejected, because it may expand without limit")


class _Reader:
    """Collects the values of the relevant properties while the document is parsed."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._property = ""
        self._parts: list[str] = []
        self._length = 0
        self._values: dict[str, list[str]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element. A property can also be an attribute of its description."""
        if len(self._path) >= _MAX_DEPTH:
            raise PictureUndecodable(f"XMP exceeds the limit of {_MAX_DEPTH} levels")
        self._path.append(name)
        if self._path[-2:] == [_ROOT, _DESCRIPTION]:
            for attribute in _PROPERTIES & attributes.keys():
                self._add(attribute, attributes[attribute])
        elif self._path[-3:-1] == [_ROOT, _DESCRIPTION]:
            self._property = name if name in _PROPERTIES else ""
        self._parts, self._length = [], 0

    def text(self, text: str) -> None:
        """Handle a part of the text of an element."""
        if self._property and self._length < MAX_DESCRIPTION_LENGTH:
            self._parts.append(text)
            self._length += len(text)

    def end(self, name: str) -> None:
        """Handle the end of an element: an item of a property, or a property that is a plain text."""
        self._path.pop()
        if self._property and name in (_ITEM, self._property):
            self._add(self._property, "".join(self._parts))
        if name == self._property:
            self._property = ""
        self._parts, self._length = [], 0

    def _add(self, name: str, value: str) -> None:
        values = self._values.setdefault(name, [])
        if value.strip() and len(values) < MAX_KEYWORDS:
            values.append(value.strip())

    def metadata(self) -> PhotoMetadata:
        """Return the metadata that was collected."""
        return PhotoMetadata(
            keywords=tuple(dict.fromkeys(self._keywords()))[:MAX_KEYWORDS],
            rating=parse_rating(self._first(_RATING)),
            title=(self._first(_TITLE) or "")[:MAX_TITLE_LENGTH] or None,
            description=(self._first(_TEXT) or "")[:MAX_DESCRIPTION_LENGTH] or None,
        )

    def _keywords(self) -> Iterator[str]:
        for name, separator in _LEVELS.items():
            for value in self._values.get(name, ()):
                yield "/".join(level.strip() for level in value.split(separator) if level.strip())
        yield from self._values.get(_FLAT, ())

    def _first(self, name: str) -> str | None:
        return next(iter(self._values.get(name, ())), None)
