"""Which bytes have vectors already, asked for a page of files at once: a run asks for each file that it has read."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from store.catalog.id_sets import among
from store.catalog.tables import Content, Embedding
from store.ingest.batch_writer import Accepted, FileOutcome
from store.library import Library
from store.spaces.embeddings import is_embedded
from store.spaces.registry import StoredSpace
from store.spaces.unread_frames import has_unread_frames

__all__ = ["EmbeddedDigests"]

MAX_DIGESTS = 10_000
"""Digests of one page. There are more only if many contents have the same size, such as uncompressed pictures."""

KEPT_PAGES = 20
"""Pages whose digests are kept. The files of older ones have long been read."""


class EmbeddedDigests:
    """The digests of contents with vectors in a space that have the size of a pending file.

    Answers can be outdated: a file is then read as if it were new, or written again (`store.ingest.current_outcomes`).
    Pages are added by one thread. Any thread may ask.
    """

    def __init__(self, library: Library, stored: StoredSpace, max_digests: int = MAX_DIGESTS) -> None:
        self._library = library
        self._stored = stored
        self._max_digests = max_digests
        self._pages: tuple[set[bytes], ...] = (set(),)
        self._is_complete = True

    def add_page(self, connection: Connection, sizes: Sequence[int]) -> None:
        """Look up the digests for pending files of these sizes, which contents of the catalogue have."""
        page = self._load(connection, sizes) if sizes else set()
        self._pages = (*self._pages[1 - KEPT_PAGES :], page)

    def _load(self, connection: Connection, sizes: Sequence[int]) -> set[bytes]:
        statement = (
            select(Content.digest)
            .join(Embedding, (Embedding.content_id == Content.id) & (Embedding.space_id == self._stored.id))
            .where(among(Content.size, sorted(set(sizes))), ~has_unread_frames(self._stored, Content.id))
            .limit(self._max_digests + 1)
        )
        digests = set(connection.execute(statement).scalars())
        if len(digests) > self._max_digests:  # each is asked for from now on
            self._is_complete = False
            return set()
        return digests

    def add_written(self, outcomes: Iterable[FileOutcome]) -> None:
        """Note what this run has embedded: the next file may be a copy."""
        self._pages[-1].update(
            outcome.digest for outcome in outcomes if isinstance(outcome, Accepted) and outcome.vectors is not None
        )

    def has(self, digest: bytes) -> bool:
        """Return whether bytes with this SHA-256 digest have vectors for all frames."""
        if any(digest in page for page in self._pages):
            return True
        return not self._is_complete and is_embedded(self._library, self._stored, digest)
