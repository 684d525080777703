"""The rating in an XMP document: where it stands, and how to change it."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from core.errors import PictureUndecodable
from pictures.metadata.exif import parse_rating
from pictures.metadata.xmp import RATING
from pictures.metadata.xmp_elements import Element, XmpText
from pictures.metadata.xmp_lists import Splice, blanks_before

__all__ = ["RatingChange", "change_rating", "rating_text"]

_UNRATED = 0


@dataclass(frozen=True)
class RatingChange:
    """What to do with the rating."""

    splices: tuple[Splice, ...] = ()
    new_property: str | None = None
    """The value of a rating that is not there yet."""
    ours: str | None = None
    """The value by Sightline that is there afterwards."""
    replaced: str | None = None
    """What that has replaced."""
    other: int | None = None
    """The different rating by another program, which stays."""
    after: str | None = None
    """What is there afterwards, if it is changed."""
    is_changed: bool = False


def rating_text(document: XmpText) -> str | None:
    """Return the rating as it is written, or None if there is none."""
    for each in document.descriptions:
        if RATING in each.attributes:
            return each.attributes[RATING].strip()
        for child in each.children:
            if child.name == RATING:
                return child.text.strip()
    return None


def change_rating(
    document: XmpText, said: int | None, ours: str | None, replaced: str | None, *, replace: bool
) -> RatingChange:
    """Return how to write the rating `said`, or how to take back `ours`, which replaced another one, if it is None.

    A different rating by another program is left, unless `replace` is set. Raises `PictureUndecodable` if the rating is
    no plain text.
    """
    there = rating_text(document)
    is_ours = ours is not None and there == ours
    if said is None:
        return _taken_back(document, replaced) if is_ours else RatingChange()
    rating = parse_rating(there)
    if rating == said:
        return RatingChange(ours=ours if is_ours else None, replaced=replaced if is_ours else None)
    if rating not in (None, _UNRATED) and not is_ours and not replace:
        return RatingChange(other=rating)
    value = str(said)
    before = replaced if is_ours else there
    splices = tuple(_set(document, value))
    return RatingChange(splices, None if splices else value, value, before, after=value, is_changed=True)


def _taken_back(document: XmpText, replaced: str | None) -> RatingChange:
    splices = _remove(document) if replaced is None else _set(document, replaced)
    return RatingChange(tuple(splices), after=replaced, is_changed=True)


def _set(document: XmpText, value: str) -> Iterator[Splice]:
    markup = escape(value, {'"': "&quot;", "'": "&apos;"})
    for description in document.descriptions:
        if RATING in description.attributes:
            place = document.attribute(description, RATING)
            yield Splice(place.value_start, place.value_end, markup.encode())
        for child in _elements(document, description):
            if child.is_empty_tag:
                start = document.data[child.start : child.end].removesuffix(b"/>").rstrip()
                yield Splice(child.start, child.end, start + f">{markup}</{child.tag}>".encode())
            else:
                yield Splice(child.start_tag_end, child.end_tag_start, markup.encode())


def _remove(document: XmpText) -> Iterator[Splice]:
    for description in document.descriptions:
        if RATING in description.attributes:
            place = document.attribute(description, RATING)
            yield Splice(place.start, place.end, b"")
        for child in _elements(document, description):
            yield Splice(blanks_before(document.data, child.start), child.end, b"")


def _elements(document: XmpText, description: Element) -> Iterator[Element]:
    for child in description.children:
        if child.name == RATING:
            has_markup = b"<" in document.data[child.start_tag_end : child.end_tag_start]  # such as a comment
            if has_markup or child.attributes:
                raise PictureUndecodable("its Rating is not a plain number, and cannot be changed safely")
            yield child
