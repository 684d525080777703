"""The change feed: which contents may have other findable vectors than before, in the order of the transactions.

With it, an index is brought up to date by reading what changed after its position, instead of comparing all IDs. The
rows are written by triggers, in the transaction of the change itself. Any statement is therefore recorded, also a
cascade.

A row says only that a content may have changed; the catalogue says what it has now. Rows can thus be read twice, and
in any order. The numbers of rows are consecutive. A number that is missing shows that the feed was cut off or damaged,
and then all IDs must be compared.
"""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, delete, func, select

from store.catalog.id_sets import Ids, read_ids
from store.catalog.tables import VectorChange

__all__ = [
    "FEED_BLOCK",
    "FEED_TRIGGERS",
    "MAX_ROWS",
    "Changes",
    "changes_after",
    "cut_off",
    "is_sole_record",
    "position",
]

MAX_ROWS = 1_048_576
"""Rows of the feed, about 15 MB. An index that is behind by more is compared with the catalogue as a whole."""

FEED_BLOCK = 4_096
"""Rows that are removed at a time when the feed is full."""

_OF_FILE = "INSERT INTO vector_changes (content_id) VALUES ({row}.content_id);"
_OF_VECTOR = "INSERT INTO vector_changes (space_id, content_id) VALUES ({row}.space_id, {row}.content_id);"
_IS_FINDABLE = "({row}.state = 'present' AND {row}.content_id IS NOT NULL)"
_SPACE_EXISTS = "EXISTS (SELECT 1 FROM spaces WHERE id = old.space_id)"


def _trigger(table: str, event: str, condition: str | None, *statements: str) -> str:
    name = f"vector_changes_{table}_{event.partition(' ')[0].lower()}"
    when = "" if condition is None else f" WHEN {condition}"
    return f"CREATE TRIGGER {name} AFTER {event} ON {table}{when} BEGIN {' '.join(statements)} END"


def _old(sql: str) -> str:
    return sql.format(row="old")


def _new(sql: str) -> str:
    return sql.format(row="new")


FEED_TRIGGERS = (
    _trigger("embeddings", "INSERT", None, _new(_OF_VECTOR)),
    _trigger("embeddings", "UPDATE", None, _old(_OF_VECTOR), _new(_OF_VECTOR)),
    # Vectors that are deleted together with their space are of no interest.
    _trigger("embeddings", "DELETE", _SPACE_EXISTS, _old(_OF_VECTOR)),
    _trigger("frame_embeddings", "INSERT", None, _new(_OF_VECTOR)),
    _trigger("frame_embeddings", "UPDATE", None, _old(_OF_VECTOR), _new(_OF_VECTOR)),
    _trigger("frame_embeddings", "DELETE", _SPACE_EXISTS, _old(_OF_VECTOR)),
    _trigger("pictures", "INSERT", _new(_IS_FINDABLE), _new(_OF_FILE)),
    _trigger("pictures", "DELETE", _old(_IS_FINDABLE), _old(_OF_FILE)),
    _trigger(
        "pictures",
        "UPDATE OF content_id, state",
        f"(old.content_id IS NOT new.content_id OR old.state <> new.state) "
        f"AND ({_old(_IS_FINDABLE)} OR {_new(_IS_FINDABLE)})",
        f"INSERT INTO vector_changes (content_id) SELECT old.content_id WHERE {_old(_IS_FINDABLE)};",
        f"INSERT INTO vector_changes (content_id) SELECT new.content_id WHERE {_new(_IS_FINDABLE)} "
        f"AND NOT (old.content_id IS new.content_id AND old.state = 'present');",
    ),
    f"CREATE TRIGGER vector_changes_limit AFTER INSERT ON vector_changes WHEN new.id % {FEED_BLOCK} = 0 "
    f"BEGIN DELETE FROM vector_changes WHERE id <= new.id - {MAX_ROWS}; END",
)
"""The triggers, which the declared tables do not contain."""


@dataclass(frozen=True)
class Changes:
    """The contents that may have changed in one space, each ascending and without repetition."""

    contents: Ids
    """All of them."""
    replaced: Ids
    """Those whose vectors may be others than before, under the same IDs."""


def position(connection: Connection) -> int:
    """Return the number of the last change; 0 if none has been recorded."""
    return connection.scalar(select(func.max(VectorChange.id))) or 0


def changes_after(connection: Connection, space_id: int, after: int) -> Changes | None:
    """Return what has changed in a space after the position `after`; None if the feed does not have all of it."""
    later = VectorChange.id > after
    row = connection.execute(
        select(func.count().label("number"), func.max(VectorChange.id).label("last")).where(later)
    ).one()
    if row.number != (row.last or after) - after or position(connection) < after:
        return None
    of_vectors = read_ids(connection, select(VectorChange.content_id).where(later, VectorChange.space_id == space_id))
    of_files = read_ids(connection, select(VectorChange.content_id).where(later, VectorChange.space_id.is_(None)))
    return Changes(np.union1d(of_vectors, of_files), of_vectors)


def is_sole_record(connection: Connection) -> bool:
    """Return whether the feed alone says that vectors were replaced under their IDs.

    Where the catalogue knows all index files, the row of a file is deleted then, so that it is built again. It does not
    know those of other machines.
    """
    return connection.dialect.name != "sqlite"


def cut_off(connection: Connection, keep_after: int) -> None:
    """Remove the changes up to the position `keep_after`, but never the last one, from which the next is numbered."""
    last = select(func.max(VectorChange.id)).scalar_subquery()
    connection.execute(delete(VectorChange).where(VectorChange.id <= keep_after, VectorChange.id < last))
