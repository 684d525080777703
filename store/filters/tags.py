"""Compile tests of tags to SQL. Tags belong to contents or to files, and people are found as tags, too."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import accumulate

from sqlalchemy import ColumnElement, Connection, Select, SelectBase, and_, false, or_, select, union_all

from store.catalog.id_sets import among
from store.catalog.tables import ContentTag, PersonRow, Picture, PictureTag, Tag
from store.filters.people_and_places import people_called

__all__ = ["with_any_tag", "with_tag", "with_tag_like"]

MAX_TAG_TERMS = 8
"""Names that become terms of a statement. SQLite limits the depth of expressions."""


def with_any_tag(connection: Connection) -> ColumnElement[bool]:
    """Files that have a tag, or whose content has one."""
    return _tagged(connection, select(Tag.id))


def with_tag(connection: Connection, keys: AbstractSet[str]) -> ColumnElement[bool]:
    """Files with one of these tags, in comparable form, or with a tag below one of them."""
    return _tagged(connection, select(Tag.id).where(_is_at_or_below(connection, keys)), sorted(keys))


def with_tag_like(connection: Connection, accepts: Callable[[str], bool]) -> ColumnElement[bool]:
    """Files with a tag whose name passes the test."""
    ids = [row.id for row in connection.execute(select(Tag)) if accepts(row.name)]
    return _tagged(connection, select(Tag.id).where(among(Tag.id, ids)), people_called(connection, accepts))


def _tagged(connection: Connection, tags: Select[int], people: Sequence[str] = ()) -> ColumnElement[bool]:
    """Files with one of these tags, or with one of these people, who are tags in some programs."""
    is_of_file = select(PictureTag.picture_id).where(PictureTag.tag_id == Tag.id).exists().label("is_of_file")
    found = connection.execute(tags.add_columns(is_of_file)).all()
    ids = [row.id for row in found]  # with a sub-select, PostgreSQL would not know that few contents have the tag
    of_contents: SelectBase = select(ContentTag.content_id).where(among(ContentTag.tag_id, ids))
    if people:
        of_contents = union_all(of_contents, select(PersonRow.content_id).where(among(PersonRow.key, people)))
    of_files = select(PictureTag.picture_id).where(among(PictureTag.tag_id, ids))
    if not any(row.is_of_file for row in found):  # with an `or`, SQLite would not use the index of contents
        return Picture.content_id.in_(of_contents)
    return or_(Picture.content_id.in_(of_contents), Picture.id.in_(of_files))


def _is_at_or_below(connection: Connection, keys: AbstractSet[str]) -> ColumnElement[bool]:
    """Tags with one of these keys, and tags below them."""
    if len(keys) > MAX_TAG_TERMS:
        every = connection.execute(select(Tag.id, Tag.key))
        return among(Tag.id, [row.id for row in every if not keys.isdisjoint(_key_and_those_above(row.key))])
    # "0" follows "/", so that the range is everything below the key
    return or_(false(), *(or_(Tag.key == key, and_(Tag.key >= key + "/", Tag.key < key + "0")) for key in keys))


def _key_and_those_above(key: str) -> Iterator[str]:
    """Yield "a", "a/b" and "a/b/c" for "a/b/c"."""
    return accumulate(key.split("/"), lambda above, level: f"{above}/{level}")
