"""Comparing scans with the catalogue. The files exist, but their contents are made up by the tests."""

from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from sqlalchemy import select

from core.errors import RootUnavailable
from core.metadata import ImageInfo
from encoders.fake import FakeEncoder
from store import Library
from store.catalog.tables import Embedding, Failure, Picture, PictureState, Root
from store.failures import list_failures
from store.ingest.batch_writer import Accepted, FileOutcome, PendingFile, Rejected
from store.ingest.reconcile import open_reconciler
from store.ingest.scan_comparison import ReconcileSettings
from store.ingest.scanned_files import ScannedFile
from store.queries import count_by_state
from store.roots import RootLocation, ensure_root
from store.spaces.registry import StoredSpace, activate, register

Files: TypeAlias = dict[str, str]
"""Path to content, which determines the size of the file; the modification time is 1 by default."""

Run: TypeAlias = Callable[..., Counter[str]]


@pytest.fixture
def stored(library: Library) -> StoredSpace:
    with library.transaction() as connection:
        space = register(connection, FakeEncoder().space)
        activate(connection, space)
    return space


@pytest.fixture
def location(library: Library, tmp_path: Path) -> RootLocation:
    with library.exclusive() as writer:
        return ensure_root(writer, tmp_path / "photos")


def vector(content: str) -> np.ndarray:
    raw = np.frombuffer(sha256(content.encode()).digest()[:13], np.uint8).astype(np.float32) + 1
    return np.asarray(raw / np.linalg.norm(raw), np.float32)


def scanned_file(path: str, content: str, mtime: int) -> ScannedFile:
    return ScannedFile(path.encode(), len(content), mtime)


@pytest.fixture
def run(library: Library, stored: StoredSpace, location: RootLocation) -> Run:
    """Run the reconciler on a folder with exactly the given files; return the counts, and how many were `read`."""

    def go(
        files: Files,
        *,
        at: RootLocation = location,
        mtimes: dict[str, int] | None = None,
        broken: Iterable[str] = (),
        shaky: Iterable[str] = (),
        full: bool = False,
        excluded: Iterable[bytes] = (),
        require_available: bool = False,
        batch: int = 2,
        page_size: int = 500,
        chunk_size: int = 5_000,
    ) -> Counter[str]:
        times = mtimes or {}

        def read(file: PendingFile) -> FileOutcome:
            path = file.relpath.decode()
            content, mtime = files[path], times.get(path, 1)
            if path in broken or path in shaky:
                return Rejected(file, len(content), mtime, "undecodable", "broken", transient=path in shaky)
            digest = sha256(content.encode()).digest()
            info = ImageInfo("PNG", 8, 8)
            return Accepted(file, len(content), mtime, digest, info, vectors=vector(content)[None])

        arrange(at, files, [*excluded])
        total = Counter[str]()
        settings = ReconcileSettings(full=full, page_size=page_size, chunk_size=chunk_size)
        with open_reconciler(library, at, stored, settings) as reconciler:
            seen = reconciler.record(scanned_file(path, content, times.get(path, 1)) for path, content in files.items())
            reconciler.exclude(excluded)
            if require_available:
                reconciler.availability.require(seen)
            total["restored"] += reconciler.update_unread()
            counts = reconciler.counts()
            assert counts.seen == seen == len(files)
            total.update(unchanged=counts.unchanged - total["restored"], failed=counts.failed)
            pending = list(reconciler.pending_files())
            assert len(pending) == counts.pending
            total["read"] = len(pending)
            for start in range(0, len(pending), batch):
                total.update(reconciler.write([read(file) for file in pending[start : start + batch]]))
            total["missing"] += reconciler.mark_missing()
        return +total

    return go


def arrange(location: RootLocation, files: Files, excluded: list[bytes]) -> None:
    """Create `files` on disk and delete all other files at this location, except in excluded folders."""
    for path in [*location.root.rglob("*")]:
        relpath = bytes(path.relative_to(location.root))
        hidden = any(not folder or relpath.startswith(folder + b"/") for folder in excluded)
        inside = not location.beneath or relpath.startswith(location.beneath + b"/")
        if path.is_file() and inside and not hidden:
            path.unlink()
    for name, content in files.items():
        (location.root / name).parent.mkdir(parents=True, exist_ok=True)
        (location.root / name).write_text(content)


