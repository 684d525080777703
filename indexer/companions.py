"""Files of one shot: a RAW file or the moving part of a Live Photo beside a JPEG or HEIC picture, by their names.

The picture is indexed, and the other files are its companions. They are found by the stem alone, `IMG_1.CR3` beside
`IMG_1.JPG`, without opening a file. A video is a moving part only if it is small: a Live Photo lasts three seconds,
while a film with a poster of the same name is larger.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from indexer.file_names import folded, split_name, suffix_of

__all__ = ["MAX_MOVING_PART_BYTES", "RAW_SUFFIXES", "VIDEO_SUFFIXES", "pair_companions"]

RAW_SUFFIXES = frozenset(
    b"3fr ari arw bay cap cr2 cr3 crw dcr dcs dng erf fff gpr iiq k25 kdc mdc mef mos mrw nef nrw orf ori pef ptx pxn"
    b" raf raw rw2 rwl rwz sr2 srf srw x3f".split()
)
"""Suffixes of RAW files, in lower case."""

VIDEO_SUFFIXES = frozenset(
    b"3g2 3gp asf avi flv insv m2t m2ts m4v mkv mov mp mp4 mpeg mpg mts ogv qt vob webm wmv".split()
)
"""Suffixes of videos, in lower case. `mp` is the moving part of a motion photo that Google Photos exports."""

_JPEG_SUFFIXES = frozenset([b"jpg", b"jpeg", b"jpe"])
_HEIF_SUFFIXES = frozenset([b"heic", b"heif", b"hif"])
_MOVING_SUFFIXES = frozenset([b"mov", b"mp4", b"mp"])

MAX_MOVING_PART_BYTES = 25_000_000
"""Size of the largest video that counts as a moving part; those of phones have 2 to 10 MB."""

_PIXEL_PAIR = re.compile(rb"\.RAW-\d\d\.(MP\.)?(COVER|ORIGINAL)$", re.IGNORECASE)
"""Pixel phones name a pair `PXL_1.RAW-01.COVER.jpg` and `PXL_1.RAW-02.ORIGINAL.dng`."""


def pair_companions(
    names: Iterable[bytes], size_of: Callable[[bytes], int | None], *, reads_heif: bool = True
) -> dict[bytes, list[bytes]]:
    """Return the companions of each picture that has any, sorted; all are names in one folder, in any order.

    `size_of` returns the size of a file in bytes, None if it is not a file. It is called for possible moving parts
    only. Without `reads_heif`, HEIC files have no companions, because the RAW file is the readable one. The exact stem
    is preferred to one that differs in case or Unicode normalization, and a companion that could belong to pictures
    whose names differ only like this belongs to none.
    """
    names = set(names)
    candidates = [name for name in names if suffix_of(name) in RAW_SUFFIXES | _MOVING_SUFFIXES]
    if not candidates:
        return {}
    shots = _Shots(name for name in names if _is_still(name, reads_heif=reads_heif))
    pairs: dict[bytes, list[bytes]] = defaultdict(list)
    for name, stills in shots.assign(candidates).items():
        if stills and (suffix_of(name) in RAW_SUFFIXES or _is_moving_part(size_of(name))):
            for still in stills:
                pairs[still].append(name)
    return {still: sorted(companions) for still, companions in pairs.items()}


class _Shots:
    """The pictures that can have companions, by stem."""

    def __init__(self, stills: Iterable[bytes]) -> None:
        self._exact: dict[bytes, list[bytes]] = defaultdict(list)
        self._folded: dict[str, list[bytes]] = defaultdict(list)
        self._names = Counter[str]()
        for still in stills:
            stem = _stem(still)
            self._exact[stem].append(still)
            self._folded[folded(stem)].append(still)
            self._names[folded(still)] += 1

    def assign(self, candidates: Iterable[bytes]) -> dict[bytes, list[bytes]]:
        """Return the pictures that each candidate belongs to."""
        assigned: dict[bytes, list[bytes]] = {}
        inexact: dict[str, list[bytes]] = defaultdict(list)
        for name in candidates:
            assigned[name] = self._exact.get(_stem(name), [])
            if not assigned[name]:
                inexact[folded(name)].append(name)
        taken = {folded(name) for name, stills in assigned.items() if stills}
        for key, (name, *others) in inexact.items():
            stills = self._folded.get(folded(_stem(name)), [])
            is_ambiguous = others or key in taken or any(self._names[folded(still)] > 1 for still in stills)
            assigned[name] = [] if is_ambiguous else stills
        return assigned


def _is_still(name: bytes, *, reads_heif: bool) -> bool:
    suffix = suffix_of(name)
    return suffix in _JPEG_SUFFIXES or (reads_heif and suffix in _HEIF_SUFFIXES)


def _is_moving_part(size: int | None) -> bool:
    return size is not None and size <= MAX_MOVING_PART_BYTES


def _stem(name: bytes) -> bytes:
    """Return what the files of one shot have in common."""
    stem, suffix = split_name(name)
    return name if suffix.lower() == b"mp" else _PIXEL_PAIR.sub(b"", stem)  # PXL_1.MP belongs to PXL_1.MP.jpg
