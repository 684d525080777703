"""Reading in processes: the same results as in threads, and what happens when processes or their parent end."""

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.processors import available_cores
from encoders.preprocess import Preprocess
from indexer.batching import read_ahead
from indexer.reader import FileReader, Reading
from indexer.reader_pool import MIN_PROCESSES, ReaderPool
from pictures.reading import ReadSettings
from store.ingest.batch_writer import Accepted, PendingFile, Rejected
from tests.support.imports import imported_modules
from tests.support.photos import photo
from tests.support.readers import EXITS, HANGS, KILLED, RAISES, SEGFAULTS, SLOW, SLOW_SECONDS, Misbehaving

WORKERS = 2
SETTINGS = ReadSettings(Misbehaving(size=32, mean=(0, 0, 0), std=(1, 1, 1)))
MAX_SECONDS = 4.0
REPOSITORY = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="reader processes need POSIX")


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    """Two processes that are ready."""
    with ReaderPool(SETTINGS, WORKERS, start_after=0, max_seconds=MAX_SECONDS, notice=pytest.fail) as opened:
        wait_until_ready(opened)
        yield opened


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures of several kinds, and with files that are none."""
    folder = tmp_path_factory.mktemp("hostile")
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    photo(1, 300, 200).save(folder / "a.jpg", exif=exif)
    photo(2, 700, 500).save(folder / "b.jpg", progressive=True)
    photo(3).save(folder / "c.png")
    photo(4).convert("L").save(folder / "d.webp")
    Image.new("RGBA", (40, 30), (255, 0, 0, 128)).save(folder / "e.png")
    Image.new("RGB", (600, 2)).save(folder / "f.png")  # too narrow
    (folder / "g.jpg").write_bytes((folder / "b.jpg").read_bytes()[:4_000])  # truncated
    (folder / "h.jpg").write_bytes(b"")
    (folder / "i.jpg").write_text("not a picture")
    (folder / "j.jpg").mkdir()
    (folder / "k.jpg").write_bytes((folder / "a.jpg").read_bytes())  # a copy
    (folder / "l.jpg").symlink_to("nowhere")
    return folder


def wait_until_ready(pool: ReaderPool) -> None:
    limit = time.monotonic() + 60
    while len(pool.process_ids) < pool.workers:
        assert time.monotonic() < limit
        time.sleep(0.01)


def pending(names: Sequence[str]) -> list[PendingFile]:
    return [PendingFile(os.fsencode(name), size_is_known=False) for name in names]


def read(pool: ReaderPool, folder: Path, names: Sequence[str]) -> list[Reading]:
    return list(read_ahead(FileReader(folder, lambda _: False), pending(names), pool))


def write(folder: Path, **widths: int) -> list[str]:
    """Write pictures of these widths."""
    for name, width in widths.items():
        ImageDraw.Draw(picture := Image.new("RGB", (width, 50))).text((2, 20), name)
        picture.save(folder / name, "PNG")
    return list(widths)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A zombie has closed its files only when all of its threads have ended. Without /proc it counts as running.
        threads = list(Path(f"/proc/{pid}/task").glob("*/stat"))
        states = [file.read_text().rpartition(")")[2].split()[0] for file in threads]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return not threads or set(states) != {"Z"}


def wait_until_gone(pids: Sequence[int]) -> None:
    limit = time.monotonic() + 30
    while any(map(is_running, pids)):
        assert time.monotonic() < limit, "reader processes are left"
        time.sleep(0.02)


def test_processes_return_what_threads_return(pool: ReaderPool, hostile: Path) -> None:
    names = sorted(path.name for path in hostile.iterdir()) * 3
    with ReaderPool(SETTINGS, WORKERS, start_after=None) as threads:
        expected = read(threads, hostile, names)
    found = read(pool, hostile, names)
    assert len(found) == 33  # the dangling link is left out
    assert [reading.outcome for reading in found] == [reading.outcome for reading in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.seconds.keys() == theirs.seconds.keys()
        assert len(ours.pixels) == len(theirs.pixels)
        for our_frame, their_frame in zip(ours.pixels, theirs.pixels, strict=True):
            np.testing.assert_array_equal(our_frame, their_frame)
    assert {type(reading.outcome) for reading in found} == {Accepted, Rejected}


def test_pixels_are_not_overwritten_by_later_pictures(pool: ReaderPool, tmp_path: Path) -> None:
    for number in range(12):
        Image.new("RGB", (40, 40), (number * 20, 0, 0)).save(tmp_path / f"{number}.png")
    readings = read(pool, tmp_path, [f"{number}.png" for number in range(12)])
    for number, reading in enumerate(readings):
        assert (reading.pixels[0][..., 0] == number * 20).all()


def test_digest_is_looked_up_before_decoding(pool: ReaderPool, hostile: Path) -> None:
    known = hashlib.sha256((hostile / "a.jpg").read_bytes()).digest()
    items = [PendingFile(name) for name in (b"a.jpg", b"b.jpg", b"k.jpg", b"c.png")]
    readings = list(read_ahead(FileReader(hostile, lambda digest: digest == known), items, pool))
    assert [len(reading.pixels) for reading in readings] == [0, 1, 0, 1]
    first = readings[0].outcome
    assert isinstance(first, Accepted)
    assert (first.digest, first.info) == (known, None)


def test_failing_lookup_is_raised(hostile: Path) -> None:
    def lookup(digest: bytes) -> bool:
        raise OSError(digest)

    with ReaderPool(SETTINGS, 1, start_after=0) as pool, pytest.raises(OSError, match="b'"):
        list(read_ahead(FileReader(hostile, lookup), [PendingFile(b"a.jpg")], pool))


def test_crash_costs_one_file(pool: ReaderPool, tmp_path: Path) -> None:
    names = write(tmp_path, a=50, b=SEGFAULTS, c=50, d=KILLED, e=EXITS, f=50, g=SEGFAULTS, h=50, i=50)
    before = set(pool.process_ids)
    outcomes = [reading.outcome for reading in read(pool, tmp_path, names)]
    assert [os.fsdecode(outcome.file.relpath) for outcome in outcomes] == names
    failures = {
        os.fsdecode(outcome.file.relpath): (outcome.reason, outcome.detail, outcome.transient)
        for outcome in outcomes
        if isinstance(outcome, Rejected)
    }
    assert failures == {
        "b": ("crashed", "the decoder crashed (signal 11, SIGSEGV)", True),
        "d": ("crashed", "the decoder crashed (signal 9, SIGKILL, perhaps for lack of memory)", True),
        "e": ("crashed", "the reader process ended (exit code 3)", True),
        "g": ("crashed", "the decoder crashed (signal 11, SIGSEGV)", True),
    }
    wait_until_ready(pool)
    assert set(pool.process_ids) != before


def test_file_that_takes_too_long_fails(pool: ReaderPool, tmp_path: Path) -> None:
    names = write(tmp_path, a=50, b=HANGS, c=50, d=50)
    outcomes = [reading.outcome for reading in read(pool, tmp_path, names)]
    assert [isinstance(outcome, Accepted) for outcome in outcomes] == [True, False, True, True]
    hung = outcomes[1]
    assert isinstance(hung, Rejected)
    assert (hung.reason, hung.detail) == ("crashed", "the decoder did not finish within 4 s")
    wait_until_ready(pool)


def test_idle_process_that_is_killed_costs_no_file(pool: ReaderPool, tmp_path: Path) -> None:
    wait_until_ready(pool)
    killed = pool.process_ids
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until_gone(killed)
    names = write(tmp_path, a=50, b=50, c=50)
    assert all(isinstance(reading.outcome, Accepted) for reading in read(pool, tmp_path, names))
    wait_until_ready(pool)


def test_bug_is_raised_with_its_traceback(pool: ReaderPool, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a bug") as caught:
        read(pool, tmp_path, write(tmp_path, a=RAISES))
    assert "in pixels" in caught.value.__notes__[0]


def test_few_files_start_no_process(tmp_path: Path) -> None:
    with ReaderPool(SETTINGS, MIN_PROCESSES, start_after=60) as pool:
        assert len(read(pool, tmp_path, write(tmp_path, a=50, b=50))) == 2
        assert not pool.uses_processes()


def test_few_workers_stay_threads(tmp_path: Path) -> None:
    with ReaderPool(SETTINGS, MIN_PROCESSES - 1, start_after=1e-9) as pool:
        assert len(read(pool, tmp_path, write(tmp_path, a=50, b=50))) == 2
        assert not pool.uses_processes()


def test_processes_take_over_from_threads(tmp_path: Path) -> None:
    names = write(tmp_path, a=50, b=70, c=90)
    with ReaderPool(SETTINGS, MIN_PROCESSES, start_after=0.01) as pool:

        def items() -> Iterator[PendingFile]:
            limit = time.monotonic() + 60
            while not pool.process_ids:
                assert time.monotonic() < limit
                yield from pending(names)
            yield from pending(names * 4)

        came = [reading.outcome for reading in read_ahead(FileReader(tmp_path, lambda _: False), items(), pool)]
    assert [outcome.file.relpath for outcome in came] == [b"a", b"b", b"c"] * (len(came) // 3)
    assert all(isinstance(outcome, Accepted) for outcome in came)


@dataclass
class Notices:
    """Collects notices."""

    texts: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.texts.append(text)


def test_without_processes_threads_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    notices = Notices()
    with ReaderPool(SETTINGS, WORKERS, start_after=0, notice=notices) as pool:
        readings = read(pool, tmp_path, write(tmp_path, a=50, b=50, c=50))
    assert [type(reading.outcome) for reading in readings] == [Accepted] * 3
    (text,) = notices.texts
    assert text.startswith("pictures are read in threads, which may be slower: a process cannot be started: ")


def test_preprocessing_that_cannot_be_sent_is_read_in_threads(tmp_path: Path) -> None:
    class Local(Preprocess):
        """Has no name that another process could import."""

    notices = Notices()
    settings = ReadSettings(Local(size=32, mean=(0, 0, 0), std=(1, 1, 1)))
    with ReaderPool(settings, 1, start_after=0, notice=notices) as pool:
        assert len(read(pool, tmp_path, write(tmp_path, a=50, b=50))) == 2
    assert "the preprocessing cannot be sent to a process" in notices.texts[0]


def test_the_time_limit_is_that_of_a_frame(tmp_path: Path) -> None:
    """A document may take longer, as long as its pages come."""
    pages = [Image.new("RGB", (SLOW, 40), (number * 20, 0, 0)) for number in range(6)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with ReaderPool(SETTINGS, 1, start_after=0, max_seconds=4 * SLOW_SECONDS, notice=pytest.fail) as pool:
        wait_until_ready(pool)
        (reading,) = read(pool, tmp_path, ["a.tif"])
    assert len(reading.pixels) == 6


def test_shared_memory_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no memory files, a temporary file without a name is used."""
    (temporary := tmp_path / "temporary").mkdir()
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with ReaderPool(SETTINGS, 1, start_after=0, notice=pytest.fail) as pool:
        wait_until_ready(pool)
        assert list(temporary.iterdir()) == []
        (reading,) = read(pool, tmp_path, write(tmp_path, a=50))
    (pixels,) = reading.pixels
    with Image.open(tmp_path / "a") as picture:
        np.testing.assert_array_equal(pixels, SETTINGS.preprocess.pixels(picture.convert("RGB")))


