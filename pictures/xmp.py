"""XMP (ISO 16684-1), in a picture or in a file beside it: what cataloguing programs say of a picture.

Read by the expat parser with nothing that XML can do to its reader: a document type (and so every entity, inside or
outside of the file) is refused, sizes are bounded, and only the few properties that are wanted are kept.
"""

from collections.abc import Iterator
from xml.parsers import expat

from core.errors import PictureUndecodable
from core.metadata import MAX_DESCRIPTION_LENGTH, MAX_KEYWORDS, MAX_TITLE_LENGTH, PhotoMetadata
from pictures.exif import parse_rating

__all__ = ["MAX_XMP_BYTES", "read_xmp"]

MAX_XMP_BYTES = 16 * 1024 * 1024
"""Bytes; programs that keep masks and histories of edits in it write a few million."""

_DEEPEST = 100
"""Elements within each other; real ones have about ten."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = "http://purl.org/dc/elements/1.1/"
_ROOT, _DESCRIPTION, _ITEM = f"{_RDF} RDF", f"{_RDF} Description", f"{_RDF} li"

_FLAT = f"{_DC} subject"
_LEVELS = {  # keywords with levels, and what each program puts between them
    "http://ns.adobe.com/lightroom/1.0/ hierarchicalSubject": "|",
    "http://www.digikam.org/ns/1.0/ TagsList": "/",
    "http://ns.microsoft.com/photo/1.0/ LastKeywordXMP": "/",
}
_TITLE, _TEXT = f"{_DC} title", f"{_DC} description"
_RATING = "http://ns.adobe.com/xap/1.0/ Rating"
_WANTED = frozenset({_FLAT, *_LEVELS, _TITLE, _TEXT, _RATING})


def read_xmp(data: bytes) -> PhotoMetadata:
    """The labels in an XMP packet. Raises `PictureUndecodable` for what is no XMP, or means harm."""
    if len(data) > MAX_XMP_BYTES:
        raise PictureUndecodable(f"XMP of {len(data):,} bytes: more than {MAX_XMP_BYTES:,} are not read")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(data.strip(b"\0 \t\r\n"), True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter: an encoding nobody knows
        raise PictureUndecodable(f"no XMP: {error}") from error
    return reader.metadata()


def _refuse(*_declaration: object) -> None:
    raise PictureUndecodable("XMP with a document type, which may make it expand without end, is not read")


class _Reader:
    """Collects the values of wanted properties while the parser goes through the elements."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._property = ""
        self._parts: list[str] = []
        self._length = 0
        self._values: dict[str, list[str]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; a property can also be an attribute of its description."""
        if len(self._path) >= _DEEPEST:
            raise PictureUndecodable(f"XMP more than {_DEEPEST} levels deep is not read")
        self._path.append(name)
        if self._path[-2:] == [_ROOT, _DESCRIPTION]:
            for attribute in _WANTED & attributes.keys():
                self._add(attribute, attributes[attribute])
        elif self._path[-3:-1] == [_ROOT, _DESCRIPTION]:
            self._property = name if name in _WANTED else ""
        self._parts, self._length = [], 0

    def text(self, text: str) -> None:
        """Part of the text of an element."""
        if self._property and self._length < MAX_DESCRIPTION_LENGTH:
            self._parts.append(text)
            self._length += len(text)

    def end(self, name: str) -> None:
        """An element ends: an item of a property, or a property that is a plain text."""
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
        """What was found."""
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
