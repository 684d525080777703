"""What the files of one folder are: pictures, their sidecars and companions, and files that are passed over."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from indexer.companions import RAW_SUFFIXES, VIDEO_SUFFIXES, pair_companions
from indexer.file_names import decode, folded, split_name, suffix_of
from indexer.sidecars import XMP_SUFFIX, is_backup, pair_xmp
from indexer.takeout import JSON_SUFFIX, pair_takeout

__all__ = ["FolderFiles", "FoundPicture", "sort_files", "type_of"]

_EDITS = frozenset(b"aae cos dop on1 pp3 thm".split())
"""Suffixes of files with the edits or the thumbnail of the picture of that name, written by cameras and programs."""

_MAX_TYPE_LENGTH = 16


class FoundPicture(NamedTuple):
    """A picture of a folder, with the names of its sidecars (most trusted first) and companions."""

    name: bytes
    sidecars: tuple[bytes, ...] = ()
    companions: tuple[bytes, ...] = ()


class FolderFiles(NamedTuple):
    """The pictures of a folder in no order, and the number of its other files by type."""

    pictures: list[FoundPicture]
    passed_over: Counter[str]


def sort_files(
    names: Collection[bytes],
    suffixes: Collection[bytes],
    *,
    size_of: Callable[[bytes], int | None],
    is_picture: Callable[[bytes], bool],
    reads_heif: bool,
    pairs: bool,
) -> FolderFiles:
    """Sort the files of one folder, given by name in any order.

    Files with one of `suffixes` are pictures, and files without a suffix for which `is_picture` is true. Without
    `pairs`, no file is a companion. `size_of` and `reads_heif` are explained at `pair_companions`. A file that is a
    sidecar or a companion of a picture is not passed over.
    """
    pictures, others = list[bytes](), list[bytes]()
    for name in names:
        (pictures if suffix_of(name) in suffixes else others).append(name)
    if not others and not (pairs and any(suffix_of(name) in RAW_SUFFIXES | VIDEO_SUFFIXES for name in pictures)):
        return FolderFiles([FoundPicture(name) for name in pictures], Counter())
    unnamed = [name for name in others if not split_name(name)[1] and is_picture(name)]
    pictures += unnamed
    companions = pair_companions(names, size_of, reads_heif=reads_heif) if pairs else {}
    paired = {name for each in companions.values() for name in each}
    pictures = [name for name in pictures if name not in paired]
    sidecars = _sidecars(pictures, companions, others)
    used = {*unnamed, *paired, *(name for each in sidecars.values() for name in each)}
    left = _without_edits(pictures, [name for name in others if name not in used and not is_backup(name)])
    found = [FoundPicture(name, sidecars.get(name, ()), tuple(companions.get(name, ()))) for name in pictures]
    return FolderFiles(found, Counter(map(type_of, left)))


def type_of(name: bytes) -> str:
    """Return the suffix of a name in lower case as text; empty if there is none that looks like one."""
    suffix = decode(suffix_of(name))
    return suffix if len(suffix) <= _MAX_TYPE_LENGTH and suffix.isalnum() else ""


def _sidecars(
    pictures: Collection[bytes], companions: Mapping[bytes, list[bytes]], others: Collection[bytes]
) -> dict[bytes, tuple[bytes, ...]]:
    """Return the sidecars of each picture: its XMP file, those of its companions, and its JSON files."""
    xmp_files = [name for name in others if suffix_of(name) == XMP_SUFFIX]
    json_files = [name for name in others if suffix_of(name) == JSON_SUFFIX]
    if not xmp_files and not json_files:
        return {}
    media = {name for name in others if suffix_of(name) in RAW_SUFFIXES | VIDEO_SUFFIXES}
    xmp = pair_xmp({*pictures, *media, *(name for each in companions.values() for name in each)}, xmp_files)
    takeout = pair_takeout(pictures, json_files)
    sidecars: dict[bytes, tuple[bytes, ...]] = {}
    for name in pictures:
        of_shot = (xmp[each] for each in (name, *companions.get(name, ())) if each in xmp)
        if found := (*dict.fromkeys(of_shot), *takeout.get(name, ())):
            sidecars[name] = found
    return sidecars


def _without_edits(pictures: Iterable[bytes], others: Collection[bytes]) -> list[bytes]:
    """Leave out the files with edits of a picture: `a.aae` and `a.jpg.pp3` of `a.jpg`."""
    if not any(suffix_of(name) in _EDITS for name in others):
        return list(others)
    edited = {form for name in pictures for form in (folded(name), folded(split_name(name)[0]))}
    return [name for name in others if suffix_of(name) not in _EDITS or folded(split_name(name)[0]) not in edited]
