"""Pair RAW files and moving parts with the picture that they belong to, unless that cannot be read.

The scan pairs files by name. A companion of an unreadable picture is a picture of its own, so that a shot is found as
long as one of its files can be read.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    distinct,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from store.catalog.bulk_insert import insert_new, load_rows
from store.catalog.tables import (
    AlbumContent,
    Content,
    ContentTag,
    Embedding,
    Failure,
    Picture,
    PictureState,
    TagSource,
    VectorFailure,
)
from store.catalog.tables.mapping import aliased
from store.catalog.transactions import reading, writing_temporary
from store.ingest.metadata import mark_sidecar_contents
from store.ingest.scanned_files import COMPANIONS, RELEASED, SEEN, ScannedFile
from store.library import mark_changed
from store.roots import RootLocation
from store.spaces.registry import StoredSpace

__all__ = ["CompanionPairing"]

_pair = COMPANIONS.alias()
_still = aliased(Picture)

_NOT_PRESENT = [state for state in PictureState if state is not PictureState.PRESENT]
"""With `state = 'present'`, SQLite would visit all present pictures of the library instead of those with companions."""


class CompanionPairing:
    """Decides which companions of the scanned pictures at `location` are pictures of their own.

    `connection` is that of the reconciler, whose temporary tables list the scanned files, and `changing` opens a write
    transaction on it.
    """

    def __init__(
        self,
        connection: Connection,
        location: RootLocation,
        stored: StoredSpace,
        changing: Callable[[], AbstractContextManager[Connection]],
    ) -> None:
        self._connection = connection
        self._location = location
        self._stored = stored
        self._changing = changing

    def release(self, stat: Callable[[bytes], ScannedFile | None]) -> int:
        """Add the companions to the scanned files whose pictures have all failed; return how many.

        They get the sidecars of their pictures. `stat` returns the size and times of a file, None if it is gone.
        """
        failed = self._stills(or_(_still.state == PictureState.FAILED, self._has_no_vector()))
        has_other = select(_pair.c.still).where(_pair.c.relpath == COMPANIONS.c.relpath, _pair.c.still.not_in(failed))
        statement = (
            select(COMPANIONS.c.relpath, SEEN.c.sidecars)
            .join(SEEN, SEEN.c.relpath == COMPANIONS.c.still)
            .where(
                COMPANIONS.c.still.in_(failed),
                COMPANIONS.c.relpath.not_in(select(SEEN.c.relpath)),
                ~has_other.exists(),
            )
            .order_by(COMPANIONS.c.relpath, COMPANIONS.c.still.desc())
        )
        with reading(self._connection) as connection:
            sidecars = {row.relpath: row.sidecars for row in connection.execute(statement)}
        found = [(stat(path), each) for path, each in sidecars.items()]
        files = [file._replace(sidecars=each) for file, each in found if file is not None]
        with writing_temporary(self._connection) as connection:
            connection.execute(delete(RELEASED))
            if files:
                load_rows(connection, SEEN, files)
                connection.execute(insert(RELEASED), [{"relpath": file.relpath} for file in files])
        return len(files)

    def pair(self) -> int:
        """Take the companions of readable pictures out of search, and return the number of companions.

        Their data is kept. The picture gets the tags, the rating and the places in albums that its companion has from
        the user.
        """
        readable = self._stills(and_(_still.state.not_in(_NOT_PRESENT), _has_vector(self._stored)))
        companions = select(COMPANIONS.c.relpath).where(COMPANIONS.c.still.in_(readable))
        paired = select(Picture.id).where(
            Picture.root_id == self._location.root_id,
            Picture.relpath.in_(companions),
            Picture.state != PictureState.PAIRED,
        )
        with reading(self._connection) as connection:
            if connection.scalar(select(COMPANIONS.c.still).limit(1)) is None:
                return 0
        with self._changing() as connection:
            connection.execute(delete(SEEN).where(SEEN.c.relpath.in_(companions)))
            if connection.scalar(paired.limit(1)) is not None:
                self._copy_tags(connection, paired)
                self._copy_ratings(connection, paired)
                self._copy_places_in_albums(connection, paired)
                mark_sidecar_contents(connection, paired)
                connection.execute(delete(Failure).where(Failure.picture_id.in_(paired)))
                values = {"state": PictureState.PAIRED, "companions": None}
                connection.execute(update(Picture).where(Picture.id.in_(paired)).values(values))
                mark_changed(connection)
            left = COMPANIONS.c.relpath.not_in(select(SEEN.c.relpath))
            return connection.scalar(select(func.count(distinct(COMPANIONS.c.relpath))).where(left)) or 0

    def _copy_tags(self, connection: Connection, paired: Select[int]) -> None:
        """Copy the tags of the user from companions to their pictures.

        One statement for all, or a condition on the state, would be quadratic: SQLite then visits all present pictures
        for each companion.
        """
        tagged = (
            select(Picture.relpath, ContentTag.tag_id)
            .join(ContentTag, ContentTag.content_id == Picture.content_id)
            .where(Picture.id.in_(paired), ContentTag.source == TagSource.USER)
        )
        for row in connection.execute(tagged).all():
            stills = select(COMPANIONS.c.still).where(COMPANIONS.c.relpath == row.relpath)
            tags = select(literal(row.tag_id), Picture.content_id, literal(TagSource.USER.value)).where(
                Picture.root_id == self._location.root_id,
                Picture.relpath.in_(stills),
                Picture.content_id.is_not(None),
            )
            names = ["tag_id", "content_id", "source"]
            connection.execute(insert_new(ContentTag).from_select(names, tags))

    def _copy_ratings(self, connection: Connection, paired: Select[int]) -> None:
        """Copy the ratings of the user from companions to pictures that have none."""
        rated = (
            select(Picture.relpath, Content.user_rating)
            .join(Content, Content.id == Picture.content_id)
            .where(Picture.id.in_(paired), Content.user_rating.is_not(None))
        )
        for row in connection.execute(rated).all():
            stills = select(COMPANIONS.c.still).where(COMPANIONS.c.relpath == row.relpath)
            contents = select(Picture.content_id).where(
                Picture.root_id == self._location.root_id, Picture.relpath.in_(stills)
            )
            unrated = and_(Content.id.in_(contents), Content.user_rating.is_(None))
            connection.execute(update(Content).where(unrated).values(user_rating=row.user_rating))

    def _copy_places_in_albums(self, connection: Connection, paired: Select[int]) -> None:
        """Put pictures in the places of their companions in albums."""
        placed = (
            select(Picture.relpath, AlbumContent.album_id, AlbumContent.position)
            .join(AlbumContent, AlbumContent.content_id == Picture.content_id)
            .where(Picture.id.in_(paired))
        )
        for row in connection.execute(placed).all():
            stills = select(COMPANIONS.c.still).where(COMPANIONS.c.relpath == row.relpath)
            places = select(literal(row.album_id), Picture.content_id, literal(row.position)).where(
                Picture.root_id == self._location.root_id,
                Picture.relpath.in_(stills),
                Picture.content_id.is_not(None),
            )
            names = ["album_id", "content_id", "position"]
            connection.execute(insert_new(AlbumContent).from_select(names, places))

    def _stills(self, condition: ColumnElement[bool]) -> Select[bytes]:
        """Return the paths of pictures with companions that are in this condition."""
        known = select(COMPANIONS.c.still).correlate(None)
        return select(_still.relpath).where(
            _still.root_id == self._location.root_id, _still.relpath.in_(known), condition
        )

    def _has_no_vector(self) -> ColumnElement[bool]:
        failure = and_(VectorFailure.space_id == self._stored.id, VectorFailure.content_id == _still.content_id)
        return select(VectorFailure.content_id).where(failure).exists()


def _has_vector(stored: StoredSpace) -> ColumnElement[bool]:
    vector = and_(Embedding.space_id == stored.id, Embedding.content_id == _still.content_id)
    return select(Embedding.content_id).where(vector).exists()
