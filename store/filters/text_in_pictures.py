"""Compile tests of the text that was read in pictures to SQL."""

from sqlalchemy import ColumnElement, Connection, select

from store.catalog.id_sets import among
from store.catalog.tables import Content, TextFrame
from store.catalog.text_comparison import ExactLine, TextPattern, comparable
from store.filters.conditions import FieldTest, Op
from store.filters.fields import FIELDS, Kind
from store.filters.values import texts_of
from store.texts import containing, contents_with_line

__all__ = ["text_patterns", "with_any_text", "with_text"]


def with_any_text() -> ColumnElement[bool]:
    """Contents in which any text was read."""
    return Content.id.in_(select(TextFrame.content_id))


def with_text(connection: Connection, pattern: TextPattern) -> ColumnElement[bool]:
    """Contents with a text that matches."""
    if pattern.part is not None:
        return Content.id.in_(select(TextFrame.content_id).where(containing(pattern.pieces)))
    return among(Content.id, contents_with_line(connection, pattern))


def text_patterns(test: FieldTest) -> list[TextPattern]:
    """Return what a test of the text in pictures looks for; none for any other test."""
    field = FIELDS.get(test.field)  # an album before its expansion is not a field
    if field is None or field.kind is not Kind.WRITTEN:
        return []
    texts = texts_of(test) or ()
    if test.op is Op.LIKE:
        return [TextPattern.like(text) for text in texts]
    return [ExactLine(line=comparable(text)) for text in texts] if test.op in (Op.EQ, Op.IN) else []
