"""Bring the outcomes of reading files up to date with the catalogue, which others may have changed since."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from store.catalog.tables import Content, Embedding, Picture
from store.ingest.batch_writer import Accepted, FileOutcome
from store.roots import RootLocation
from store.spaces.registry import StoredSpace

__all__ = ["current_outcomes"]


def current_outcomes(
    connection: Connection, location: RootLocation, stored: StoredSpace, outcomes: Sequence[FileOutcome]
) -> list[FileOutcome]:
    """Return `outcomes` with the rows that the catalogue has for their files now.

    A file whose content the catalogue had already was not decoded. It is left out if the catalogue no longer has that.
    """
    statement = select(Picture.relpath, Picture.id, Picture.content_id, Picture.state).where(
        Picture.root_id == location.root_id, Picture.relpath.in_([outcome.file.relpath for outcome in outcomes])
    )
    rows = {row.relpath: (row.id, row.content_id, row.state) for row in connection.execute(statement)}
    lacking = _lacking(connection, stored, outcomes)
    current = list[FileOutcome]()
    for outcome in outcomes:
        if isinstance(outcome, Accepted) and outcome.info is None and outcome.digest in lacking:
            continue
        file = outcome.file
        now = rows.get(file.relpath, (None, None, None))
        if now != (file.picture_id, file.content_id, file.state):
            picture_id, content_id, state = now
            file = replace(file, picture_id=picture_id, content_id=content_id, state=state)
            outcome = replace(outcome, file=file)
        current.append(outcome)
    return current


def _lacking(connection: Connection, stored: StoredSpace, outcomes: Sequence[FileOutcome]) -> set[bytes]:
    """Return the digests of contents that were not decoded, and that the catalogue no longer has with a vector."""
    not_decoded = {each.digest for each in outcomes if isinstance(each, Accepted) and each.info is None}
    if not not_decoded:
        return set()
    statement = (
        select(Content.digest)
        .join(Embedding, (Embedding.content_id == Content.id) & (Embedding.space_id == stored.id))
        .where(Content.digest.in_(list(not_decoded)))
    )
    return not_decoded - set(connection.execute(statement).scalars())
