"""Change tags and the rating in an XMP sidecar, without a change to anything else in it.

What another program wrote stays byte by byte: only items of lists, the value of a rating, and one new description are
written. Only what Sightline added before (`Additions`) is removed. The result is parsed again and compared before it is
returned.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from xml.sax.saxutils import quoteattr

from core.errors import PictureUndecodable
from core.metadata import MAX_KEYWORDS, PhotoMetadata
from pictures.metadata.rdf import RDF
from pictures.metadata.xmp import (
    HIERARCHICAL,
    LAST_LEVELS,
    MAX_XMP_BYTES,
    RATING,
    SUBJECT,
    read_xmp,
)
from pictures.metadata.xmp_elements import Element, XmpText, decode_xmp
from pictures.metadata.xmp_keywords import KEYWORD_LISTS, KeywordChange, change_keywords, keyword_key
from pictures.metadata.xmp_lists import Splice, XmpList, apply_splices, blanks_before, find_list, list_markup
from pictures.metadata.xmp_rating import RatingChange, change_rating, rating_text

__all__ = ["Additions", "EditedSidecar", "SaidTags", "edit_sidecar", "is_xml_text"]

NEW_SIDECAR = f"""\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Sightline">
 <rdf:RDF xmlns:rdf="{RDF}">
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
""".encode()

_TAGS: Mapping[str, str] = MappingProxyType(
    {
        SUBJECT: "dc:subject",
        HIERARCHICAL: "lr:hierarchicalSubject",
        LAST_LEVELS: "sightline:lastLevels",
        RATING: "xmp:Rating",
    }
)
"""The properties that can be added to a sidecar, with the usual prefixes."""

_NAMES = (f"{RDF} about", "about")
"""The attribute with the name of the picture; the second form is that of old programs."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class SaidTags:
    """What people said about a picture: tags, with `/` between levels, and the rating."""

    tags: tuple[str, ...] = ()
    rating: int | None = None


