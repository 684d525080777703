"""Write the contents of a batch that are missing here, with what files say about them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from store.catalog.bulk_insert import insert_new, insert_rows
from store.catalog.tables import (
    Base,
    Content,
    ContentPlace,
    FrameRow,
    NamedPlace,
    PerceptualHashRow,
    PersonRow,
    PlaceName,
    PlaceRow,
    TagSource,
    TextFrame,
    TextLineRow,
    TextReadingRow,
)
from store.merge.loading import ContentBatch, Row
from store.tags import Tagging, add_taggings

__all__ = ["add_contents", "add_facts", "add_named_places", "known_contents"]

SAID_HERE = ("user_rating",)
"""Columns of contents with user data. They come with the snapshot of the other library."""


def known_contents(connection: Connection, batch: ContentBatch) -> dict[int, int]:
    """Return the ID here of each content that both libraries have, by its ID in the other one."""
    other = {row["digest"]: row["id"] for row in batch.contents}
    statement = select(Content.digest, Content.id).where(Content.digest.in_(list(other)))
    return {other[row.digest]: row.id for row in connection.execute(statement)}


def add_contents(connection: Connection, contents: Sequence[Row]) -> dict[int, int]:
    """Insert contents; return the ID that each got, by its ID in the other library."""
    if not contents:
        return {}
    rows = [{name: row[name] for name in row if name not in ("id", *SAID_HERE)} for row in contents]
    made = connection.execute(insert(Content).returning(Content.digest, Content.id), rows)
    other = {row["digest"]: row["id"] for row in contents}
    return {other[row.digest]: row.id for row in made}


def add_facts(connection: Connection, batch: ContentBatch, ids: Mapping[int, int], new: Mapping[int, int]) -> None:
    """Write what is known about the contents `ids` (other ID to ID here); `new` ones were just inserted.

    New contents get all of it. Others get the perceptual hash, the average colour and the text that they lack.
    """
    _add_places(connection, batch, new)
    for table in (PersonRow, ContentPlace):
        insert_rows(connection, table, _renamed(batch.rows[table], new))
    _ignore(connection, FrameRow, _renamed(batch.rows[FrameRow], ids))
    hashes = [{**row, "anchor_id": None} for row in _renamed(batch.rows[PerceptualHashRow], ids)]
    insert_rows(connection, PerceptualHashRow, _without(connection, PerceptualHashRow, hashes))
    _add_texts(connection, batch, ids)
    _add_colors(connection, batch, ids)
    for source in (TagSource.FILE, TagSource.MODEL):
        taggings = [
            Tagging(new[row["content_id"]], row["name"], row["probability"])
            for row in batch.tags
            if row["source"] == source and row["content_id"] in new
        ]
        add_taggings(connection, taggings, source)


def add_named_places(connection: Connection, rows: Sequence[Row], places: Sequence[Row], names: Sequence[Row]) -> None:
    """Write which places of a gazetteer the names of cities in files mean, as far as they are unknown here."""
    _ignore(connection, PlaceRow, places)
    _ignore(connection, PlaceName, names)
    _ignore(connection, NamedPlace, rows)


def _add_places(connection: Connection, batch: ContentBatch, new: Mapping[int, int]) -> None:
    wanted = {row["place_id"] for row in batch.rows[ContentPlace] if row["content_id"] in new}
    _ignore(connection, PlaceRow, [row for row in batch.places if row["id"] in wanted])
    _ignore(connection, PlaceName, [row for row in batch.place_names if row["place_id"] in wanted])


def _add_texts(connection: Connection, batch: ContentBatch, ids: Mapping[int, int]) -> None:
    """Write the texts of contents in which no text was read here."""
    readings = _without(connection, TextReadingRow, _renamed(batch.rows[TextReadingRow], ids))
    insert_rows(connection, TextReadingRow, readings)
    unread = {row["content_id"] for row in readings}
    frames = {row["id"]: row for row in batch.rows[TextFrame] if ids.get(row["content_id"]) in unread}
    made = dict[int, int]()
    for other_id, row in frames.items():
        values = {**row, "content_id": ids[row["content_id"]]}
        del values["id"]
        made[other_id] = connection.execute(insert(TextFrame).values(values).returning(TextFrame.id)).scalar_one()
    lines = [{**row, "frame_id": made[row["frame_id"]]} for row in batch.lines if row["frame_id"] in made]
    insert_rows(connection, TextLineRow, lines)


def _add_colors(connection: Connection, batch: ContentBatch, ids: Mapping[int, int]) -> None:
    for row in batch.contents:
        if row["id"] in ids and row["color"] is not None:
            lacks = (Content.id == ids[row["id"]], Content.color.is_(None))
            connection.execute(update(Content).where(*lacks).values(color=row["color"]))


def _renamed(rows: Sequence[Row], ids: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return the rows of the contents `ids`, with the IDs that these have here."""
    return [{**row, "content_id": ids[row["content_id"]]} for row in rows if row["content_id"] in ids]


def _without(connection: Connection, table: type[Base], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the contents that have none in a table yet."""
    ids = table.__table__.c["content_id"]
    wanted = list({row["content_id"] for row in rows})
    known = set(connection.execute(select(ids).where(ids.in_(wanted))).scalars()) if wanted else set()
    return [row for row in rows if row["content_id"] not in known]


def _ignore(connection: Connection, table: type[Base], rows: Sequence[Row]) -> None:
    """Insert the rows that the table does not have."""
    if rows:
        connection.execute(insert_new(table), [dict(row) for row in rows])