def stored_files(library: Library, state: PictureState = PictureState.PRESENT) -> Files:
    """Return path to content, where the content is a single letter that can be derived from the vector."""
    letters = {vector(letter).astype("<f2").tobytes(): letter for letter in "abcdefgh"}
    statement = (
        select(Picture.relpath, Embedding.vector)
        .outerjoin(Embedding, Embedding.content_id == Picture.content_id)
        .where(Picture.state == state)
    )
    with library.read() as connection:
        return {row.relpath.decode(): letters.get(row.vector, "") for row in connection.execute(statement)}


def test_new_files_are_read_once(run: Run, library: Library) -> None:
    files = {"1": "a", "2": "b", "x/3": "c"}
    assert run(files) == {"new": 3, "embedded": 3, "read": 3}
    before = library.revision()
    assert run(files) == {"unchanged": 3}
    assert library.revision() == before  # so the index file is not written again
    assert stored_files(library) == files


def test_a_changed_file_gets_a_new_vector(run: Run, library: Library) -> None:
    run({"1": "a", "2": "b"})
    assert run({"1": "c", "2": "b"}, mtimes={"1": 2}) == {"changed": 1, "unchanged": 1, "embedded": 1, "read": 1}
    assert stored_files(library) == {"1": "c", "2": "b"}


def test_a_touched_file_keeps_its_vector(run: Run, library: Library) -> None:
    run({"1": "a"})
    before = library.revision()
    assert run({"1": "a"}, mtimes={"1": 2}) == {"unchanged": 1, "read": 1}
    assert library.revision() == before
    assert run({"1": "a"}, mtimes={"1": 2}) == {"unchanged": 1}


def test_full_reads_everything_and_embeds_nothing_twice(run: Run) -> None:
    run({"1": "a", "2": "b"}, broken=["2"])
    assert run({"1": "a", "2": "b"}, full=True) == {"unchanged": 1, "changed": 1, "embedded": 1, "read": 2}


def test_missing_files_are_restored_without_being_read(run: Run, library: Library) -> None:
    files = {"1": "a", "2": "b", "3": "c"}
    run(files)
    assert run({"1": "a"}) == {"unchanged": 1, "missing": 2}
    assert stored_files(library, PictureState.MISSING) == {"2": "b", "3": "c"}
    assert run({"1": "a"}) == {"unchanged": 1}  # still missing, not counted again
    assert run(files) == {"unchanged": 1, "restored": 2}
    assert stored_files(library) == files


def test_restored_files_with_another_mtime_are_read_but_not_embedded(run: Run, library: Library) -> None:
    run({"1": "a"})
    run({})
    assert run({"1": "a"}, mtimes={"1": 9}) == {"restored": 1, "read": 1}
    assert run({}) == {"missing": 1}
    assert run({"1": "b"}, mtimes={"1": 10}) == {"changed": 1, "read": 1, "embedded": 1}
    assert stored_files(library) == {"1": "b"}


def test_a_moved_file_keeps_its_row_and_its_vector(run: Run, library: Library) -> None:
    run({"1": "a", "2": "b"})
    with library.read() as connection:
        row = connection.scalar(select(Picture.id).where(Picture.relpath == b"1"))
    assert run({"x/new": "a", "2": "b"}) == {"moved": 1, "unchanged": 1, "read": 1}
    assert stored_files(library) == {"x/new": "a", "2": "b"}
    with library.read() as connection:
        assert connection.scalar(select(Picture.id).where(Picture.relpath == b"x/new")) == row


def test_a_missing_file_that_reappears_elsewhere_has_moved(run: Run, library: Library) -> None:
    run({"1": "a"})
    run({})
    before = library.revision()
    assert run({"2": "a"}) == {"moved": 1, "read": 1}
    assert stored_files(library, PictureState.MISSING) == {}
    assert library.revision() > before  # it can be found again, so the index file must be written