@dataclass(frozen=True)
class Additions:
    """What Sightline has added to a sidecar."""

    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The items of lists, by the property."""
    rating: str | None = None
    """The value that it wrote."""
    replaced: str | None = None
    """The value that was there before; None if there was none."""

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        items = {name: list(texts) for name, texts in self.items.items() if texts}
        return {"items": items, "rating": self.rating, "replaced": self.replaced}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Additions":
        """Return the additions that `to_json` returned."""
        items = {name: tuple(texts) for name, texts in values["items"].items()}
        return cls(items, values["rating"], values["replaced"])


@dataclass(frozen=True)
class EditedSidecar:
    """A changed sidecar, and what is different in it."""

    data: bytes
    """The file; the same bytes as before if there was nothing to change."""
    additions: Additions
    """What Sightline has added to it, now and before."""
    before: PhotoMetadata
    after: PhotoMetadata
    """What an index run reads from it."""
    other_rating: int | None = None
    """The different rating that another program wrote, and that was left."""

    @property
    def added(self) -> tuple[str, ...]:
        """The keywords that are new in it."""
        return tuple(text for text in self.after.keywords if text not in self.before.keywords)

    @property
    def removed(self) -> tuple[str, ...]:
        """The keywords that are no longer in it."""
        return tuple(text for text in self.before.keywords if text not in self.after.keywords)


def is_xml_text(text: str) -> bool:
    """Return whether XML 1.0 can contain a text."""
    return _NOT_XML.search(text) is None


def edit_sidecar(
    raw: bytes | None, said: SaidTags, known: Additions | None = None, *, replace_rating: bool = False
) -> EditedSidecar:
    """Return the sidecar `raw` with what people said; None is a new one.

    Tags must be texts that XML can contain. A rating by another program is replaced only with `replace_rating`. Raises
    `PictureUndecodable` if the sidecar is not XMP, might be an attack, or has a form that cannot be changed safely.
    """
    known = known or Additions()
    if raw is not None and len(raw) > MAX_XMP_BYTES:
        raise PictureUndecodable(f"{len(raw):,} bytes exceed the limit of {MAX_XMP_BYTES:,} bytes")
    before = decode_xmp(NEW_SIDECAR if raw is None else raw)
    lists = {name: find_list(before, name) for name in KEYWORD_LISTS}
    changes = change_keywords(lists, said.tags, known.items)
    rating = change_rating(before, said.rating, known.rating, known.replaced, replace=replace_rating)
    splices = [*rating.splices]
    for name, change in changes.items():
        splices += lists[name].splices(change.added, change.removed)
    splices += _new_properties(before, lists, changes, rating.new_property)
    additions = Additions(
        {name: each.ours for name, each in changes.items() if each.ours}, rating.ours, rating.replaced
    )
    there = PhotoMetadata() if raw is None else read_xmp(raw)
    if not splices:
        return EditedSidecar(raw or b"", additions, there, there, rating.other)
    data = before.encoded(_without_emptied(before, apply_splices(before.data, splices)))
    _check(before, data, changes, rating)
    edited = EditedSidecar(data, additions, there, read_xmp(data), rating.other)
    if not set(map(keyword_key, said.tags)) <= set(map(keyword_key, edited.after.keywords)):
        raise PictureUndecodable(f"it would have more than {MAX_KEYWORDS:,} keywords, which are not all read again")
    return edited


def _new_properties(
    document: XmpText, lists: Mapping[str, XmpList], changes: Mapping[str, KeywordChange], rating: str | None
) -> list[Splice]:
    """Return a description with the properties that are not there yet, at the end of the others."""
    missing = {name: change.added for name, change in changes.items() if change.added and not lists[name].is_there}
    if not missing and rating is None:
        return []
    newline = "\r\n" if b"\r\n" in document.data else "\n"
    names = [*missing, *([] if rating is None else [RATING])]
    spaces = {_TAGS[name].partition(":")[0]: name.partition(" ")[0] for name in names}
    if document.rdf.tag != "rdf:RDF":  # the prefix may have another meaning, or none
        spaces["rdf"] = RDF
    declared = "".join(f"{newline}    xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in spaces.items())
    lines = [list_markup(_TAGS[name], "rdf:", texts, newline) for name, texts in missing.items()]
    lines += [] if rating is None else [f"<{_TAGS[RATING]}>{rating}</{_TAGS[RATING]}>"]
    body = "".join(f"{newline}   {line}" for line in lines)
    opening = f"<rdf:Description rdf:about={quoteattr(_about(document))}{declared}>"
    markup = f"{newline}  {opening}{body}{newline}  </rdf:Description>".encode()
    return [_at_end_of_rdf(document, markup)]


def _without_emptied(before: XmpText, data: bytes) -> bytes:
    """Return a changed document without the descriptions that lost all of their properties by the change."""
    after = before.with_data(data)
    emptied = [
        Splice(blanks_before(data, now.start), now.end, b"")
        for was, now in zip(before.descriptions, after.descriptions, strict=False)
        if _is_empty(after, now) and not _is_empty(before, was)
    ]
    return apply_splices(data, emptied)


def _is_empty(document: XmpText, description: Element) -> bool:
    raw = document.data[description.start : description.end]
    has_properties = description.children or description.attributes.keys() - set(_NAMES)
    return not has_properties and not description.text.strip() and b"<!" not in raw and b"<?" not in raw


def _about(document: XmpText) -> str:
    """Return the name of the picture in the document; all descriptions must have the same."""
    for each in document.descriptions:
        for name in _NAMES:
            if name in each.attributes:
                return each.attributes[name]
    return ""


def _at_end_of_rdf(document: XmpText, markup: bytes) -> Splice:
    rdf, data = document.rdf, document.data
    if rdf.is_empty_tag:
        start = data[rdf.start : rdf.end].removesuffix(b"/>").rstrip()
        return Splice(rdf.start, rdf.end, start + b">" + markup + f"</{rdf.tag}>".encode())
    end = rdf.children[-1].end if rdf.children else rdf.start_tag_end
    return Splice(end, end, markup)


def _check(before: XmpText, data: bytes, changes: Mapping[str, KeywordChange], rating: RatingChange) -> None:
    """Raise `PictureUndecodable` unless the new document has what it must have, and everything else as it was."""
    if len(data) > MAX_XMP_BYTES:
        raise PictureUndecodable(f"it would exceed the limit of {MAX_XMP_BYTES:,} bytes")
    after = decode_xmp(data)
    is_right = _rest(before, changes, rating) == _rest(after, changes, rating)
    for name, change in changes.items():
        texts = find_list(after, name).texts
        is_right = is_right and set(change.added) <= set(texts) and not set(change.removed) & set(texts)
    if rating.is_changed:
        is_right = is_right and rating_text(after) == rating.after
    if not is_right:
        raise PictureUndecodable("it has a form that cannot be changed safely")


def _rest(document: XmpText, changes: Mapping[str, KeywordChange], rating: RatingChange) -> list[object]:
    """Return everything that a change must leave as it is, as it is written."""
    data, rdf = document.data, document.rdf
    edited = {*changes, *([RATING] if rating.is_changed else [])}
    rest: list[object] = [data[: rdf.start], data[rdf.end :], rdf.attributes]
    rest += [find_list(document, name).markup_of_others((*each.added, *each.removed)) for name, each in changes.items()]
    for each in document.descriptions:
        attributes = {name: value for name, value in each.attributes.items() if name not in edited}
        properties = [data[child.start : child.end] for child in each.children if child.name not in edited]
        if properties or attributes.keys() - set(_NAMES):
            rest += [attributes, properties]
    return rest
