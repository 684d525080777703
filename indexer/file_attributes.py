"""The permissions and other attributes of a file that another one is to replace."""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["keep_attributes"]


def keep_attributes(file: BinaryIO, path: Path, status: os.stat_result) -> None:
    """Give a file the permissions of the one at `path`, which has this `status`.

    Its owner, access lists, labels and other extended attributes are kept too, as far as that is allowed. Raises
    `OSError` if the permissions cannot be set.
    """
    if os.name == "nt":
        return
    with suppress(OSError):
        os.fchown(file.fileno(), status.st_uid, status.st_gid)
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_IMODE(os.fstat(file.fileno()).st_mode) != mode:  # disks without permissions refuse to set any
        os.fchmod(file.fileno(), mode)
    _keep_extended(file, path)


def _keep_extended(file: BinaryIO, path: Path) -> None:
    if sys.platform == "linux":
        with suppress(OSError):
            for name in os.listxattr(path):
                with suppress(OSError):
                    os.setxattr(file.fileno(), name, os.getxattr(path, name))
