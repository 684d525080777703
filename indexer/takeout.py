"""Which JSON files of a Google Takeout folder belong to which of its pictures, by their names.

Google names the metadata of `photo.jpg` `photo.jpg.supplemental-metadata.json`, in older exports `photo.jpg.json`.
What comes before `.json` is cut after 46 UTF-16 code units, anywhere: `photo.jpg.supplemental-me.json`,
`a long name.jp.json`. The number of a second picture of the same name follows the cut: `photo(1).jpg` has
`photo.jpg.supplemental-metadata(1).json`. An edited picture, `photo-edited.jpg`, shares the JSON of the original; the
suffix is in the language of the account.

Source: reports of users in ente-io/ente#4956, TheLastGimbus/GooglePhotosTakeoutHelper#8 and #353, and
pulsejet/memories#1559. Google does not document the names.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from indexer.file_names import decode, split_name
from pictures.metadata.sidecar_files import CUT_UNITS
from store.catalog.collation import fold

__all__ = ["JSON_SUFFIX", "pair_takeout"]

JSON_SUFFIX = b"json"

_METADATA = "supplemental-metadata"
_MAX_CONTESTED = 16
"""Pictures that a JSON file is tried for, and files that are tried for a picture."""
_NUMBERED = re.compile(r"(.+)\((\d{1,6})\)", re.DOTALL)
_EDITED = (
    *("-edited", "-effects", "-smile", "-mix"),
    *("-bearbeitet", "-bewerkt", "-edytowane", "-modifié", "-modificato", "-ha editado", "-editado", "-editat"),
    *("-redigeret", "-redigert", "-redigerad", "-muokattu", "-upravené", "-изменено"),
    *("-編集済み", "-编辑", "-已修改", "-已編輯", "-편집됨"),
)
_EDITED_SUFFIXES = tuple(map(fold, _EDITED))


class _Key(NamedTuple):
    """What a JSON file is named after: a name without its number, and the number."""

    name: str
    number: str | None


def pair_takeout(pictures: Iterable[bytes], files: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """Return the JSON files of each picture that has any, the longest name first; all are names in one folder.

    A JSON file that could belong to several pictures belongs to none, and so does each of several whose names differ
    from the expected one in case or Unicode normalization. But a file whose name is cut is returned for each of a few
    pictures that it could belong to, if these have none: its contents tell.
    """
    names, files = sorted(set(pictures)), sorted(set(files))
    if not files:
        return {}
    exact, inexact = _Pictures(names, str), _Pictures(names, fold)
    pairs: dict[bytes, list[bytes]] = defaultdict(list)
    folded_pairs: dict[bytes, list[bytes]] = defaultdict(list)
    left: list[bytes] = []
    contested: dict[bytes, list[bytes]] = defaultdict(list)
    for file in files:
        if found := exact.named_by(file):
            _add(pairs, found, file)
        elif found := inexact.named_by(file):
            _add(folded_pairs, found, file)
        else:
            left.append(file)
        for picture in exact.cut_to(file) if len(found) != 1 else ():
            contested[picture].append(file)
    for picture, found_files in folded_pairs.items():
        if len(found_files) == 1 and picture not in pairs:
            pairs[picture] = found_files
    edited = _pair_edited(names, pairs, left)
    unsure = {picture: some for picture, some in contested.items() if len(some) <= _MAX_CONTESTED}
    return {
        picture: sorted(found, key=lambda file: (-len(file), file))
        for picture, found in (unsure | pairs | edited).items()
    }


def _add(pairs: dict[bytes, list[bytes]], pictures: set[bytes], file: bytes) -> None:
    if len(pictures) == 1:
        pairs[next(iter(pictures))].append(file)


class _Pictures:
    """The pictures of a folder by what their JSON files are named after; `form` makes names comparable."""

    def __init__(self, names: Iterable[bytes], form: Callable[[str], str]) -> None:
        self._form = form
        self._by_key: dict[_Key, set[bytes]] = defaultdict(set)
        for name in names:
            for key in _keys(decode(name)):
                self._by_key[_Key(form(key.name), key.number)].add(name)
        self._sorted: dict[str | None, list[str]] = defaultdict(list)
        for key in sorted(self._by_key, key=lambda key: key.name):
            self._sorted[key.number].append(key.name)

    def named_by(self, file: bytes) -> set[bytes]:
        """Return the pictures that a JSON file may belong to."""
        core = self._form(decode(split_name(file)[0]))
        numbered = _NUMBERED.fullmatch(core)
        keys = [_Key(core, None)]
        if numbered:
            keys.append(_Key(numbered[1], numbered[2]))
        for key in keys:
            if found := self._of(key):
                return found
        return next(filter(None, (self._cut(key) for key in reversed(keys))), set())

    def cut_to(self, file: bytes) -> set[bytes]:
        """Return a few pictures whose names were cut to that of a file, which can have a number of its own."""
        core = self._form(decode(split_name(file)[0]))
        numbered = _NUMBERED.fullmatch(core)
        found = self._cut(_Key(core, None)) or (self._cut(_Key(numbered[1], None)) if numbered else set())
        return found if len(found) <= _MAX_CONTESTED else set()

    def _of(self, key: _Key) -> set[bytes]:
        """Return the pictures whose whole name is in the name of the file."""
        if key in self._by_key:
            return self._by_key[key]
        name, dot, metadata = key.name.rpartition(".")
        return self._by_key.get(_Key(name, key.number), set()) if dot and _METADATA.startswith(metadata) else set()

    def _cut(self, key: _Key) -> set[bytes]:
        """Return the pictures whose name was cut to that of the file."""
        if _units(key.name) < CUT_UNITS:
            return set()
        names = self._sorted.get(key.number, [])
        found = set[bytes]()
        for name in names[bisect_left(names, key.name) :]:
            if not name.startswith(key.name):
                break
            found |= self._by_key[_Key(name, key.number)]
        return {name for name in found if key.number is not None or not _is_second(name, found)}


def _pair_edited(
    names: Iterable[bytes], pairs: Mapping[bytes, list[bytes]], left: Iterable[bytes]
) -> dict[bytes, list[bytes]]:
    """Return the JSON files of edited pictures that have none of their own: those of the original.

    `left` are the JSON files that belong to no picture: the original may be gone.
    """
    by_stem: dict[_Key, list[bytes]] = defaultdict(list)
    for name in names:
        by_stem[_stem_key(decode(name))].append(name)
    edited: dict[bytes, list[bytes]] = {}
    for name in names:
        original = None if name in pairs else _original(decode(name))
        if original is None:
            continue
        originals = by_stem.get(_stem_key(original), [])
        with_files = [each for each in originals if each in pairs]
        same = [each for each in with_files if split_name(each)[1].lower() == split_name(name)[1].lower()]
        if len(with_files) == 1 or len(same) == 1:
            edited[name] = list(pairs[(same or with_files)[0]])
        elif not originals:
            alone = _Pictures([_encode(original)], fold)
            found = [file for file in left if alone.named_by(file)]
            if len(found) == 1:
                edited[name] = found
    return edited


def _keys(name: str) -> list[_Key]:
    """Return what the JSON file of a picture may be named after: `a(1).jpg` is the picture `a.jpg` with number 1."""
    stem, dot, suffix = name.rpartition(".")
    numbered = _NUMBERED.fullmatch(stem)
    return [_Key(name, None), *([_Key(f"{numbered[1]}{dot}{suffix}", numbered[2])] if numbered else [])]


def _stem_key(name: str) -> _Key:
    stem = name.rpartition(".")[0]
    numbered = _NUMBERED.fullmatch(stem)
    return _Key(fold(numbered[1]), numbered[2]) if numbered else _Key(fold(stem), None)


def _original(name: str) -> str | None:
    """Return the name of the picture that an edited one was made from; None for one that was not edited.

    Both `a-edited(1).jpg` and `a(1)-edited.jpg` are the second `a.jpg`. The suffix is cut in names that were too long.
    """
    stem, dot, suffix = name.rpartition(".")
    numbered = _NUMBERED.fullmatch(stem)
    bare, number = (numbered[1], f"({numbered[2]})") if numbered else (stem, "")
    original, dash, word = bare.rpartition("-")
    if not original or not dash:
        return None
    word = fold(dash + word)
    is_cut = len(word) > 1 and _units(bare) >= CUT_UNITS and any(each.startswith(word) for each in _EDITED_SUFFIXES)
    return f"{original}{number}{dot}{suffix}" if word in _EDITED_SUFFIXES or is_cut else None


def _is_second(name: bytes, others: set[bytes]) -> bool:
    """Whether `name` is `a(1).jpg` and `a.jpg` is among `others`."""
    return any(key.number is not None and _encode(key.name) in others for key in _keys(decode(name)))


def _encode(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _units(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text) + sum(char > "\uffff" for char in text)
