"""Evaluate conditions: a condition is compiled to one statement, and a search ranks exactly within its result."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import (
    BinaryExpression,
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    SelectBase,
    and_,
    false,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.sql.operators import in_op
from sqlalchemy.sql.selectable import SelectStatementGrouping

from core.errors import SpaceDropped
from store.albums.expansion import expand_albums
from store.catalog.id_sets import Ids, read_ids
from store.catalog.portable_sql import mostly
from store.catalog.tables import Content, Embedding, Picture, PictureState, Sidecar
from store.catalog.tables.mapping import aliased
from store.filters.compiler import compile_test
from store.filters.conditions import And, Condition, FieldTest, Not, Op, Or, check_size
from store.filters.fields import FIELDS, Needs
from store.library import Library
from store.roots import in_finished_root
from store.spaces.registry import StoredSpace, revision_of

__all__ = [
    "absent_contents",
    "candidate_ids",
    "candidates_in",
    "check_condition",
    "count_matching",
    "matching_and_number",
    "matching_contents",
    "matching_ids",
    "scanned_contents",
    "select_matching",
    "selected_ids",
]


MAX_SEPARATE_ALTERNATIVES = 8
"""Alternatives of an `or` that are queried one by one: no index answers an `or` over two tables."""


def candidate_ids(library: Library, stored: StoredSpace, condition: Condition) -> Ids:
    """Return contents, ascending, to which a search of the space's index is restricted by `condition`.

    An index contains only contents with a present file and a vector. The result may contain others too: neither is
    looked up here, which is faster. Raises `SpaceDropped`, and as `selected_ids`.
    """
    with library.read() as connection:
        if revision_of(connection, stored) is None:
            raise SpaceDropped(str(stored.space))
        return candidates_in(connection, condition)


def selected_ids(library: Library, stored: StoredSpace, condition: Condition) -> Ids:
    """Return the contents with a vector in the space that `condition` keeps, ascending.

    Raises `InvalidQuery` for an invalid condition and `PathNotIndexed` for a folder that the library does not cover.
    """
    embedded = select(Embedding.content_id).where(
        Embedding.space_id == stored.id, Embedding.content_id == Picture.content_id
    )
    with library.read() as connection:
        return read_ids(connection, _files(*_compiled(connection, condition)).where(embedded.exists()))


def candidates_in(connection: Connection, condition: Condition) -> Ids:
    """Return contents, ascending, among which are all with a present file that `condition` keeps.

    Others are those without a present file, if no fact of a file is asked for, and documents of unfinished imports.
    Raises as `selected_ids`.
    """
    check_size(condition)
    return _candidates(connection, condition)


def matching_ids(library: Library, condition: Condition) -> list[int]:
    """Return the contents with a present file that `condition` keeps. Raises as `selected_ids`."""
    with library.read() as connection:
        ids = connection.execute(select_matching(connection, condition)).scalars()
        return [content_id for content_id in ids if content_id is not None]


def check_condition(library: Library, condition: Condition) -> None:
    """Raise what `selected_ids` would raise for this condition."""
    with library.read() as connection:
        _compiled(connection, condition)


def matching_contents(connection: Connection, condition: Condition | None) -> ColumnElement[bool]:
    """Whether `condition` keeps the row of `Content`; without one, whether a present file has this content.

    Raises as `selected_ids`.
    """
    if condition is not None:
        return Content.id.in_(select_matching(connection, condition))
    file = aliased(Picture)  # the statement may join other files of the same content
    is_present = (file.content_id == Content.id, file.state == PictureState.PRESENT)
    return select(file.id).where(*is_present, *in_finished_root(connection, file)).exists()


def scanned_contents(connection: Connection, condition: Condition | None) -> ColumnElement[bool]:
    """As `matching_contents`, for a statement that reads all contents.

    Without a condition, the few contents without a present file are listed first: looking up the files of each content
    takes twice as long.
    """
    if condition is not None:
        return matching_contents(connection, condition)
    return Content.id.not_in(absent_contents(connection))


def absent_contents(connection: Connection) -> Select[int]:
    """A statement for the IDs of the contents without a present file.

    Nearly always each content has a file. Then only those with a file in another state are examined.
    """
    finished = in_finished_root(connection)
    is_present = and_(Picture.content_id == Content.id, Picture.state == PictureState.PRESENT, *finished)
    absent = select(Content.id).where(~select(Picture.id).where(is_present).exists()).correlate(None)
    if finished:
        return absent
    with_file = select(func.count(Picture.content_id.distinct())).scalar_subquery()
    if connection.scalar(select(select(func.count()).select_from(Content).scalar_subquery() == with_file)):
        others = [state for state in PictureState if state is not PictureState.PRESENT]
        absent = absent.where(Content.id.in_(select(Picture.content_id).where(Picture.state.in_(others))))
    return absent


def select_matching(connection: Connection, condition: Condition) -> Select[Any]:
    """A statement for the IDs of the contents with a present file that `condition` keeps. Raises as `selected_ids`."""
    return _findable_files(connection, condition).distinct()


def count_matching(connection: Connection, condition: Condition) -> int:
    """Return how many contents with a present file `condition` keeps. Raises as `selected_ids`."""
    return _count(connection, _findable_files(connection, condition))


def matching_and_number(connection: Connection, condition: Condition) -> tuple[ColumnElement[bool], int]:
    """Return `matching_contents` and `count_matching`: what a condition names, such as tags, is looked up only once."""
    files = _findable_files(connection, condition)
    return Content.id.in_(files.distinct()), _count(connection, files)


def _count(connection: Connection, files: Select[Any]) -> int:
    return connection.scalar(files.with_only_columns(func.count(Picture.content_id.distinct()))) or 0


def _findable_files(connection: Connection, condition: Condition) -> Select[Any]:
    return _files(*_compiled(connection, condition)).where(*in_finished_root(connection))


def _candidates(connection: Connection, condition: Condition) -> Ids:
    if isinstance(condition, Or) and 1 < len(condition.conditions) <= MAX_SEPARATE_ALTERNATIVES:
        return np.unique(np.concatenate([_candidates(connection, one) for one in condition.conditions]))
    where, needs = _compiled(connection, condition)
    listed = _list_of(where)
    if listed is not None:
        return read_ids(connection, listed)
    if needs == {Needs.CONTENT}:  # the same for every file of the content
        return read_ids(connection, select(Content.id).where(where))
    return read_ids(connection, _files(where, needs))


def _list_of(where: ColumnElement[bool]) -> SelectBase | None:
    """Return the statement that lists contents if `where` is no more than that a content is in it, such as by a tag."""
    if not isinstance(where, BinaryExpression) or where.operator is not in_op:
        return None
    is_content = any(where.left.compare(column.expression) for column in (Content.id, Picture.content_id))
    listed = where.right.element if isinstance(where.right, (ScalarSelect, SelectStatementGrouping)) else None
    return listed if is_content and isinstance(listed, SelectBase) else None


def _compiled(connection: Connection, condition: Condition) -> tuple[ColumnElement[bool], set[Needs]]:
    """Compile `condition` to SQL over one file; return the tables that it needs, too."""
    check_size(condition)
    condition = expand_albums(connection, condition)
    check_size(condition)
    compiler = _Compiler(connection)
    where = compiler.compile(condition)
    return where, compiler.needs


def _files(where: ColumnElement[bool], needs: set[Needs]) -> Select[Any]:
    """A statement for the content of every present file that matches."""
    present = mostly(Picture.state, PictureState.PRESENT)
    statement = select(Picture.content_id).where(present, where)
    if needs & {Needs.CONTENT, Needs.SIDECAR}:
        statement = statement.join(Content, Content.id == Picture.content_id)
    if Needs.SIDECAR in needs:
        statement = statement.outerjoin(Sidecar, Sidecar.picture_id == Picture.id)
    return statement


class _Compiler:
    """Compiles a condition to SQL over one present file. `needs` collects the tables that it refers to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.needs = set[Needs]()

    def compile(self, condition: Condition) -> ColumnElement[bool]:
        """Return SQL that is true, false, or NULL if a value is unknown."""
        if isinstance(condition, And):
            return _balanced(and_, true(), list(map(self.compile, condition.conditions)))
        if isinstance(condition, Or):
            return _balanced(or_, false(), list(map(self.compile, condition.conditions)))
        if isinstance(condition, Not):
            # A test of an unknown value is false, so its negation is true.
            return not_(func.coalesce(self.compile(condition.condition), false()))
        if condition.op is Op.NE:
            return self.compile(Not(FieldTest(condition.field, Op.EQ, condition.value)))
        if condition.field in FIELDS:
            self.needs.add(FIELDS[condition.field].needs)
        return compile_test(self._connection, condition)


def _balanced(
    join: Callable[..., ColumnElement[bool]], empty: ColumnElement[bool], parts: Sequence[ColumnElement[bool]]
) -> ColumnElement[bool]:
    """Join `parts` as a balanced tree: SQLite limits the depth, and counts each part of a flat list as a level."""
    if len(parts) <= 8:
        return join(empty, *parts)
    middle = len(parts) // 2
    return join(*(Grouping(_balanced(join, empty, half)) for half in (parts[:middle], parts[middle:])))
