"""What all files of roots promise: those of a folder, of a store in memory, and of a server that speaks S3."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.object_paths import object_path
from core.root_files import RootFiles, file_status, open_file, root_files, status_of
from tests.support.object_stores import MemoryStore, use_store
from tests.support.s3_server import S3Server

Put = Callable[[str, bytes], None]
"""Creates or replaces a file at a path relative to the root."""


@pytest.fixture(params=["folder", "memory", pytest.param("s3", marks=pytest.mark.servers)])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, Put, Callable[[str], None]]]:
    """A root without files, what creates and what deletes one."""
    if request.param == "folder":
        yield tmp_path / "root", _put_into(tmp_path / "root"), lambda name: (tmp_path / "root" / name).unlink()
        return
    root = object_path("s3://bucket/the root")
    assert root is not None
    if request.param == "memory":
        store = MemoryStore(page_size=2)
        store.buckets["bucket"] = {}
        use_store(monkeypatch, store)
        yield (
            root,
            lambda name, data: store.put("bucket", f"the root/{name}", data),
            lambda name: store.buckets["bucket"].__delitem__(f"the root/{name}"),
        )
        return
    server: S3Server = request.getfixturevalue("s3_server")
    yield (
        root,
        lambda name, data: server.put(f"the root/{name}", data),
        lambda name: server.delete(f"the root/{name}"),
    )


def _put_into(root: Path) -> Put:
    def put(name: str, data: bytes) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)

    return put


Place = tuple[Path, Put, Callable[[str], None]]


def names(files: RootFiles, folder: bytes = b"") -> list[tuple[bytes, bool]]:
    return sorted((entry.name, entry.is_dir()) for entry in files.list_folder(folder).entries)


def test_root_without_files_is_not_there(place: Place) -> None:
    root, _, _ = place
    files = root_files(root)
    assert not files.is_folder()
    with pytest.raises(FileNotFoundError):
        files.require_root()


def test_folder_lists_its_files_and_folders(place: Place) -> None:
    root, put, _ = place
    odd = [
        "a b.jpg",
        "a+b.jpg",
        "a%20b.jpg",
        "é.jpg",
        "e\u0301.jpg",
        "ключ.jpg",
        "😀.jpg",
        "a&b<c>'\"?#.jpg",
    ]
    for name in (*odd, "trip/x.jpg", "trip/day 1/y.jpg", "trip.jpg"):
        put(name, b"x")
    files = root_files(root)
    files.require_root()
    expected = [(name.encode(), False) for name in (*odd, "trip.jpg")] + [(b"trip", True)]
    assert names(files) == sorted(expected)
    assert names(files, b"trip") == [(b"day 1", True), (b"x.jpg", False)]
    assert files.is_folder(b"trip/day 1")
    assert not files.is_folder(b"tri")
    assert not files.is_folder(b"trip.jpg/x")
    assert files.has_entries(b"trip")
    for name in odd:
        with files.open(name.encode()) as file:
            assert file.read() == b"x"


def test_status_of_a_listing_is_that_of_the_file(place: Place) -> None:
    root, put, delete = place
    put("a.jpg", b"12345")
    put("b/c.jpg", b"1")
    files = root_files(root)
    status = files.status(b"a.jpg")
    assert status is not None
    assert status.size == 5
    assert (files.list_folder(b"").statuses or {b"a.jpg": status})[b"a.jpg"] == status
    with files.open(b"a.jpg") as file:
        assert status_of(file)[:2] == status[:2]
    delete("a.jpg")
    with pytest.raises(FileNotFoundError):
        files.status(b"a.jpg")
    with pytest.raises(FileNotFoundError):
        files.open(b"a.jpg")


def test_replaced_file_has_another_status(place: Place) -> None:
    root, put, _ = place
    put("a.jpg", b"12345")
    before = root_files(root).status(b"a.jpg")
    put("new", b"54321")
    if root.is_dir():
        os.replace(root / "new", root / "a.jpg")  # noqa: PTH105
    else:
        put("a.jpg", b"54321")
    assert root_files(root).status(b"a.jpg") != before


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_files_are_read_in_any_order(place: Place, size: int) -> None:
    root, put, _ = place
    data = os.urandom(size)
    put("a.jpg", data)
    files = root_files(root)
    assert files.first_bytes(b"a.jpg", 64) == data[:64]
    with files.open(b"a.jpg") as file:
        assert (file.read(10), file.tell(), file.read()) == (data[:10], min(10, size), data[10:])
        assert file.seek(-min(5, size), os.SEEK_END) == max(0, size - 5)
        assert file.read() == data[max(0, size - 5) :]
        assert file.seek(size + 10) == size + 10
        assert file.read(1) == b""
        file.seek(0)
        assert b"".join(iter(lambda: file.read(7), b"")) == data


def test_bucket_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    use_store(monkeypatch, MemoryStore())
    for ask in (open_file, file_status):
        with pytest.raises(IsADirectoryError, match="it is a bucket"):
            ask(Path("s3://bucket"))
