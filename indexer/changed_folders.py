"""The parts of a root in which files have changed, for a scan that looks at nothing else."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

__all__ = ["ChangedFolders"]


@dataclass(frozen=True)
class ChangedFolders:
    """Folders of a root with changes. All paths are relative to the root; b"" is the root itself.

    Of `folders`, a scan looks at the files directly in them, and of `trees` at everything beneath them. A scan leaves
    `unsettled` files as they are, because they are still being written.
    """

    folders: frozenset[bytes] = frozenset()
    trees: frozenset[bytes] = frozenset()
    unsettled: frozenset[bytes] = frozenset()

    @cached_property
    def common(self) -> bytes:
        """The deepest folder that contains all others, or is one of them."""
        paths = {*self.folders, *self.trees}
        return b"" if not paths or b"" in paths else os.path.commonpath(paths)

    @cached_property
    def _listed(self) -> frozenset[bytes]:
        """The folders, and those on the way to them."""
        return frozenset(above for path in (*self.folders, *self.trees) for above in (b"", *_steps(path)))

    def contains(self, folder: bytes) -> bool:
        """Return whether a scan opens `folder`."""
        return folder in self._listed or any(above in self.trees for above in (b"", *_steps(folder)))

    def __bool__(self) -> bool:
        """Return whether there is any folder to scan."""
        return bool(self.folders or self.trees)

    def union(self, other: "ChangedFolders") -> "ChangedFolders":
        """Return the folders of both. The unsettled files are left out: they are reported again."""
        return ChangedFolders(self.folders | other.folders, self.trees | other.trees)

    def without(self, gone: Iterable[bytes]) -> "ChangedFolders":
        """Return the folders that are neither in `gone` nor below a folder in it."""
        left_out = frozenset(gone)
        kept = (
            frozenset(path for path in each if not left_out & {b"", *_steps(path)})
            for each in (self.folders, self.trees, self.unsettled)
        )
        return ChangedFolders(*kept) if left_out else self

    def within(self, prefix: bytes) -> "ChangedFolders":
        """Return the same folders relative to an outer root, in which this one has the path `prefix`."""
        if not prefix:
            return self
        moved = (frozenset(_join(prefix, path) for path in each) for each in (self.folders, self.trees, self.unsettled))
        return ChangedFolders(*moved)

    def existing(self, root: bytes) -> "ChangedFolders":
        """Replace folders that are gone by the innermost folder above them that is left."""
        gone = [path for path in (*self.folders, *self.trees) if not os.path.isdir(_join(root, path))]  # noqa: PTH112
        left = (next(above for above in _upwards(path) if os.path.isdir(_join(root, above))) for path in gone)  # noqa: PTH112
        return ChangedFolders((self.folders - {*gone}) | {*left}, self.trees - {*gone}, self.unsettled)

    def to_json(self) -> dict[str, list[str]]:
        """Return lists of paths by the name of the field."""
        fields = {"folders": self.folders, "trees": self.trees, "unsettled": self.unsettled}
        return {name: sorted(map(os.fsdecode, paths)) for name, paths in fields.items()}

    @classmethod
    def from_json(cls, value: object) -> "ChangedFolders":
        """Return what `to_json` was called on. Raises `ValueError` for anything else."""
        if not isinstance(value, dict) or set(value) != {"folders", "trees", "unsettled"}:
            raise ValueError("expected `folders`, `trees` and `unsettled`")
        return cls(*(frozenset(_paths(value[name])) for name in ("folders", "trees", "unsettled")))


def _paths(names: object) -> Iterable[bytes]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("expected lists of paths")
    for name in names:
        path = os.fsencode(name)
        if path.startswith(b"/") or {b"..", b"."} & set(path.split(b"/")):
            raise ValueError(f"not a path within a root: {name}")
        yield path


def _steps(path: bytes) -> Iterator[bytes]:
    """Yield b"a", b"a/b" and b"a/b/c" for b"a/b/c"; nothing for b""."""
    return accumulate(path.split(b"/"), lambda parent, name: parent + b"/" + name) if path else iter(())


def _upwards(path: bytes) -> Iterator[bytes]:
    """Yield a path, the folders above it, and b"" last, which counts as existing even if it does not."""
    yield from reversed(list(_steps(path)))
    yield b""


def _join(folder: bytes, path: bytes) -> bytes:
    return folder + b"/" + path if folder and path else folder or path
