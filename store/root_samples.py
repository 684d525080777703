"""Whether a folder has the files that a root had: a sample of them is looked for, by size."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select

from core.root_files import FileStatus, file_status
from store.catalog.tables import Picture, PictureState, Root

__all__ = ["RootSample", "sample_root"]

SAMPLE = 200
"""Files that are looked at."""

TIME_TOLERANCE_NS = 2_000_000_000
"""FAT stores times in units of two seconds."""


@dataclass(frozen=True)
class RootSample:
    """What was found of the present pictures of a root."""

    pictures: int
    """Present pictures of the root."""
    checked: int
    same_size: int
    """Files of the sample that are there and have the size they had."""
    same_time: int
    """Those of them that also have the modification time they had."""

    def has(self, share: float) -> bool:
        """Return whether at least this share of the sample is there with the size it had."""
        return self.same_size >= self.checked * share


def sample_root(connection: Connection, root: Path, folder: Path) -> RootSample:
    """Compare a sample of the files of `root`, as the catalogue has them, with those in `folder`."""
    root_id = connection.scalar(select(Root.id).where(Root.path == os.fsencode(root)))
    present = (Picture.root_id == root_id, Picture.state == PictureState.PRESENT)
    pictures = connection.scalar(select(func.count(Picture.id)).where(*present)) or 0
    numbered = select(
        Picture.relpath, Picture.size, Picture.mtime_ns, func.row_number().over(order_by=Picture.id).label("number")
    ).where(*present)
    rows = numbered.subquery()
    step = max(1, pictures // SAMPLE)
    sample = connection.execute(select(rows).where(rows.c.number % step == 0).limit(SAMPLE)).all()
    found = [(row, _status(folder, row.relpath)) for row in sample]
    same = [(row, status) for row, status in found if status is not None and status.size == row.size]
    same_time = sum(abs(status.mtime_ns - row.mtime_ns) <= TIME_TOLERANCE_NS for row, status in same)
    return RootSample(pictures, len(sample), len(same), same_time)


def _status(folder: Path, relpath: bytes) -> FileStatus | None:
    try:
        return file_status(folder / os.fsdecode(relpath))
    except OSError:
        return None
