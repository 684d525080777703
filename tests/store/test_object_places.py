"""Machines that have the same pictures in a folder, and as objects of a store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import FolderNotFound, RootMismatch, RootOverlaps
from core.object_paths import ObjectPath, as_path
from encoders.fake import FakeEncoder
from indexer import Progress, index
from search import Searcher
from store import Library
from store.root_places import place_root
from store.roots import list_roots
from tests.support.indexing import nonzero_counts
from tests.support.s3_server import S3Server

pytestmark = pytest.mark.servers

OBJECTS = as_path(b"s3://bucket/photos")
OTHERS = as_path(b"s3://bucket/others")


@pytest.fixture
def objects(s3_server: S3Server, album: Path) -> Path:
    """The pictures of the album as objects."""
    for file in album.rglob("*.png"):
        s3_server.put(f"photos/{file.relative_to(album)}", file.read_bytes())
    return OBJECTS


@pytest.fixture
def use(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Machines"]:
    yield Machines(postgres_url, tmp_path, monkeypatch)


class Pending(Progress):
    """Keeps how many files a run reads."""

    def begin(self, files: int) -> None:
        self.files = files


class Machines:
    """Opens one library as several machines."""

    def __init__(self, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._url, self._folder, self._monkeypatch = url, folder, monkeypatch

    def __call__(self, name: str) -> Library:
        self._monkeypatch.setenv("SIGHTLINE_LOCAL", str(self._folder / name))
        return Library.open(self._url, create=True)


@pytest.mark.parametrize("first", ["folder", "objects"])
def test_root_is_a_folder_here_and_objects_there(use: Machines, album: Path, objects: Path, first: str) -> None:
    place, other = (album, objects) if first == "folder" else (objects, album)
    with use("first") as library:
        index(library, place, FakeEncoder())
    with use("second") as library:
        placed = place_root(library, place, other)
        assert (placed.found.checked, placed.found.same_size) == (4, 4)
    with use("second") as library:
        (root,) = list_roots(library)
        assert (root.path, isinstance(root.path, ObjectPath)) == (other, other == objects)
        assert Searcher(library).search("red").hits[0].path == other / "red.png"
        pending = Pending()
        assert nonzero_counts(index(library, other, FakeEncoder(), progress=pending)) == {"unchanged": 4}
        assert pending.files == 4  # the times of objects are others, so that each is read once
    with use("first") as library:
        assert [root.path for root in list_roots(library)] == [place]
        counts = nonzero_counts(index(library, place, FakeEncoder()))
        assert counts.get("missing", 0) == counts.get("new", 0) == counts.get("embedded", 0) == 0
        assert Searcher(library).search("red").hits[0].path == place / "red.png"


def test_objects_with_other_files_are_refused(use: Machines, album: Path, objects: Path, s3_server: S3Server) -> None:
    s3_server.put("others/red.png", b"no picture")
    with use("first") as library:
        index(library, album, FakeEncoder())
        with pytest.raises(RootMismatch):
            place_root(library, album, OTHERS)
        with pytest.raises(FolderNotFound):
            place_root(library, album, as_path(b"s3://bucket/nothing"))
        index(library, objects, FakeEncoder())
        with pytest.raises(RootOverlaps):
            place_root(library, album, objects / "more")
