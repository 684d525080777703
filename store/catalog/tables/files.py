"""The files that a library knows: folders, pictures, and what is beside them or was passed over."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.engine.default import DefaultExecutionContext

from store.catalog.path_keys import folder_of, name_key, path_key
from store.catalog.root_paths import RootPath
from store.catalog.tables.base import Base
from store.catalog.tables.mapping import Mapped, mapped_column

__all__ = ["Failure", "PassedOver", "Picture", "PictureState", "Root", "RootKind", "Sidecar", "WrittenSidecar"]


class RootKind(StrEnum):
    """What a root contains."""

    FOLDER = "folder"
    """Files."""
    COLLECTION = "collection"
    """Imported documents: each has an ID and a vector, but no file."""


class PictureState(StrEnum):
    """The state of a file, as of the last scan of its folder."""

    PRESENT = "present"
    """Found by the last scan; its content is in the catalogue."""
    MISSING = "missing"
    """Not found by the last scan; its metadata and vectors are kept."""
    FAILED = "failed"
    """Found, but not readable as a picture; the `failures` table records why."""
    PAIRED = "paired"
    """Found, but a companion of another picture, which stands for both. An earlier scan took it as a picture."""


class Root(Base):
    """A folder of pictures that the library covers, or the collection of documents of an imported space.

    Documents are rows of `pictures` and `contents`, like files, so every query works on both. They are never scanned.
    """

    __tablename__ = "roots"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[bytes] = mapped_column(RootPath, unique=True)
    """Folder: the absolute path on this machine as file system bytes, not necessarily UTF-8. Collection: its name."""
    added_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(10), default=RootKind.FOLDER, server_default=RootKind.FOLDER)


def _inserted_path(context: DefaultExecutionContext) -> bytes:
    path: bytes = context.get_current_parameters()["relpath"]  # type: ignore[no-untyped-call]
    return path


class Picture(Base):
    """A file of the library, identified by its root and its path relative to it."""

    __tablename__ = "pictures"
    __table_args__ = (
        UniqueConstraint("root_id", "relpath"),
        Index(None, "content_id", "state"),
        Index(None, "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id", ondelete="CASCADE"))
    relpath: Mapped[bytes] = mapped_column(LargeBinary)
    """Path relative to the root, as file system bytes separated by `/`; the ID of a document.

    A statement that changes it also changes the next three columns (`store.catalog.path_keys`). Inserted rows get them.
    """
    folder: Mapped[bytes] = mapped_column(
        LargeBinary, default=lambda context: folder_of(_inserted_path(context)), server_default=text("x''")
    )
    """The folder of the file, relative to the root."""
    path_key: Mapped[str] = mapped_column(
        default=lambda context: path_key(_inserted_path(context)), server_default=text("''")
    )
    """`relpath` in its comparable form."""
    name_key: Mapped[str] = mapped_column(
        default=lambda context: name_key(_inserted_path(context)), server_default=text("''")
    )
    """The name of the file in its comparable form."""
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    ctime_ns: Mapped[int | None] = mapped_column(BigInteger)
    """Time of the last change of the file or its attributes; None if it is not known yet."""
    inode: Mapped[int | None] = mapped_column(BigInteger)
    """None if it is not known, or not reliable on this file system."""
    companions: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Names of other files of the same shot in the same folder, such as the RAW file of a JPEG, separated by NUL."""
    content_id: Mapped[int | None] = mapped_column(ForeignKey("contents.id"))
    state: Mapped[str] = mapped_column(String(8))


class Failure(Base):
    """The reason why a picture is in the state `failed`."""

    __tablename__ = "failures"

    picture_id: Mapped[int] = mapped_column(ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(32))
    """A stable identifier: the `reason` of a `PictureError`."""
    detail: Mapped[str]
    transient: Mapped[bool]
    """The same bytes may be readable later, so the next run tries again."""
    tries: Mapped[int]
    last_try_at: Mapped[datetime]


class Sidecar(Base):
    """The sidecar files of a picture, as they were when they were last read."""

    __tablename__ = "sidecars"

    picture_id: Mapped[int] = mapped_column(ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True)
    files: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Their paths, sizes and modification times (`store.ingest.scanned_files.pack_sidecars`). None: read again."""
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Their metadata that is merged with that of the content, such as a date (`store.ingest.sidecar_facts`)."""
    content_id: Mapped[int | None]
    """The content that `facts` were read for."""
    rating: Mapped[int | None]
    title: Mapped[str | None]
    description: Mapped[str | None]


class WrittenSidecar(Base):
    """What Sightline added to the XMP file of a picture. Only this is ever removed from it again.

    A recovery drops these rows: otherwise tags that are lost with the catalogue would be removed from the files too.
    """

    __tablename__ = "written_sidecars"

    picture_id: Mapped[int] = mapped_column(ForeignKey("pictures.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[bytes] = mapped_column(LargeBinary)
    """Of the file, in the folder of the picture."""
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    """SHA-256 of the file as it was written."""
    added: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As `pictures.metadata.xmp_sidecar.Additions` has it."""


class PassedOver(Base):
    """Number of files of one type in a folder that the last scan did not take."""

    __tablename__ = "passed_over"

    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id", ondelete="CASCADE"), primary_key=True)
    folder: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """Relative to the root, as file system bytes."""
    suffix: Mapped[str] = mapped_column(String(16), primary_key=True)
    """In lower case, without a dot; empty for files without one."""
    files: Mapped[int]
