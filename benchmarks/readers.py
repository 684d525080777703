"""How fast pictures are read without any model: pictures a second over the number of readers, and each stage of one.

    python -m benchmarks.readers --workers 1 2 4 8
    python -m benchmarks.readers --size 4000x3000 --count 60

Each number of readers is measured in threads and in processes that have started, in turns. The stages are added up
over the readers, and divided by the number of pictures: they grow where readers wait for each other.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.photos import write_photos
from core.processors import available_cores
from encoders.preprocess import Preprocess
from indexer.batching import read_ahead
from indexer.reader import FileReader
from indexer.reader_pool import ReaderPool
from pictures.reading import ReadSettings
from store.ingest.batch_writer import PendingFile

STAGES = ("read", "decode", "preprocess", "hash")
BATCH_SIZE = 32


@dataclass(frozen=True)
class Result:
    """One measurement; the stages are milliseconds per picture."""

    readers: str
    workers: int
    pictures_per_second: float
    read: float
    decode: float
    preprocess: float
    hash: float


def measure(pool: ReaderPool, kind: str, folder: Path) -> Result:
    """Read all files of a folder once."""
    items = [PendingFile(os.fsencode(path.name), size_is_known=False) for path in sorted(folder.iterdir())]
    reader = FileReader(folder, lambda _: False)
    started = time.perf_counter()
    readings = list(read_ahead(reader, items, pool, BATCH_SIZE))
    seconds = time.perf_counter() - started
    stages = {name: sum(each.seconds[name] for each in readings) / len(readings) * 1_000 for name in STAGES}
    return Result(kind, pool.workers, len(readings) / seconds, **stages)


@contextmanager
def pools(settings: ReadSettings, workers: int) -> Iterator[dict[str, ReaderPool]]:
    """Yield one pool of threads and one of processes that are ready."""
    threads = ReaderPool(settings, workers, start_after=None)
    with threads, ReaderPool(settings, workers, start_after=0) as processes:
        while len(processes.process_ids) < workers:
            time.sleep(0.01)
        yield {"threads": threads, "processes": processes}


def medians(results: list[Result]) -> Result:
    """Return the median of each number."""
    numbers = {
        name: round(median(getattr(result, name) for result in results), 2) for name in ("pictures_per_second", *STAGES)
    }
    return Result(results[0].readers, results[0].workers, **numbers)


def main() -> None:
    """Measure and print a table, or JSON Lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--size", default="500x375", help="width x height of the pictures")
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--quality", type=int, default=90)
    parser.add_argument("--input", type=int, default=224, help="side of the model's input in pixels")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    settings = ReadSettings(Preprocess(options.input, (0, 0, 0), (1, 1, 1)))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "photos"
        write_photos(folder, options.count, (width, height), options.quality)
        results: dict[tuple[str, int], list[Result]] = {}
        for _ in range(options.repeats):
            for workers in options.workers:
                with pools(settings, workers) as opened:
                    for kind, pool in opened.items():
                        results.setdefault((kind, workers), []).append(measure(pool, kind, folder))
    if not options.json:
        print(f"{options.count} pictures of {options.size}, {available_cores()} cores, load {os.getloadavg()[0]:.1f}")
        print("readers    workers  pictures/s" + "".join(f"{stage:>12}" for stage in STAGES) + "  (ms a picture)")
    for each in map(medians, results.values()):
        if options.json:
            print(json.dumps(asdict(each)))
        else:
            stages = "".join(f"{getattr(each, stage):12.2f}" for stage in STAGES)
            print(f"{each.readers:<9}  {each.workers:>7}  {each.pictures_per_second:>10.1f}{stages}")


if __name__ == "__main__":
    main()
