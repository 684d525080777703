"""Which XMP files of a folder belong to which of its pictures, by their names.

The sidecar of `photo.jpg` is `photo.jpg.xmp` or else `photo.xmp`. Names are compared as bytes first. Only a picture
that has no sidecar by its exact name gets one whose name differs in case or Unicode normalization, as on disks that
were written by systems that ignore such differences.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from indexer.file_names import folded, split_name

__all__ = ["BACKUP_SUFFIX", "XMP_SUFFIX", "is_backup", "pair_xmp"]

XMP_SUFFIX = b"xmp"

BACKUP_SUFFIX = ".bak"
"""Appended to the name of a sidecar, for a copy of it before it is changed. Further ones are `.bak2`, `.bak3`."""

_BACKUP = re.compile(rb".+\.xmp\.bak\d{0,4}", re.IGNORECASE | re.DOTALL)


def is_backup(name: bytes) -> bool:
    """Return whether a name is that of a copy of a sidecar."""
    return _BACKUP.fullmatch(name) is not None


def pair_xmp(pictures: Iterable[bytes], sidecars: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return the sidecar of each picture that has one; all are names in one folder, in any order.

    `photo.xmp` belongs to every picture of that stem, as in Lightroom. `photo.jpg.xmp` belongs to `photo.jpg` alone,
    even if there is a picture `photo.jpg.png`. A name that differs in case or normalization counts only where it is
    not ambiguous: there is one such sidecar, and no two pictures that it could belong to have names that differ like
    this.
    """
    names = set(pictures)
    by_stem = _by_stem(sidecars)
    if not by_stem:
        return {}
    folds = _Folds(names, by_stem)
    pairs: dict[bytes, bytes] = {}
    for picture in names:
        stem = split_name(picture)[0]
        sidecar = by_stem.get(picture) or (by_stem.get(stem) if stem not in names else None)
        sidecar = sidecar or folds.sidecar(picture) or folds.sidecar_of_stem(stem)
        if sidecar is not None:
            pairs[picture] = sidecar
    return pairs


class _Folds:
    """Sidecars by the folded form of what they are named after."""

    def __init__(self, names: set[bytes], by_stem: Mapping[bytes, bytes]) -> None:
        self._sidecars: dict[str, list[bytes]] = defaultdict(list)
        for stem, sidecar in by_stem.items():
            self._sidecars[folded(stem)].append(sidecar)
        self._pictures = Counter(map(folded, names))
        self._colliding_stems = {folded(split_name(name)[0]) for name in names if self._pictures[folded(name)] > 1}

    def sidecar(self, picture: bytes) -> bytes | None:
        """Return the only sidecar that is named after the whole name of the picture."""
        key = folded(picture)
        return self._only(key) if self._pictures[key] == 1 else None

    def sidecar_of_stem(self, stem: bytes) -> bytes | None:
        """Return the only sidecar that is named after the stem of a picture, and not after another picture."""
        key = folded(stem)
        return None if key in self._pictures or key in self._colliding_stems else self._only(key)

    def _only(self, key: str) -> bytes | None:
        found = self._sidecars.get(key, [])
        return found[0] if len(found) == 1 else None


def _by_stem(sidecars: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return the sidecars by what they are named after. Of `a.xmp` and `a.XMP`, the first counts."""
    by_stem: dict[bytes, list[bytes]] = defaultdict(list)
    for sidecar in sidecars:
        by_stem[split_name(sidecar)[0]].append(sidecar)
    plain = {stem: stem + b"." + XMP_SUFFIX for stem in by_stem}
    return {
        stem: plain[stem] if plain[stem] in found else found[0]
        for stem, found in by_stem.items()
        if plain[stem] in found or len(found) == 1
    }
