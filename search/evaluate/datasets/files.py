"""The pictures in a folder, for formats that do not list them."""

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["pictures_beneath"]

_PLAIN = "jpg jpeg jpe jfif mpo png apng gif webp bmp dib tif tiff"
_RARE = "avif heic heif hif jp2 j2k jpx ppm pgm pbm pnm tga"
_SUFFIXES = frozenset(f"{_PLAIN} {_RARE}".split())


def pictures_beneath(folder: Path) -> Iterator[str]:
    """Paths relative to `folder`, with `/`, of all files named like pictures, in order; hidden ones are left out.

    Links to folders are followed, as those of a data set that was put together from another, unless they lead back up.
    """
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not (name.startswith(".") or _leads_up(Path(place) / name)))
        for name in sorted(files):
            if name.rpartition(".")[2].lower() in _SUFFIXES and not name.startswith("."):
                yield (Path(place) / name).relative_to(folder).as_posix()


def _leads_up(folder: Path) -> bool:
    """Whether it is a link to a folder that it lies in."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())
