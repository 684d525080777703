"""Lists of texts in an XMP document, such as keywords: where their items stand, and how to add and remove some."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from xml.sax.saxutils import escape

from core.errors import PictureUndecodable
from pictures.metadata.rdf import RDF
from pictures.metadata.xmp_elements import Element, XmpText

__all__ = ["Splice", "XmpList", "apply_splices", "blanks_before", "find_list", "list_markup"]

_CONTAINERS = frozenset(f"{RDF} {name}" for name in ("Bag", "Seq", "Alt"))
_ITEM, _VALUE = f"{RDF} li", f"{RDF} value"
_BLANKS = re.compile(rb"[ \t\r\n]*\Z")


class Splice(NamedTuple):
    """Replace the bytes from `start` up to `end`."""

    start: int
    end: int
    new: bytes


@dataclass(frozen=True)
class _Item:
    element: Element
    text: str


@dataclass(frozen=True)
class XmpList:
    """All elements of one property that is a list, and its items."""

    document: XmpText
    name: str
    properties: tuple[Element, ...]
    is_attribute: bool
    """It is an attribute somewhere, and so no list."""

    @property
    def texts(self) -> list[str]:
        """The texts of the items, without empty ones."""
        return [item.text for item in self._items() if item.text]

    @property
    def is_there(self) -> bool:
        """Whether the property occurs, so that items are added to it."""
        return bool(self.properties)

    def markup_of_others(self, texts: Iterable[str]) -> list[bytes]:
        """Return the items as they are written, without those with one of `texts`."""
        own = set(texts)
        items = (item.element for item in self._items() if item.text not in own)
        return [self.document.data[element.start : element.end] for element in items]

    def splices(self, added: Sequence[str], removed: Sequence[str]) -> list[Splice]:
        """Return what to replace in the document. Items are added to the first list that is there.

        Raises `PictureUndecodable` if the property has another form than that of a list.
        """
        if not (added or removed):
            return []
        if self.is_attribute:
            raise self._unsupported()
        splices = [Splice(*span, b"") for span in self._removed_spans(set(removed), keep_lists=bool(added))]
        if added and self.properties:
            splices.append(self._addition(added))
        return splices

    def _items(self) -> Iterator[_Item]:
        for container in self._containers():
            for element in container.children:
                if element.name == _ITEM:
                    yield _Item(element, _text(element))

    def _containers(self) -> Iterator[Element]:
        return (child for each in self.properties for child in each.children if child.name in _CONTAINERS)

    def _removed_spans(self, removed: set[str], *, keep_lists: bool) -> Iterator[tuple[int, int]]:
        data = self.document.data
        for each in self.properties:
            containers = [child for child in each.children if child.name in _CONTAINERS]
            children = [child for container in containers for child in container.children]
            items = [child for child in children if child.name == _ITEM]
            gone = [item for item in items if not item.children and not item.attributes and _text(item) in removed]
            if not gone:
                continue
            is_empty = len(gone) == len(children) and len(containers) == len(each.children)
            if is_empty and not keep_lists and not re.search(rb"<[!?]", data[each.start : each.end]):
                yield blanks_before(data, each.start), each.end
            else:
                yield from ((blanks_before(data, item.start), item.end) for item in gone)

    def _addition(self, added: Sequence[str]) -> Splice:
        data, container = self.document.data, next(self._containers(), None)
        if container is None:
            return self._new_container(added)
        prefix = _prefix(container.tag)
        if container.is_empty_tag:
            start = data[container.start : container.end].removesuffix(b"/>").rstrip()
            markup = start + b">" + _items_markup(prefix, added, b"") + f"</{container.tag}>".encode()
            return Splice(container.start, container.end, markup)
        if not container.children:
            return Splice(container.end_tag_start, container.end_tag_start, _items_markup(prefix, added, b""))
        last = container.children[-1]
        blanks = data[blanks_before(data, last.start) : last.start]
        return Splice(last.end, last.end, _items_markup(prefix, added, blanks))

    def _new_container(self, added: Sequence[str]) -> Splice:
        """Replace an empty element."""
        first = self.properties[0]
        if first.children or first.attributes or first.text.strip():
            raise self._unsupported()
        prefix = _prefix(self.document.rdf.tag)
        bag = f"<{prefix}Bag>".encode() + _items_markup(prefix, added, b"") + f"</{prefix}Bag>".encode()
        data, tag = self.document.data, first.tag.encode()
        start = data[first.start : first.start_tag_end].removesuffix(b">").removesuffix(b"/").rstrip()
        return Splice(first.start, first.end, start + b">" + bag + b"</" + tag + b">")

    def _unsupported(self) -> PictureUndecodable:
        local = self.name.rpartition(" ")[2]
        return PictureUndecodable(f"its {local} is not a list of texts, and cannot be changed safely")


def find_list(document: XmpText, name: str) -> XmpList:
    """Return the property `name` of a document; it has no elements if it does not occur."""
    properties = tuple(child for each in document.descriptions for child in each.children if child.name == name)
    return XmpList(document, name, properties, any(name in each.attributes for each in document.descriptions))


def list_markup(tag: str, prefix: str, texts: Sequence[str], newline: str) -> str:
    """Return a new property with a list; `prefix` is that of RDF with its colon."""
    items = "".join(f"{newline}     <{prefix}li>{escape(text)}</{prefix}li>" for text in texts)
    return f"<{tag}>{newline}    <{prefix}Bag>{items}{newline}    </{prefix}Bag>{newline}   </{tag}>"


def apply_splices(data: bytes, splices: Iterable[Splice]) -> bytes:
    """Return `data` with parts replaced that do not overlap. Of two at one place, the first comes first."""
    for splice in sorted(splices, key=lambda each: (each.start, each.end), reverse=True):
        data = data[: splice.start] + splice.new + data[splice.end :]
    return data


def blanks_before(data: bytes, offset: int) -> int:
    """Return where the blanks before `offset` begin."""
    begin = offset
    while begin and data[begin - 1] in b" \t\r\n":
        begin -= 1
    return begin


def _text(item: Element) -> str:
    own = item.text.strip()
    return own or next((child.text.strip() for child in item.children if child.name == _VALUE), "")


def _prefix(tag: str) -> str:
    name, colon, _ = tag.rpartition(":")
    return name + colon


def _items_markup(prefix: str, texts: Iterable[str], blanks: bytes) -> bytes:
    return b"".join(blanks + f"<{prefix}li>{escape(text)}</{prefix}li>".encode() for text in texts)