def test_end_of_the_pool_ends_processes_in_the_middle_of_a_picture(tmp_path: Path) -> None:
    with ReaderPool(SETTINGS, WORKERS, start_after=0) as pool:
        wait_until_ready(pool)
        pids = pool.process_ids
        for item in pending(write(tmp_path, a=HANGS, b=HANGS)):
            pool.submit(FileReader(tmp_path, lambda _: False), item)
    wait_until_gone(pids)


PARENT = """
import os, signal, sys, time
from pathlib import Path
from indexer.reader import FileReader
from indexer.reader_pool import ReaderPool
from tests.indexer.test_reader_pool import SETTINGS, pending, wait_until_ready
folder, name = Path(sys.argv[1]), sys.argv[2]
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in background jobs of a shell
try:
    with ReaderPool(SETTINGS, 2, start_after=0) as pool:
        wait_until_ready(pool)
        futures = [pool.submit(FileReader(folder, lambda _: False), item) for item in pending([name] * 1000)]
        print(*pool.process_ids, flush=True)
        for future in futures:
            future.result()
        time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", file=sys.stderr)
"""


@pytest.mark.parametrize("width", [50, HANGS], ids=["reading", "hanging"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_end_of_the_parent_ends_its_processes(tmp_path: Path, number: int, width: int) -> None:
    write(tmp_path, a=width)
    shared = Path("/dev/shm")
    before = set(shared.iterdir()) if shared.is_dir() else set()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path, "a"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    os.killpg(parent.pid, number)  # as Ctrl-C does
    _, err = parent.communicate(timeout=60)
    assert err == ("interrupted\n" if number == signal.SIGINT else "")
    wait_until_gone(pids)
    assert (set(shared.iterdir()) if shared.is_dir() else set()) <= before


def test_reader_process_imports_little() -> None:
    found = imported_modules("import pictures.reader_process, encoders.preprocess")
    assert found - {"__mp_main__"} == {"PIL", "core", "encoders", "numpy", "pictures"}


def test_reader_processes_have_one_thread_for_linear_algebra(pool: ReaderPool) -> None:
    environment = Path(f"/proc/{pool.process_ids[0]}/environ")
    if not environment.exists():
        pytest.skip("the environment of another process is not visible here")
    assert b"OPENBLAS_NUM_THREADS=1" in environment.read_bytes().split(b"\0")


def test_quota_of_a_container_limits_the_cores(tmp_path: Path) -> None:
    group = tmp_path / "cgroup" / "outer" / "inner"
    group.mkdir(parents=True)
    membership = tmp_path / "membership"
    membership.write_text("0::/outer/inner\n")
    allowed = available_cores(tmp_path / "nowhere", membership)
    (group / "cpu.max").write_text("max 100000\n")
    assert available_cores(tmp_path / "cgroup", membership) == allowed
    (group.parent / "cpu.max").write_text("50000 100000\n")
    assert available_cores(tmp_path / "cgroup", membership) == 1
    (group.parent / "cpu.max").write_text(f"{(allowed + 5) * 100000} 100000\n")
    assert available_cores(tmp_path / "cgroup", membership) == allowed