def test_a_copy_is_not_recorded_as_a_move(run: Run, library: Library) -> None:
    run({"1": "a"})
    assert run({"1": "a", "0": "a", "2": "a"}) == {"new": 2, "duplicates": 2, "unchanged": 1, "read": 2}
    assert stored_files(library) == {"0": "a", "1": "a", "2": "a"}


def test_copies_in_one_batch_share_one_vector(run: Run, library: Library) -> None:
    assert run({"1": "a", "2": "a", "3": "a"}, batch=3) == {"new": 3, "duplicates": 2, "embedded": 1, "read": 3}
    with library.read() as connection:
        assert len(connection.execute(select(Embedding.content_id)).all()) == 1


@pytest.mark.parametrize("batch", [1, 5])
def test_moved_copies_reuse_one_row_each(run: Run, library: Library, batch: int) -> None:
    run({"1": "a", "2": "a"})
    assert run({"3": "a", "4": "a", "5": "a"}, batch=batch) == {"moved": 2, "new": 1, "duplicates": 1, "read": 3}
    assert stored_files(library) == {"3": "a", "4": "a", "5": "a"}


def test_swapped_files_keep_their_vectors(run: Run, library: Library) -> None:
    run({"1": "a", "2": "b"})
    assert run({"1": "b", "2": "a"}, mtimes={"1": 2, "2": 2}) == {"changed": 2, "read": 2}
    assert stored_files(library) == {"1": "b", "2": "a"}


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("copy", ["0", "2"])
def test_a_restored_file_is_not_recorded_as_moved_to_its_copy(
    run: Run, library: Library, copy: str, batch: int
) -> None:
    """The row of the missing file belongs to the file that is back at its path, not to the copy next to it."""
    run({"1": "a"})
    run({})
    assert run({"1": "a", copy: "a"}, mtimes={"1": 7}, batch=batch) == {
        "restored": 1, "new": 1, "duplicates": 1, "read": 2,
    }  # fmt: skip
    assert stored_files(library) == {"1": "a", copy: "a"}


def test_permanent_failures_are_retried_only_after_a_change(run: Run, library: Library) -> None:
    assert run({"1": "a", "2": "b"}, broken=["2"]) == {"new": 1, "embedded": 1, "failed": 1, "read": 2}
    assert run({"1": "a", "2": "b"}, broken=["2"]) == {"unchanged": 1, "failed": 1}
    assert [(failure.path.name, failure.tries) for failure in list_failures(library)] == [("2", 1)]
    assert run({"1": "a", "2": "b"}, broken=["2"], mtimes={"2": 2}) == {"unchanged": 1, "failed": 1, "read": 1}
    assert [failure.tries for failure in list_failures(library)] == [2]
    assert run({"1": "a", "2": "b"}, mtimes={"2": 3}) == {"unchanged": 1, "changed": 1, "embedded": 1, "read": 1}
    assert list_failures(library) == []
    assert stored_files(library) == {"1": "a", "2": "b"}


def test_transient_failures_are_retried_and_keep_the_vector(run: Run, library: Library) -> None:
    run({"1": "a"})
    assert run({"1": "a"}, shaky=["1"], mtimes={"1": 2}) == {"failed": 1, "read": 1}
    assert stored_files(library) == {}
    assert run({"1": "a"}, shaky=["1"], mtimes={"1": 2}) == {"failed": 1, "read": 1}
    assert [failure.tries for failure in list_failures(library)] == [2]
    assert run({"1": "a"}) == {"restored": 1, "read": 1}  # and not embedded
    assert stored_files(library) == {"1": "a"}


def test_moving_a_failed_file_deletes_its_failure(run: Run, library: Library) -> None:
    run({"a": "cat"})
    run({"a": "cat"}, shaky=["a"], mtimes={"a": 2})
    assert [failure.path.name for failure in list_failures(library)] == ["a"]
    assert run({"b": "cat"}) == {"moved": 1, "read": 1}
    assert list_failures(library) == []


