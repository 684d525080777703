"""Which XMP file is to be written for a picture: the one that an index run reads, or a new one that it will read."""

import os
import stat
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from indexer.file_names import suffix_of
from indexer.folder_files import sort_files
from indexer.ignore import is_always_ignored
from indexer.scan import PICTURE_SUFFIXES
from indexer.sidecars import XMP_SUFFIX
from pictures.extras import extra_is_installed

__all__ = ["FolderTargets", "list_names"]


@dataclass(frozen=True)
class FolderTargets:
    """The XMP files of the pictures in one folder, by the rules of an index run.

    `names` are the files of the folder, and `pictures` the names of those that the catalogue has as present pictures.
    """

    folder: Path
    names: frozenset[bytes]
    pictures: frozenset[bytes]

    def existing(self) -> dict[bytes, bytes]:
        """Return the name of the sidecar of each picture that has one. It is the most trusted of several."""
        return {name: found[0] for name, found in self._sidecars(self.names).items()}

    def shared(self) -> dict[bytes, list[bytes]]:
        """Return the sidecars of several pictures, with these pictures."""
        users = defaultdict[bytes, list[bytes]](list)
        for picture, sidecars in sorted(self._sidecars(self.names).items()):
            for sidecar in sidecars:
                users[sidecar].append(picture)
        return {sidecar: pictures for sidecar, pictures in users.items() if len(pictures) > 1}

    def new(self, pictures: Collection[bytes]) -> dict[bytes, bytes]:
        """Return the names of new sidecars for these pictures, as far as they would belong to nothing else.

        `photo.jpg.xmp` belongs to `photo.jpg` alone.
        """
        wanted = {picture: picture + b"." + XMP_SUFFIX for picture in pictures}
        folded = Counter(name.lower() for name in (*self.names, *wanted.values()))
        wanted = {picture: name for picture, name in wanted.items() if folded[name.lower()] == 1}
        before, after = self._sidecars(self.names), self._sidecars({*self.names, *wanted.values()})
        taken = {
            name
            for picture, sidecars in after.items()
            for name in sidecars
            if name not in (wanted.get(picture), *before.get(picture, ()))
        }
        return {
            picture: name
            for picture, name in wanted.items()
            if name not in taken and after.get(picture, (b"",))[0] == name
        }

    def _sidecars(self, names: Collection[bytes]) -> Mapping[bytes, list[bytes]]:
        """Return the XMP files of each picture that has some, the most trusted first."""
        found = self._sorted(names, pairs=True)
        if not self.pictures & self.names <= found.keys():  # indexed so that companions are pictures of their own
            found = self._sorted(names, pairs=False)
        xmp = {
            picture: [each for each in sidecars if suffix_of(each) == XMP_SUFFIX] for picture, sidecars in found.items()
        }
        return {picture: sidecars for picture, sidecars in xmp.items() if sidecars}

    def _sorted(self, names: Collection[bytes], *, pairs: bool) -> dict[bytes, tuple[bytes, ...]]:
        found = sort_files(
            names,
            PICTURE_SUFFIXES,
            size_of=self._size,
            is_picture=self.pictures.__contains__,
            reads_heif=extra_is_installed("heic"),
            pairs=pairs,
        )
        return {picture.name: picture.sidecars for picture in found.pictures}

    def _size(self, name: bytes) -> int | None:
        try:
            status = (self.folder / os.fsdecode(name)).stat()
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None


def list_names(folder: Path) -> frozenset[bytes]:
    """Return the names of the files in a folder, and of links to files. Raises `OSError`."""
    with os.scandir(os.fsencode(folder)) as listing:
        return frozenset(item.name for item in listing if not is_always_ignored(item.name) and _is_file(item))


def _is_file(item: os.DirEntry[bytes]) -> bool:
    try:
        return item.is_file()
    except OSError:
        return False
