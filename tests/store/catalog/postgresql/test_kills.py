"""Two writers and four readers of one library on a server, while writers are killed again and again."""

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import numpy as np
import pytest
from sqlalchemy import func, select, text

from encoders.fake import FLOOR, FakeEncoder
from indexer import index
from search import Hit, Searcher, SearchOptions
from store import Library
from store.catalog.tables import Content, Embedding, Picture
from store.check import verify

pytestmark = [pytest.mark.servers, pytest.mark.processes, pytest.mark.slow]

PICTURES, KILLS, MOST = 150, 8, 1_000

WRITER = """
import sys
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
print("begins", flush=True)
with Library.open(sys.argv[1]) as library:
    index(library, sys.argv[2:], FakeEncoder())
"""


@contextmanager
def writer(url: str, *roots: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", WRITER, url, *roots], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begins\n"
            yield process
        finally:
            process.kill()


class Reader(threading.Thread):
    """Searches again and again, and checks that each answer is one that some state of the library has."""

    def __init__(self, url: str, scores: dict[str, float]) -> None:
        super().__init__()
        self._url, self._scores = url, scores
        self.stopping, self.answers, self.most = threading.Event(), 0, 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with Library.open(self._url) as library:
                searcher, options = Searcher(library, FakeEncoder()), SearchOptions(k=MOST, collapse_duplicates=False)
                while not self.stopping.is_set():
                    self._check(searcher.search("red", options).hits)
        except BaseException as exc:
            self.failure = exc

    def _check(self, hits: Sequence[Hit]) -> None:
        assert len({hit.id for hit in hits}) == len(hits)
        for hit in hits:
            assert abs(hit.score - self._scores[hit.path.name]) < 2e-3, hit.path
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert len(hits) >= self.most, "pictures that were found before are gone"
        self.answers, self.most = self.answers + 1, len(hits)


def test_killed_writers_leave_every_picture_once(postgres_url: str, tmp_path: Path, paint: Callable[..., Path]) -> None:
    rng = random.Random(7)
    colours = {f"{number}.png": (rng.randrange(40, 256), number % 250, number // 2) for number in range(PICTURES)}
    roots = [tmp_path / "one", tmp_path / "two"]
    for number, (name, colour) in enumerate(colours.items()):
        paint(roots[number % 2] / name, colour)
    with Library.open(postgres_url, create=True) as library:
        (tmp_path / "first").mkdir()
        paint(tmp_path / "first" / "red.png", "red")
        index(library, tmp_path / "first", FakeEncoder())
        readers = [Reader(postgres_url, expected({**colours, "red.png": (255, 0, 0)})) for _ in range(4)]
        for reader in readers:
            reader.start()
        try:
            with writer(postgres_url, *roots) as survivor:
                for _ in range(KILLS):
                    with writer(postgres_url, *reversed(roots)) as victim:
                        sleep(rng.uniform(0, 2))  # any moment will do
                        victim.send_signal(signal.SIGKILL)
                survivor.send_signal(signal.SIGKILL)
            with writer(postgres_url, *roots) as one, writer(postgres_url, *reversed(roots)) as other:
                assert (one.wait(), other.wait()) == (0, 0)
        finally:
            for reader in readers:
                reader.stopping.set()
            for reader in readers:
                reader.join()
        assert [reader.failure for reader in readers] == [None] * 4
        assert all(reader.answers > 0 for reader in readers)
        numbers = [select(func.count()).select_from(table) for table in (Picture, Content, Embedding)]
        with library.read() as connection:
            assert [connection.scalar(number) for number in numbers] == [PICTURES + 1] * 3
            assert connection.scalar(text("SELECT count(DISTINCT digest) FROM contents")) == PICTURES + 1
            ids = connection.execute(text("SELECT count(*), max(id) FROM vector_changes")).one()
            assert ids[0] == ids[1], "the change feed has a gap"
        assert index(library, roots, FakeEncoder()).unchanged == PICTURES
        assert verify(library) == []


def expected(colours: dict[str, tuple[int, int, int]]) -> dict[str, float]:
    """Return the cosine of each picture of one colour with the query `red`, as `encoders.fake` defines both."""
    query = np.array([*(1, 0, 0) * 4, FLOOR])
    vectors = {name: np.array([*np.tile(np.array(colour) / 255, 4), FLOOR]) for name, colour in colours.items()}
    return {name: float(v @ query / np.linalg.norm(v) / np.linalg.norm(query)) for name, v in vectors.items()}