def test_a_permanent_failure_drops_the_content(run: Run, library: Library) -> None:
    run({"1": "a"})
    assert run({"1": "x"}, broken=["1"], mtimes={"1": 2}) == {"failed": 1, "read": 1}
    assert stored_files(library) == {}
    assert run({}) == {"missing": 1}
    assert list_failures(library) == []
    assert count_by_state(library) == {PictureState.PRESENT: 0, PictureState.MISSING: 1, PictureState.FAILED: 0}


def test_a_failed_file_that_was_missing_is_retried(run: Run) -> None:
    run({"1": "a", "2": "b"}, broken=["2"])
    run({"1": "a"})
    assert run({"1": "a", "2": "b"}) == {"unchanged": 1, "changed": 1, "embedded": 1, "read": 1}


def test_pictures_below_an_unreadable_folder_are_not_missing(run: Run, library: Library) -> None:
    run({"1": "a", "x/2": "b", "x/y/3": "c", "xx/4": "d", "x.png": "e"})
    assert run({"1": "a"}, excluded=[b"x"]) == {"unchanged": 1, "missing": 2}
    assert stored_files(library, PictureState.MISSING) == {"xx/4": "d", "x.png": "e"}
    assert run({"1": "a"}, excluded=[b""]) == {"unchanged": 1}


def test_thousands_of_excluded_paths(run: Run) -> None:
    """As in a folder that can be listed but whose files cannot be examined; a statement has a limit of terms."""
    run({"1": "a", "locked/7.jpg": "b", "x/2": "c", "x0": "d"})
    many = [b"locked/%d.jpg" % number for number in range(3000)]
    assert run({"1": "a"}, excluded=[*many, b"x"]) == {"unchanged": 1, "missing": 1}


def test_a_file_is_not_moved_out_of_an_unreadable_folder(run: Run, library: Library, location: RootLocation) -> None:
    run({"x/1": "a"})
    (location.root / "x" / "1").unlink()  # an unreadable folder looks empty
    assert run({"2": "a"}, excluded=[b"x"]) == {"new": 1, "duplicates": 1, "read": 1}
    assert stored_files(library) == {"x/1": "a", "2": "a"}


def test_scanning_a_subfolder_does_not_affect_the_rest_of_the_root(
    run: Run, library: Library, location: RootLocation
) -> None:
    run({"1": "a", "x/2": "b", "x/3": "c", "x-y/4": "d", "x0": "e"})
    part = RootLocation(location.root_id, location.root, b"x")
    assert run({"x/2": "b"}, at=part) == {"unchanged": 1, "missing": 1}
    assert stored_files(library) == {"1": "a", "x/2": "b", "x-y/4": "d", "x0": "e"}


def test_a_file_moved_between_subfolders_is_recorded_as_moved(
    run: Run, library: Library, location: RootLocation
) -> None:
    """Only the second part is scanned; for the first, the file system says whether the file still exists."""
    run({"x/1": "a", "x/3": "c", "y/2": "b"})
    (location.root / "x" / "1").unlink()
    part = RootLocation(location.root_id, location.root, b"y")
    assert run({"y/1": "a", "y/2": "b", "y/3": "c"}, at=part) == {
        "unchanged": 1, "moved": 1, "new": 1, "duplicates": 1, "read": 2,
    }  # fmt: skip
    assert stored_files(library) == {"x/3": "c", "y/1": "a", "y/2": "b", "y/3": "c"}


def test_a_file_moved_to_another_root_is_recorded_as_moved(run: Run, library: Library, tmp_path: Path) -> None:
    with library.exclusive() as writer:
        other = ensure_root(writer, tmp_path / "other")
    run({"1": "a"})
    assert run({"2": "a"}, at=other) == {"new": 1, "duplicates": 1, "read": 1}
    run({})
    assert run({"2": "a", "3": "a"}, at=other) == {"unchanged": 1, "moved": 1, "read": 1}
    with library.read() as connection:
        rows = connection.execute(select(Root.path, Picture.relpath).join(Root).order_by(Picture.relpath)).all()
    other_path = str(tmp_path / "other").encode()
    assert [tuple(row) for row in rows] == [(other_path, b"2"), (other_path, b"3")]


