"""Index runs with Ray on this machine against local ones: `python -m benchmarks.cluster --help`.

Rounds of both take turns, so that other programs disturb both alike, and neither is always the first. The time in which
Ray and the processes with the model start is left out, and so is loading the model of a local run. Every run is into a
fresh library.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path

from PIL import Image

from benchmarks.photos import write_photos
from encoders import registry
from indexer.cluster import ClusterRunner, ClusterSettings
from indexer.cluster.connection import open_cluster
from indexer.cluster.reachability import AUTO
from indexer.pipeline import IndexSettings, index
from indexer.runner import LocalRunner, Runner
from store import Library

OBJECT_STORE_BYTES = 1 << 30


def run(runner: Runner, folder: Path, library: Path, model: str) -> float:
    """Index `folder` into a new library; return the seconds without those in which processes were started."""
    encoder = registry.load(model)
    encoder.encode_images([Image.new("RGB", (64, 64))])  # loads the model, as processes of a cluster do at their start
    with Library.open(library, create=True) as opened:
        summary = index(opened, [folder], encoder, IndexSettings(runner=runner))
    return summary.seconds - summary.timings.get("start", 0.0)


def main() -> None:
    """Write pictures, measure, and print the seconds of each round and the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mini")
    parser.add_argument("--count", type=int, default=400, help="pictures")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="pictures to use instead of generated ones")
    options = parser.parse_args()
    runners = {
        "local": LocalRunner(options.workers),
        "ray": ClusterRunner(ClusterSettings()),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    with (
        tempfile.TemporaryDirectory(prefix="sightline-benchmark-") as base,
        open_cluster(AUTO, options.workers, OBJECT_STORE_BYTES),  # which the runs use
    ):
        folder = options.folder or Path(base) / "photos"
        if options.folder is None:
            write_photos(folder, options.count, (1600, 1200), quality=85)
        for number in range(options.rounds):
            for name in sorted(runners, reverse=number % 2 == 1):
                seconds[name].append(run(runners[name], folder, Path(base) / f"{name}-{number}", options.model))
                load = os.getloadavg()[0]
                print(f"{name:5}  {seconds[name][-1]:7.2f} s  load {load:.1f}", flush=True)
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    print(f"medians: {medians}; ratio {medians['ray'] / medians['local']:.2f}")


if __name__ == "__main__":
    main()
