"""Parse the RDF of XMP (ISO 16684-1, clause 7) to plain values: texts, lists and structures.

XML is parsed by expat without the features that attack its reader: documents with a document type (and therefore any
with entities) are rejected, and depth, sizes and numbers are limited. Only properties that the caller names are kept.
"""

from collections.abc import Collection, Iterator
from typing import TypeAlias, Union
from xml.parsers import expat

from core.errors import PictureUndecodable
from core.metadata import MAX_DESCRIPTION_LENGTH, MAX_KEYWORDS

__all__ = ["MAX_DEPTH", "RDF", "Value", "items", "parse_rdf", "structures", "text"]

Value: TypeAlias = Union[str, "list[Value]", "dict[str, Value]"]

MAX_DEPTH = 100
"""Nested elements. Real packets have about ten."""

_MAX_ELEMENTS = 50_000
"""Elements of all properties together. A thousand keywords in three forms, or two hundred faces, have a tenth."""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_ROOT, _DESCRIPTION, _ITEM = f"{RDF} RDF", f"{RDF} Description", f"{RDF} li"
_CONTAINERS = frozenset({f"{RDF} Bag", f"{RDF} Seq", f"{RDF} Alt"})
_PARSE_TYPE, _VALUE, _RESOURCE = f"{RDF} parseType", f"{RDF} value", f"{RDF} resource"
_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"


def parse_rdf(data: bytes, wanted: Collection[str], encoding: str | None = None) -> dict[str, Value]:
    """Return the values of the properties `wanted`, by name: the namespace, a blank and the local name.

    Items of a list in several languages are in order, except that the default one is first. `encoding` is that of
    `data` if it is another one than its declaration says. Raises `PictureUndecodable` if `data` is not well-formed, or
    might be an attack.
    """
    reader = _Reader(frozenset(wanted))
    parser = expat.ParserCreate(encoding, namespace_separator=" ")
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
    return reader.values


def text(value: Value | None) -> str | None:
    """Return the text of a property, the first one of a list, or None if it has none."""
    if isinstance(value, list):
        return next((found for each in value if (found := text(each)) is not None), None)
    if isinstance(value, dict):
        return text(value.get(_VALUE))
    return (value or "").strip() or None


def items(value: Value | None) -> Iterator[Value]:
    """Yield the items of a list; a property with a single value counts as one item."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def structures(value: Value | None) -> Iterator[dict[str, Value]]:
    """Yield the structures in a list, or a single one."""
    return (each for each in items(value) if isinstance(each, dict))


def _reject(*_declaration: object) -> None:
    raise PictureUndecodable("XMP with a document type is rejected, because it may expand without limit")


class _Element:
    __slots__ = ("attributes", "children", "length", "name", "parts")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[_Element] = []
        self.parts: list[str] = []
        self.length = 0


class _Reader:
    """Builds a tree of each relevant property while the document is parsed."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.values: dict[str, Value] = {}
        self._wanted = wanted
        self._path: list[str] = []
        self._open: list[_Element] = []
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element. A property can also be an attribute of its description."""
        if len(self._path) >= MAX_DEPTH:
            raise PictureUndecodable(f"XMP exceeds the limit of {MAX_DEPTH} levels")
        self._path.append(name)
        if self._open:
            self._begin(name, attributes)
        elif self._path[-2:] == [_ROOT, _DESCRIPTION]:
            for attribute in self._wanted & attributes.keys():
                self._add(attribute, attributes[attribute][:MAX_DESCRIPTION_LENGTH])
        elif self._path[-3:-1] == [_ROOT, _DESCRIPTION] and name in self._wanted:
            self._begin(name, attributes)

    def text(self, text: str) -> None:
        """Handle a part of the text of an element."""
        if self._open and self._open[-1].length < MAX_DESCRIPTION_LENGTH:
            self._open[-1].parts.append(text)
            self._open[-1].length += len(text)

    def end(self, _name: str) -> None:
        """Handle the end of an element."""
        self._path.pop()
        if not self._open:
            return
        element = self._open.pop()
        if self._open:
            if self._elements <= _MAX_ELEMENTS:
                self._open[-1].children.append(element)
        else:
            self._add(element.name, _value(element))

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._open.append(_Element(name, attributes))

    def _add(self, name: str, value: Value) -> None:
        """Add a value. If a property occurs twice, its lists are joined, and of other values the first is kept."""
        known = self.values.setdefault(name, value)
        if known is not value and isinstance(known, list) and isinstance(value, list):
            known.extend(value[: MAX_KEYWORDS - len(known)])


def _value(element: _Element) -> Value:
    for child in element.children:
        if child.name in _CONTAINERS:
            return _list(child)
        if child.name == _DESCRIPTION:
            return _structure(child)
    own = [name for name in element.attributes if not name.startswith(RDF) and name != _LANGUAGE]
    if element.children or own or element.attributes.get(_PARSE_TYPE) == "Resource":
        return _structure(element)
    return "".join(element.parts).strip() or element.attributes.get(_RESOURCE, "")


def _list(container: _Element) -> list[Value]:
    entries = [child for child in container.children if child.name == _ITEM][:MAX_KEYWORDS]
    entries.sort(key=lambda entry: entry.attributes.get(_LANGUAGE) != "x-default")
    return [value for value in map(_value, entries) if value]


def _structure(element: _Element) -> dict[str, Value]:
    fields: dict[str, Value] = {
        name: value[:MAX_DESCRIPTION_LENGTH] for name, value in element.attributes.items() if name != _PARSE_TYPE
    }
    return fields | {child.name: _value(child) for child in element.children}
