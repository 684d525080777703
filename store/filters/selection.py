"""Conditions to candidate ids: a condition tree becomes one statement, and ranking is exact within what it finds."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, not_, or_, select, true
from sqlalchemy.sql.elements import Grouping

from store.albums import expanded
from store.catalog.annotations import Sidecar
from store.catalog.id_sets import read_ids
from store.catalog.tables import Content, Embedding, Picture, State
from store.filters.compiler import compile_test
from store.filters.conditions import And, Condition, FieldTest, Not, Op, Or, check_size
from store.filters.fields import FIELDS, Needs
from store.spaces.registry import StoredSpace
from store.spaces.vector_index import Ids

__all__ = ["candidate_ids", "matching", "selected_ids"]


MOST_APART = 8
"""Alternatives that are looked for one by one, each by an index of its own: no index answers an `or` of two tables."""


def candidate_ids(connection: Connection, condition: Condition) -> Ids:
    """Contents among which an index finds exactly those of its own that `condition` keeps. Sorted.

    An index holds no content without a present file and a vector, so that neither is looked up here: among these there
    may be contents without. Raises as `selected_ids`.
    """
    check_size(condition)
    if isinstance(condition, Or) and 1 < len(condition.conditions) <= MOST_APART:
        return np.unique(np.concatenate([candidate_ids(connection, one) for one in condition.conditions]))
    where, needs = _compiled(connection, condition)
    if needs == {Needs.CONTENT}:  # whichever file holds it
        return read_ids(connection, select(Content.id).where(where))
    return read_ids(connection, _files(where, needs))


def selected_ids(connection: Connection, stored: StoredSpace, condition: Condition) -> Ids:
    """The contents with a vector in the space that `condition` keeps. Sorted.

    Raises `InvalidQuery` for a condition that cannot be asked and `NothingKnown` for a folder that is not covered.
    """
    embedded = select(Embedding.content_id).where(
        Embedding.space_id == stored.id, Embedding.content_id == Picture.content_id
    )
    return read_ids(connection, _files(*_compiled(connection, condition)).where(embedded.exists()))


def matching(connection: Connection, condition: Condition) -> Select[Any]:
    """A statement for the ids of the contents that `condition` keeps, with a present file. Raises as `selected_ids`."""
    return _files(*_compiled(connection, condition)).distinct()


def _compiled(connection: Connection, condition: Condition) -> tuple[ColumnElement[bool], set[Needs]]:
    """`condition` as SQL over one file, and what it needs besides the row of the file."""
    check_size(condition)
    condition = expanded(connection, condition)
    check_size(condition)
    compiler = _Compiler(connection)
    where = compiler.compile(condition)
    return where, compiler.needs


def _files(where: ColumnElement[bool], needs: set[Needs]) -> Select[Any]:
    """A statement for the content of every present file that passes."""
    # Nearly all files are present: through the index of states SQLite would go through all of them, whatever else is
    # asked, so the state is hidden from it.
    present = func.coalesce(Picture.state, State.MISSING) == State.PRESENT
    statement = select(Picture.content_id).where(present, where)
    if needs & {Needs.CONTENT, Needs.SIDECAR}:
        statement = statement.join(Content, Content.id == Picture.content_id)
    if Needs.SIDECAR in needs:
        statement = statement.outerjoin(Sidecar, Sidecar.picture_id == Picture.id)
    return statement


class _Compiler:
    """Turns a condition into SQL over one present file; `needs` says which tables that speaks of."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.needs = set[Needs]()

    def compile(self, condition: Condition) -> ColumnElement[bool]:
        """SQL that is true, false, or NULL where nothing is known."""
        if isinstance(condition, And):
            return _balanced(and_, true(), list(map(self.compile, condition.conditions)))
        if isinstance(condition, Or):
            return _balanced(or_, false(), list(map(self.compile, condition.conditions)))
        if isinstance(condition, Not):
            # What is not known is not fulfilled: its negation is true.
            return not_(func.coalesce(self.compile(condition.condition), false()))
        if condition.op is Op.NE:
            return self.compile(Not(FieldTest(condition.field, Op.EQ, condition.value)))
        if condition.field in FIELDS:
            self.needs.add(FIELDS[condition.field].needs)
        return compile_test(self._connection, condition)


def _balanced(
    join: Callable[..., ColumnElement[bool]], empty: ColumnElement[bool], parts: Sequence[ColumnElement[bool]]
) -> ColumnElement[bool]:
    """`parts` joined in brackets within brackets, because SQLite counts each of a long row as a level."""
    if len(parts) <= 8:
        return join(empty, *parts)
    middle = len(parts) // 2
    return join(*(Grouping(_balanced(join, empty, half)) for half in (parts[:middle], parts[middle:])))
