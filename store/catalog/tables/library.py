"""The state of a library, counts that are kept, and its queue of jobs."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String

from store.catalog.root_paths import JobParameters
from store.catalog.tables.base import Base
from store.catalog.tables.mapping import Mapped, mapped_column

__all__ = ["BLOCK_SIZE", "ContentBlock", "JobRow", "KeptCounts", "LibraryState"]

BLOCK_SIZE = 16_384
"""Contents of a block: those with the same quotient of their IDs."""


class LibraryState(Base):
    """A single row with the state of the library as a whole."""

    __tablename__ = "library"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    """Incremented by every transaction that changes the searchable vectors or the active space."""
    active_space_id: Mapped[int | None] = mapped_column(ForeignKey("spaces.id"))
    created_at: Mapped[datetime]


class ContentBlock(Base):
    """A block of contents. Triggers raise its version when what is counted of them changes (`block_triggers`)."""

    __tablename__ = "content_blocks"

    number: Mapped[int] = mapped_column(primary_key=True)
    """The IDs of its contents, divided by `BLOCK_SIZE`."""
    version: Mapped[int] = mapped_column(BigInteger)


class KeptCounts(Base):
    """Counts of the contents of a block, see `store.kept_counts`. They hold if the block still has this version.

    They are derived from the other tables, and counted again if they are missing.
    """

    __tablename__ = "kept_counts"

    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    """What is counted, and by which version of the code."""
    version: Mapped[int] = mapped_column(BigInteger)
    counts: Mapped[bytes] = mapped_column(LargeBinary)


class JobRow(Base):
    """A unit of long-running work; see `store.jobs`."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "state"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    """Never reused: a client that asks for an old job must not get another one."""
    kind: Mapped[str] = mapped_column(String(32))
    """The name of a kind of `indexer.jobs.kinds`."""
    parameters: Mapped[dict[str, Any]] = mapped_column(JobParameters)
    priority: Mapped[int]
    """Jobs of a higher priority run first."""
    state: Mapped[str] = mapped_column(String(10))
    """A `store.jobs.JobState`."""
    wish: Mapped[str | None] = mapped_column(String(10))
    """A `store.jobs.Wish`: what a running job has been asked to do, until it does."""
    phase: Mapped[str] = mapped_column(String(16))
    done: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int | None] = mapped_column(BigInteger)
    """Number of pictures; None while it is unknown."""
    owner: Mapped[str | None]
    """Host and process that run the job, or ran it last."""
    crashes: Mapped[int]
    """How many processes in a row ended while they ran the job, without any progress."""
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    problem: Mapped[str | None]
    """The name of the error of a failed job."""
    error: Mapped[str | None]
    """Its message."""
