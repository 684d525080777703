"""What the type of a file system says: whether inode numbers identify files, and whether changes are reported.

On network and FAT file systems, the inode number of a file can change at any time, while the file stays the same. The
system reports changes of its own programs only, not those that other machines make on a network file system.
"""

import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["InodeNumbers", "has_notifications", "mount_points_below"]

_MOUNTS = Path("/proc/self/mounts")

_WITH_STABLE_INODES = frozenset(
    b"apfs bcachefs bfs btrfs ext2 ext3 ext4 f2fs hfs hfsplus jfs nilfs2 ntfs ntfs3 reiserfs tmpfs ubifs ufs xfs"
    b" zfs".split()
)
"""Local file systems that store the number of a file. All others, known or not, count as unreliable."""

_LOCAL = _WITH_STABLE_INODES | frozenset(b"exfat fuseblk iso9660 msdos overlay ramfs squashfs udf vfat".split())
"""File systems that only this machine changes, so that the system reports every change."""


def has_notifications(folder: Path, mounts: Path = _MOUNTS) -> bool:
    """Return whether the system reports all changes in a folder; True where there is no `/proc` that says."""
    types = _read_mounts(mounts)
    innermost = _innermost(types, os.fsencode(folder))
    return innermost is None or types[innermost] in _LOCAL


def mount_points_below(folder: Path, mounts: Path = _MOUNTS) -> frozenset[bytes]:
    """Return the mount points below a folder, relative to it."""
    prefix = os.path.realpath(os.fsencode(folder)).rstrip(b"/") + b"/"
    return frozenset(point[len(prefix) :] for point in _read_mounts(mounts) if point.startswith(prefix))


class InodeNumbers:
    """Knows the devices with reliable inode numbers. Mounts are read once, and each device is looked up once."""

    def __init__(self, mounts: Path = _MOUNTS) -> None:
        self._mounts = mounts
        self._types: dict[bytes, bytes] | None = None
        self._is_reliable: dict[int, bool] = {}

    def of(self, status: os.stat_result, path: bytes) -> int | None:
        """Return the inode number of the file at the absolute `path`, None if it may change while the file does not.

        Systems without `/proc` have none: the change time of a file alone says there whether it was replaced.
        """
        known = self._is_reliable.get(status.st_dev)
        if known is None:
            known = self._type_at(path) in _WITH_STABLE_INODES
            self._is_reliable[status.st_dev] = known
        return status.st_ino if known and 0 < status.st_ino < 2**63 else None

    def _type_at(self, path: bytes) -> bytes | None:
        """Return the type of the file system that contains a file: that of the innermost mount point."""
        if self._types is None:
            self._types = _read_mounts(self._mounts)
        innermost = _innermost(self._types, path)
        return None if innermost is None else self._types[innermost]


def _innermost(points: Iterable[bytes], path: bytes) -> bytes | None:
    """Return the innermost of the mount points that contain a file or folder."""
    real = os.path.realpath(path).rstrip(b"/") + b"/"
    return max((point for point in points if real.startswith(point.rstrip(b"/") + b"/")), key=len, default=None)


def _read_mounts(mounts: Path) -> dict[bytes, bytes]:
    """Return the type of the file system at each mount point; the last one counts where several are stacked."""
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return {}
    return {_unescape(fields[1]): fields[2] for fields in map(bytes.split, lines) if len(fields) >= 3}


def _unescape(path: bytes) -> bytes:
    r"""Decode blanks, tabs, newlines and backslashes, which are written as `\040`, `\011`, `\012` and `\134`."""
    codes: Iterable[tuple[bytes, bytes]] = ((rb"\040", b" "), (rb"\011", b"\t"), (rb"\012", b"\n"), (rb"\134", b"\\"))
    for code, char in codes:
        path = path.replace(code, char)
    return path
