"""Files that could not be read as a picture, not be embedded in some space, or whose text could not be read."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import CompoundSelect, Select, column, func, literal, null, select, union_all

from core.object_paths import as_path
from core.space import Space
from store.catalog.tables import (
    Failure,
    Picture,
    PictureState,
    Root,
    SpaceRow,
    TextReadingRow,
    VectorFailure,
)
from store.library import Library

__all__ = ["FailureRecord", "count_failures_by_reason", "count_needed_extras", "list_failures"]

NEEDS_EXTRA = "needs-"
"""Beginning of the `reason` of a `PictureUnsupported` that names an extra."""


@dataclass(frozen=True)
class FailureRecord:
    """A file that could not be read as a picture, or that a model could not embed."""

    path: Path
    reason: str
    detail: str
    tries: int
    space: str | None = None
    """The model that could not embed it."""
    version: str | None = None
    """The version of that model, if it has several."""


def list_failures(
    library: Library, reason: str | None = None, limit: int | None = None, offset: int = 0
) -> list[FailureRecord]:
    """Return the files that failed, ordered by path: all, or up to `limit` after the first `offset`.

    With `reason`, only those that failed for this reason. A file is listed once for each failure.
    """
    failures = _failures()
    if reason is not None:
        each = failures.subquery()
        failures = select(each).where(each.c.reason == reason)
    statement = failures.order_by("path", "relpath", column("space").nulls_first()).limit(limit).offset(offset)
    with library.read() as connection:
        rows = connection.execute(statement).all()
    return [
        FailureRecord(
            path=as_path(row.path) / os.fsdecode(row.relpath),
            reason=row.reason,
            detail=row.detail,
            tries=row.tries,
            space=row.space,
            version=row.space and Space(row.space, row.weights, 0).version,
        )
        for row in rows
    ]


def count_failures_by_reason(library: Library) -> dict[str, int]:
    """Return how many failures of `list_failures` have each reason, the most frequent reason first."""
    reason, number = _failures().subquery().c.reason, func.count()
    statement = select(reason, number).group_by(reason).order_by(number.desc(), reason)
    with library.read() as connection:
        return {reason: int(files) for reason, files in connection.execute(statement)}


def count_needed_extras(library: Library) -> dict[str, int]:
    """Return how many files could not be read because an extra is not installed, by extra."""
    number = func.count()
    statement = (
        select(Failure.reason, number)
        .where(Failure.reason.startswith(NEEDS_EXTRA))
        .group_by(Failure.reason)
        .order_by(number.desc(), Failure.reason)
    )
    with library.read() as connection:
        return {reason.removeprefix(NEEDS_EXTRA): int(files) for reason, files in connection.execute(statement)}


def _failures() -> Select[Any] | CompoundSelect[Any]:
    unreadable = (
        select(Root.path, Picture.relpath, Failure.reason, Failure.detail, Failure.tries)
        .add_columns(null().label("space"), null().label("weights"))
        .join(Picture, Picture.id == Failure.picture_id)
        .join(Root, Root.id == Picture.root_id)
    )
    why = (VectorFailure.reason, VectorFailure.detail, VectorFailure.tries)
    unembedded = (
        select(Root.path, Picture.relpath, *why, SpaceRow.model.label("space"), SpaceRow.weights)
        .join(Picture, Picture.content_id == VectorFailure.content_id)
        .join(Root, Root.id == Picture.root_id)
        .join(SpaceRow, SpaceRow.id == VectorFailure.space_id)
        .where(Picture.state == PictureState.PRESENT)
    )
    unread = (
        select(Root.path, Picture.relpath, TextReadingRow.reason, TextReadingRow.detail, literal(1))
        .add_columns(null().label("space"), null().label("weights"))
        .join(Picture, Picture.content_id == TextReadingRow.content_id)
        .join(Root, Root.id == Picture.root_id)
        .where(Picture.state == PictureState.PRESENT, TextReadingRow.reason.is_not(None))
    )
    return union_all(unreadable, unembedded, unread)
