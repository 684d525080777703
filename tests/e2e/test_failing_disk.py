"""A disk that fails at the n-th open, write, flush or rename, for every n: nothing is lost, and the next run completes.

By default every few calls fail in turn; `SIGHTLINE_EXAMPLES` and the slow tests let all of them fail. docs/recovery.md
has the outcomes for people.
"""

import errno
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from store.backup.snapshot_file import open_snapshot
from store.check import verify
from tests.soak.said import Said, read_said
from tests.support.examples import EXAMPLES_FACTOR
from tests.support.failing_disk import FailingDisk, Failure, Kind, Outcome

Paint = Callable[..., list[Path]]
KINDS = (Kind.OPEN, Kind.WRITE, Kind.SYNC, Kind.RENAME)
FAILURES = [(errno.EIO, False), (errno.ENOSPC, True)]
"""One call fails, as on a failing disk; or all calls from the n-th on, as on a full one."""


class Case:
    """A library of three pictures, two of them tagged, and a disk that fails."""

    def __init__(self, place: Path, disk: FailingDisk, photos: Path) -> None:
        self.place, self.disk, self.photos = place, disk, photos
        self.library, self.intact = place / "library", place / "intact"

    def run(self, failure: Failure, *words: object) -> Outcome:
        outcome = self.disk.run(self.library, failure, "--library", self.library, *words)
        assert "Traceback" not in outcome.output, (failure, outcome)
        return outcome

    def reset(self) -> None:
        """Make the library what it was before the disk failed."""
        shutil.rmtree(self.library, ignore_errors=True)
        shutil.copytree(self.intact, self.library)

    def said(self) -> Said:
        return read_said(self.library, Numbers())

    def failures(self, every: int, *words: object) -> Iterator[tuple[Failure, Outcome]]:
        """Let a command fail at every so many calls of each kind, each time with a new copy of the library."""
        for kind in KINDS:
            self.reset()
            total = self.run(Failure(kind, 10**6), *words).calls
            for error, rest in FAILURES:
                for nth in range(1, total + 1, 1 if kind is Kind.RENAME else every):
                    self.reset()
                    failure = Failure(kind, nth, error, rest)
                    outcome = self.run(failure, *words)
                    assert outcome.code in (0, 2), (failure, outcome)
                    assert outcome.code == 0 or outcome.output.startswith("sightline: "), (failure, outcome)
                    yield failure, outcome


class Numbers(dict[bytes, int]):
    """The first digits of a SHA-256 are the number of its picture."""

    def get(self, digest: bytes, _default: object = None) -> int:
        return int.from_bytes(digest[:4])


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FailingDisk]:
    with FailingDisk.started(tmp_path_factory.mktemp("disk")) as started:
        yield started


@pytest.fixture
def case(tmp_path: Path, paint: Paint, disk: FailingDisk) -> Case:
    photos = tmp_path / "photos"
    paint(photos, red="red", green="lime", blue="blue")
    made = Case(tmp_path, disk, photos)
    with Library.open(made.library, create=True) as opened:
        index(opened, [photos], FakeEncoder())
    assert made.run(Failure(), "tag", photos / "red.png", photos / "green.png", "kept").code == 0
    made.library.rename(made.intact)
    made.reset()
    return made


def assert_intact(library: Path, failure: Failure) -> None:
    with Library.open(library) as opened:
        assert verify(opened) == [], failure


def tag_while_the_disk_fails(case: Case, every: int) -> int:
    before = case.said().facts()
    words = ("tag", case.photos / "blue.png", "new")
    case.run(Failure(), *words)
    after = case.said().facts()
    assert len(after - before) == 1
    number = 0
    for failure, outcome in case.failures(every, *words):
        found = case.said().facts()
        assert found in ([after] if outcome.code == 0 else [before, after]), (failure, outcome)
        assert_intact(case.library, failure)
        assert case.run(Failure(), *words).code == 0, failure
        assert case.said().facts() == after, failure
        number += 1
    return number


def index_while_the_disk_fails(case: Case, every: int) -> int:
    said = case.said().facts()
    number = 0
    for failure, outcome in case.failures(every, "index", case.photos):
        assert case.said().facts() == said, (failure, outcome)
        assert_intact(case.library, failure)
        assert case.run(Failure(), "index", case.photos).code == 0, failure
        with Library.open(case.library) as opened, opened.read() as connection:
            states = connection.exec_driver_sql("SELECT state, count(*) FROM pictures GROUP BY state").all()
            vectors = connection.exec_driver_sql("SELECT count(*) FROM embeddings").scalar()
        assert (states, vectors) == ([("present", 5)], 5), failure
        assert_intact(case.library, failure)
        assert not list((case.library / "indexes").glob("*.tmp")), failure
        number += 1
    return number


def back_up_while_the_disk_fails(case: Case, every: int) -> int:
    """The snapshot before stays as it was, or a complete new one takes its place."""
    file = case.intact / "said.jsonl.gz"
    case.reset()
    case.run(Failure(), "backup", case.library / file.name)
    shutil.copy(case.library / file.name, file)
    with Library.open(case.intact) as opened, opened.transaction() as connection:
        connection.exec_driver_sql("UPDATE contents SET user_rating = 4")
    number = 0
    for failure, outcome in case.failures(every, "backup", case.library / file.name):
        ratings = [getattr(record, "rating", None) for record in open_snapshot(case.library / file.name).records()]
        expected = [[4, 4, 4]] if outcome.code == 0 else [[None, None], [4, 4, 4]]
        assert ratings in expected, (failure, outcome)
        number += 1
    return number


def publish_while_the_disk_fails(case: Case, every: int) -> int:
    """`repair` writes an index file that is missing; searches are right without it."""
    for file in (case.intact / "indexes").iterdir():
        file.unlink()
    number = 0
    for failure, outcome in case.failures(every, "repair"):
        found = case.run(Failure(), "search", "red", "--paths", "-k", "1")
        assert str(case.photos / "red.png") in found.output.splitlines(), (failure, outcome, found)
        assert case.run(Failure(), "repair").code == 0, failure
        assert_intact(case.library, failure)
        number += 1
    return number


def more_pictures(case: Case, paint: Paint) -> None:
    paint(case.photos, cyan="cyan", white="white")


def test_tag_is_whole_or_absent_whichever_call_fails(case: Case) -> None:
    assert tag_while_the_disk_fails(case, max(1, 8 // EXAMPLES_FACTOR)) >= 12


def test_index_continues_whichever_call_failed(case: Case, paint: Paint) -> None:
    more_pictures(case, paint)
    assert index_while_the_disk_fails(case, max(1, 48 // EXAMPLES_FACTOR)) >= 8


def test_snapshot_is_complete_whichever_call_fails(case: Case) -> None:
    assert back_up_while_the_disk_fails(case, max(1, 4 // EXAMPLES_FACTOR)) >= 6


def test_searches_are_right_whichever_call_fails_while_an_index_file_is_written(case: Case) -> None:
    assert publish_while_the_disk_fails(case, max(1, 8 // EXAMPLES_FACTOR)) >= 8


@pytest.mark.slow
@pytest.mark.parametrize("what", [tag_while_the_disk_fails, back_up_while_the_disk_fails, publish_while_the_disk_fails])
def test_every_single_call_may_fail(case: Case, what: Callable[[Case, int], int]) -> None:
    assert what(case, 1) > 20


@pytest.mark.slow
def test_every_single_call_of_an_index_run_may_fail(case: Case, paint: Paint) -> None:
    more_pictures(case, paint)
    assert index_while_the_disk_fails(case, 1) > 100