def test_the_same_path_in_two_roots_is_two_pictures(run: Run, library: Library, tmp_path: Path) -> None:
    with library.exclusive() as writer:
        other = ensure_root(writer, tmp_path / "other")
    run({"1": "a"})
    assert run({"1": "b"}, at=other) == {"new": 1, "embedded": 1, "read": 1}
    assert count_by_state(library)[PictureState.PRESENT] == 2
    assert run({}, at=other) == {"missing": 1}
    assert stored_files(library) == {"1": "a"}


MANY = {f"{number:03}": str(number) for number in range(40)}


@pytest.mark.parametrize(
    ("known", "seen", "stops"),
    [(40, 0, True), (40, 3, True), (40, 4, False), (19, 1, False), (20, 1, True), (1, 0, True), (0, 0, False)],
)
def test_an_emptied_root_raises_and_changes_nothing(
    run: Run, library: Library, location: RootLocation, known: int, seen: int, stops: bool
) -> None:
    """With 20 pictures or more, finding fewer than a tenth looks like an unmounted disk."""
    run(dict(list(MANY.items())[:known]))
    fewer = dict(list(MANY.items())[:seen])
    if not stops:
        assert run(fewer, require_available=True)["missing"] == known - seen
        return
    before = library.revision()
    with pytest.raises(RootUnavailable) as caught:
        run(fewer, require_available=True)
    assert (caught.value.root, caught.value.known, caught.value.found) == (location.root, known, seen)
    assert library.revision() == before
    assert count_by_state(library)[PictureState.PRESENT] == known
    assert run(fewer)["missing"] == known - seen


def test_require_available_checks_only_the_scanned_subfolder(run: Run, location: RootLocation) -> None:
    run(MANY | {"x/1": "a"})
    with pytest.raises(RootUnavailable) as caught:
        run({}, at=RootLocation(location.root_id, location.root, b"x"), require_available=True)
    assert caught.value.root == location.root / "x"


def test_pages_and_chunks_cover_every_file_once(run: Run, library: Library) -> None:
    small = {"batch": 7, "page_size": 3, "chunk_size": 4}
    assert run(MANY, **small) == {"new": 40, "embedded": 40, "read": 40}
    assert run(MANY, mtimes=dict.fromkeys(MANY, 2), **small) == {"unchanged": 40, "read": 40}
    assert run(MANY, full=True, mtimes=dict.fromkeys(MANY, 2), **small) == {"unchanged": 40, "read": 40}
    assert count_by_state(library)[PictureState.PRESENT] == 40


def test_an_aborted_reconciler_does_not_affect_the_next(
    library: Library, stored: StoredSpace, location: RootLocation, run: Run
) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        open_reconciler(library, location, stored) as reconciler,
    ):
        reconciler.record([scanned_file("1", "a", 1)])
        raise KeyboardInterrupt
    assert run({"2": "b"}) == {"new": 1, "embedded": 1, "read": 1}


def test_a_failing_batch_is_rolled_back(
    library: Library, stored: StoredSpace, location: RootLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr("store.ingest.reconcile.mark_changed", fail)
    good = Accepted(PendingFile(b"1"), 1, 1, b"1" * 32, ImageInfo("PNG", 8, 8), vectors=vector("a")[None])
    with open_reconciler(library, location, stored) as reconciler:
        reconciler.record([scanned_file("1", "a", 1)])
        with pytest.raises(LookupError):
            reconciler.write([good])
    assert count_by_state(library)[PictureState.PRESENT] == 0
    with library.read() as connection:
        assert connection.execute(select(Embedding.content_id)).all() == []
        assert connection.execute(select(Failure.picture_id)).all() == []
