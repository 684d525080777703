"""The members of groups with several files, with what decides which of them is the best."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from store.catalog.tables import Content, PerceptualHashRow, Picture, PictureState, Root, RootKind
from store.filters.conditions import Condition
from store.filters.selection import matching_contents
from store.library import Library

__all__ = ["GroupMember", "list_members"]


@dataclass(frozen=True)
class GroupMember:
    """A content in a group of near-duplicates or of exact copies."""

    id: int
    anchor: int
    """Identifies the group."""
    files: int
    """The number of its present files."""
    width: int
    height: int
    size: int
    format: str
    taken_at: datetime | None


def list_members(library: Library, condition: Condition | None = None) -> list[GroupMember]:
    """Return the present contents of all groups of several files, of those that `condition` keeps.

    Raises `InvalidQuery` and `PathNotIndexed`.
    """
    with library.read() as connection:
        files = (
            select(Picture.content_id, func.count().label("files"))
            .join(Root, Root.id == Picture.root_id)
            .where(Picture.state == PictureState.PRESENT, Root.kind == RootKind.FOLDER)
            .group_by(Picture.content_id)
            .subquery()
        )
        group = func.coalesce(PerceptualHashRow.anchor_id, files.c.content_id).label("anchor")
        grouped = (
            select(files.c.content_id, files.c.files, group)
            .outerjoin(PerceptualHashRow, PerceptualHashRow.content_id == files.c.content_id)
            .join(Content, Content.id == files.c.content_id)
        )
        if condition is not None:
            grouped = grouped.where(matching_contents(connection, condition))
        members = grouped.cte("members")
        several = select(members.c.anchor).group_by(members.c.anchor).having(func.sum(members.c.files) > 1)
        statement = (
            select(
                Content.id,
                members.c.anchor,
                members.c.files,
                Content.width,
                Content.height,
                Content.size,
                Content.format,
                Content.taken_at,
            )
            .join(members, members.c.content_id == Content.id)
            .where(members.c.anchor.in_(several))
        )
        return [GroupMember(*row) for row in connection.execute(statement)]
