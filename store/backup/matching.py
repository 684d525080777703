"""The pictures of a library that the records of a snapshot mean: by content first, then by path."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from sqlalchemy import Connection, select

from core.foreign_paths import folder_name, is_same_path
from store.backup.records import PictureName
from store.backup.snapshot_file import SnapshotRoot
from store.catalog.collation import fold
from store.catalog.id_sets import batch_slices
from store.catalog.path_keys import path_key
from store.catalog.root_paths import path_here
from store.catalog.tables import Content, Picture, Root, RootKind

__all__ = ["PictureMatcher", "shared_path_keys"]


class PictureMatcher:
    """Finds contents by their SHA-256. A content that is unknown here is looked for at the paths it had.

    A path counts if its root is in this library: by the same absolute path, by `moved` (old path to new path), or by
    the name of the folder if one root of the snapshot and one of the library have it. With `exact`, no path counts.
    Nor does a path count at which one of the contents `named` is: the snapshot names that one by itself, so that the
    file was not edited, but replaced by another picture. The contents `coming` will be in the library: until then, they
    have negative IDs. `ambiguous` returns the `shared_path_keys` of the snapshot; such paths are compared exactly.
    """

    def __init__(
        self,
        connection: Connection,
        roots: Sequence[SnapshotRoot],
        *,
        moved: Mapping[Path, Path] | None = None,
        exact: bool = False,
        named: AbstractSet[bytes] = frozenset(),
        coming: AbstractSet[bytes] = frozenset(),
        ambiguous: Callable[[Mapping[int, int]], AbstractSet[tuple[int, str]]] = lambda _roots: frozenset(),
    ) -> None:
        self._connection = connection
        self._roots = _same_roots(connection, roots, moved or {})
        self._exact = exact
        self._named = named
        self._ambiguous = ambiguous
        self._coming = {digest: -number for number, digest in enumerate(sorted(coming), 1)}
        self.found_by_path = set[bytes]()
        """The digests of the pictures that were found by their paths only."""
        self.unknown = set[bytes]()
        """The digests of the pictures that are not in the library."""

    def match(self, names: Iterable[PictureName]) -> dict[bytes, int]:
        """Return digest -> content ID of the pictures that are in the library."""
        by_digest = {name.digest: name for name in names}
        found = self._by_digest(list(by_digest))
        rest = [name for digest, name in by_digest.items() if digest not in found]
        if rest and not self._exact:
            by_path = self._by_path(rest)
            self.found_by_path |= by_path.keys()
            found |= by_path
        self.unknown |= by_digest.keys() - found.keys()
        return found

    def _by_digest(self, digests: Sequence[bytes]) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for batch in batch_slices(len(digests)):
            statement = select(Content.digest, Content.id).where(Content.digest.in_(digests[batch]))
            found |= {row.digest: row.id for row in self._connection.execute(statement)}
        if self._coming:
            found = {digest: self._coming[digest] for digest in digests if digest in self._coming} | found
        return found

    def _by_path(self, names: Sequence[PictureName]) -> dict[bytes, int]:
        wanted = defaultdict[int, set[bytes]](set)
        for name in names:
            for place in name.places:
                if place.root in self._roots:
                    wanted[self._roots[place.root]].add(place.relpath)
        at: dict[tuple[int, bytes], int] = {}
        for root_id, paths in wanted.items():
            listed = sorted(paths)
            for batch in batch_slices(len(listed)):
                statement = (
                    select(Picture.relpath, Content.id, Content.digest)
                    .join(Content, Content.id == Picture.content_id)
                    .where(Picture.root_id == root_id, Picture.relpath.in_(listed[batch]))
                )
                rows = self._connection.execute(statement)
                at |= {(root_id, row.relpath): row.id for row in rows if row.digest not in self._named}
        found: dict[bytes, int] = {}
        for name in names:
            keys = [(self._roots[place.root], place.relpath) for place in name.places if place.root in self._roots]
            content_id = next((at[key] for key in keys if key in at), None)
            if content_id is not None:
                found[name.digest] = content_id
        return found | self._by_path_key([name for name in names if name.digest not in found])

    def _by_path_key(self, names: Sequence[PictureName]) -> dict[bytes, int]:
        """As `_by_path`, but compare paths without regard to case and Unicode normalization.

        macOS decomposes names, and Windows ignores their case. A path counts if one file here has it so, and one
        picture of the snapshot.
        """
        if not names:
            return {}
        ambiguous = self._ambiguous(self._roots)
        wanted = defaultdict[int, dict[str, bytes]](dict)
        for name in names:
            for root_id, key in _path_keys(name, self._roots):
                if (root_id, key) not in ambiguous:
                    wanted[root_id][key] = name.digest
        found: dict[bytes, int] = {}
        for root_id, digests in wanted.items():
            listed = sorted(digests)
            for batch in batch_slices(len(listed)):
                statement = (
                    select(Picture.path_key, Content.id, Content.digest)
                    .outerjoin(Content, Content.id == Picture.content_id)
                    .where(Picture.root_id == root_id, Picture.path_key.in_(listed[batch]))
                )
                rows = self._connection.execute(statement).all()
                number = Counter(row.path_key for row in rows)
                for row in rows:
                    is_usable = row.id is not None and row.digest not in self._named
                    if number[row.path_key] == 1 and is_usable:
                        found.setdefault(digests[row.path_key], row.id)
        return found


def shared_path_keys(pictures: Iterable[PictureName], roots: Mapping[int, int]) -> set[tuple[int, str]]:
    """Return the comparable paths that several pictures have, with the IDs of their roots.

    `roots` are the numbers of the roots of a snapshot with their IDs here.
    """
    first: dict[tuple[int, str], bytes] = {}
    return {
        key
        for picture in pictures
        for key in _path_keys(picture, roots)
        if first.setdefault(key, picture.digest) != picture.digest
    }


def _path_keys(picture: PictureName, roots: Mapping[int, int]) -> list[tuple[int, str]]:
    """Return the comparable paths of a picture in the roots that are here, with the IDs of these."""
    return [(roots[place.root], path_key(place.relpath)) for place in picture.places if place.root in roots]


def _same_roots(connection: Connection, roots: Sequence[SnapshotRoot], moved: Mapping[Path, Path]) -> dict[int, int]:
    """Return the number of each root of a snapshot that the library has too -> its ID here."""
    rows = connection.execute(select(Root.id, Root.path).where(Root.kind == RootKind.FOLDER)).all()
    ids = {row.path: row.id for row in rows}
    by_name = _unique_names(ids)
    folders = {number: root.path for number, root in enumerate(roots) if root.kind == RootKind.FOLDER}
    own_names = _unique_names(folders.values())
    same: dict[int, int] = {}
    for number, path in folders.items():
        shown = os.fsdecode(path)
        new = next((new for old, new in moved.items() if is_same_path(os.fspath(old), shown)), None)
        here = path if new is None else os.fsencode(new)
        if here not in ids:  # as all machines of a library on a server name it
            here = path_here(connection.dialect, here) or here
        name = fold(folder_name(shown))
        if here not in ids and new is None and own_names.get(name) == path:
            here = by_name.get(name, here)
        if here in ids:
            same[number] = ids[here]
    return same


def _unique_names(paths: Iterable[bytes]) -> dict[str, bytes]:
    """Return the comparable names of folders -> their paths, for the names that one of them has."""
    named = [(fold(folder_name(os.fsdecode(path))), path) for path in paths]
    number = Counter(name for name, _ in named)
    return {name: path for name, path in named if number[name] == 1}
