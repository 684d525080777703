"""XMP files beside pictures: which of them a census saw changed, and what they say."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, or_, select

from store.catalog.annotations import PictureTag, Sidecar
from store.catalog.collation import clean_name
from store.catalog.tables import Picture, State
from store.ingest.metadata import LONGEST_DESCRIPTION, LONGEST_TITLE
from store.ingest.scanned_files import SEEN
from store.roots import Place
from store.tags import replace_picture_tags, tag_names

__all__ = ["SidecarFacts", "SidecarWork", "changed_sidecars", "forget_vanished", "keep_sidecars"]


@dataclass(frozen=True)
class SidecarWork:
    """A sidecar that must be read, and the picture that it stands beside."""

    picture_id: int
    relpath: bytes


@dataclass(frozen=True)
class SidecarFacts:
    """What a sidecar said when it had this size and this time."""

    relpath: bytes
    size: int
    mtime_ns: int
    rating: int | None = None
    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()


def changed_sidecars(connection: Connection, place: Place, after: int, limit: int) -> list[SidecarWork]:
    """Sidecars that the census under way has seen and that are new or changed, by picture, beyond the id `after`."""
    statement = (
        select(Picture.id, SEEN.c.sidecar)
        .join(SEEN, SEEN.c.relpath == Picture.relpath)
        .outerjoin(Sidecar, Sidecar.picture_id == Picture.id)
        .where(
            Picture.root_id == place.root_id,
            Picture.state == State.PRESENT,
            SEEN.c.sidecar.is_not(None),
            or_(
                Sidecar.picture_id.is_(None),
                Sidecar.relpath != SEEN.c.sidecar,
                Sidecar.size != SEEN.c.sidecar_size,
                Sidecar.mtime_ns != SEEN.c.sidecar_mtime_ns,
            ),
            Picture.id > after,
        )
        .order_by(Picture.id)
        .limit(limit)
    )
    return [SidecarWork(row[0], row[1]) for row in connection.execute(statement)]


def keep_sidecars(connection: Connection, facts: Mapping[int, SidecarFacts]) -> None:
    """Takes in what sidecars say now, by picture."""
    connection.execute(delete(Sidecar).where(Sidecar.picture_id.in_(list(facts))))
    for picture_id, each in facts.items():
        connection.execute(
            insert(Sidecar).values(
                picture_id=picture_id,
                relpath=each.relpath,
                size=each.size,
                mtime_ns=each.mtime_ns,
                rating=each.rating,
                title=clean_name(each.title or "", LONGEST_TITLE) or None,
                description=clean_name(each.description or "", LONGEST_DESCRIPTION) or None,
            )
        )
        replace_picture_tags(connection, picture_id, tag_names(each.keywords))


def forget_vanished(connection: Connection, place: Place) -> int:
    """Forgets what sidecars said that are gone, of pictures that the census has seen; returns how many."""
    alone = (
        select(Picture.id)
        .join(SEEN, SEEN.c.relpath == Picture.relpath)
        .join(Sidecar, Sidecar.picture_id == Picture.id)
        .where(Picture.root_id == place.root_id, SEEN.c.sidecar.is_(None))
    )
    connection.execute(delete(PictureTag).where(PictureTag.picture_id.in_(alone)))
    return connection.execute(delete(Sidecar).where(Sidecar.picture_id.in_(alone))).rowcount
