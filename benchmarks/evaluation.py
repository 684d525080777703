"""Import, indexing and evaluation of millions of imported vectors: `python -m benchmarks.evaluation --help`.

Each step runs in a separate process, so that its peak memory can be measured: the resident set, including the pages of
mapped files. The documents are random unit vectors. A query is 0.2 of one document plus noise, so that the document is
found, but not always first.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from store import Library

VECTOR_CHUNK_SIZE = 20_000
SPACE = "generated"
QUERY_COSINE = 0.2
"""The cosine of a query and its document; the best of a million others in 512 dimensions reaches about 0.22."""

CHECKED_QUERIES = 50
"""Queries whose ranks are verified with plain numpy in 64 bits."""


def generate(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Write the files of vectors to import."""
    rng = np.random.default_rng(0)
    documents = np.lib.format.open_memmap(
        folder / "documents.npy", mode="w+", dtype=options.dtype, shape=(options.vectors, options.dim)
    )
    for start in range(0, options.vectors, VECTOR_CHUNK_SIZE):
        count = min(VECTOR_CHUNK_SIZE, options.vectors - start)
        documents[start : start + count] = _unit(rng.standard_normal((count, options.dim), dtype=np.float32))
    chosen = _chosen(options)
    noise = _unit(rng.standard_normal((options.queries, options.dim), dtype=np.float32))
    queries = QUERY_COSINE * documents[chosen].astype(np.float32) + np.sqrt(1 - QUERY_COSINE**2) * noise
    np.save(folder / "queries.npy", _unit(queries.astype(np.float32)))
    (folder / "documents.txt").write_text("".join(f"doc{row:08d}\n" for row in range(options.vectors)))
    return {"MB": round(documents.nbytes / 1e6)}


def import_documents(folder: Path, _options: argparse.Namespace) -> dict[str, object]:
    """Import the vectors into the catalogue and write the index file, as `sightline import` does."""
    from store.exchange import import_vectors, open_vectors

    source = open_vectors(folder / "documents.npy", folder / "documents.txt")
    with Library.open(folder / "library", create=True) as library:
        import_vectors(library, source, SPACE)
    return {"MB": round(sum(file.stat().st_size for file in (folder / "library").rglob("*")) / 1e6)}


def build_index(folder: Path, _options: argparse.Namespace) -> dict[str, object]:
    """Rebuild the index file from the catalogue, as `sightline repair` does."""
    from store.spaces.index_cache import publish
    from store.spaces.registry import named_space

    with Library.open(folder / "library") as library:
        current = publish(library, named_space(library, SPACE), rebuild=True)
        return {"vectors": len(current.index)}


def verify(folder: Path, _options: argparse.Namespace) -> dict[str, object]:
    """Verify everything that is stored, bit for bit, as `sightline verify` does."""
    from store.check import verify as check

    with Library.open(folder / "library") as library:
        return {"faults": len(check(library))}


def search(folder: Path, _options: argparse.Namespace) -> dict[str, object]:
    """Run ten single queries in a new process."""
    from search import Searcher

    queries = np.load(folder / "queries.npy", mmap_mode="r")[:10]
    with Library.open(folder / "library") as library:
        searcher = Searcher(library)
        started = perf_counter()
        for query in queries:
            searcher.nearest(query)
        return {"ms a query": round(1000 * (perf_counter() - started) / len(queries))}


def evaluate(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Compute the exact ranks of all queries, metrics and bootstrap intervals."""
    from search.evaluate.datasets import Caption, Dataset
    from search.evaluate.gallery import open_gallery
    from search.evaluate.scoring import evaluate_dataset
    from store.exchange import read_vectors
    from store.spaces.registry import named_space

    _, queries = read_vectors(folder / "queries.npy")  # (Q, D)
    images = tuple((folder / "documents.txt").read_text().split())
    captions = tuple(Caption(str(q), "", "und", {images[row]: 1}) for q, row in enumerate(_chosen(options)))
    dataset = Dataset(SPACE, "all", folder, images, captions)
    with Library.open(folder / "library") as library:
        pictures = open_gallery(library, named_space(library, SPACE), dataset)
        (evaluation,) = evaluate_dataset(dataset, queries, pictures, SPACE)
        scores = {name: round(evaluation.scores[name], 4) for name in ("mrr", "recall@10")}
        low, high = evaluation.intervals["mrr"].low, evaluation.intervals["mrr"].high
    np.save(folder / "ranks.npy", evaluation.first_ranks)
    return {**scores, "mrr 95 %": f"{low:.4f} to {high:.4f}"}


def export(folder: Path, _options: argparse.Namespace) -> dict[str, object]:
    """Export the space, as `sightline export` does."""
    from store.exchange import export_space
    from store.spaces.registry import named_space

    with Library.open(folder / "library") as library:
        return {"vectors": export_space(library, named_space(library, SPACE), folder / "exported")}


def compare(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Compare some ranks with plain numpy, and the exported file with the imported one."""
    queries = np.load(folder / "queries.npy")[:CHECKED_QUERIES].astype(np.float64)
    relevant = np.load(folder / "documents.npy", mmap_mode="r")[_chosen(options)[: len(queries)]]
    own = np.einsum("qd,qd->q", queries, relevant.astype(np.float64))  # (q,)
    above, same = np.zeros(len(queries)), True
    for before, after in zip(_blocks(folder / "documents.npy"), _blocks(folder / "exported/vectors.npy"), strict=True):
        above += (before.astype(np.float64) @ queries.T > own + 1e-12).sum(axis=0)
        same &= before.dtype == after.dtype and np.array_equal(before, after)
    ranks = np.load(folder / "ranks.npy")[: len(queries)]
    return {"same ranks": f"{(above + 1 == ranks).sum()} of {len(ranks)}", "same vectors": same}


STEPS: Mapping[str, Callable[[Path, argparse.Namespace], dict[str, object]]] = {
    "generate": generate,
    "import": import_documents,
    "index again": build_index,
    "verify": verify,
    "search": search,
    "evaluate": evaluate,
    "export": export,
    "compare with numpy": compare,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every step and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation", description=__doc__.split("\n")[0])
    parser.add_argument("--vectors", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--queries", type=int, default=10_000, metavar="Q")
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--dtype", choices=["float16", "float32"], default="float32")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, help="temporary folder; needs several times the size of the vectors")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.step:
        _run(options)
        return
    with tempfile.TemporaryDirectory(prefix="sightline-benchmark-", dir=options.folder) as folder:
        _measure(Path(folder), options)


def _measure(folder: Path, options: argparse.Namespace) -> None:
    print(
        f"{options.vectors:,} vectors of {options.dim} × {options.dtype}, {options.queries:,} queries, "
        f"{options.threads} threads, load {os.getloadavg()[0]:.1f}\n"
    )
    print("| step | s | peak MB | |\n|---|---|---|---|", flush=True)
    given = [f"--{name}={getattr(options, name)}" for name in ("vectors", "queries", "dim", "dtype", "threads")]
    threads = {name: str(options.threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    for step in STEPS:
        command = [sys.executable, "-m", "benchmarks.evaluation", *given, "--step", step, "--folder", str(folder)]
        done = subprocess.run(command, env={**os.environ, **threads}, stdout=subprocess.PIPE, check=True)
        record = json.loads(done.stdout)
        seconds, megabytes = record.pop("seconds"), record.pop("peak")
        details = ", ".join(f"{name} {value}" for name, value in record.items())
        print(f"| {step} | {seconds:.1f} | {megabytes:,.0f} | {details} |", flush=True)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


def _run(options: argparse.Namespace) -> None:
    """Run one step in this process, and print its measurements as JSON."""
    started = perf_counter()
    record = STEPS[options.step](options.folder, options)
    record["seconds"] = perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, kilobytes elsewhere
    record["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    print(json.dumps(record))


def _chosen(options: argparse.Namespace) -> NDArray[np.int64]:
    """Return the document (Q,) that each query belongs to."""
    return np.linspace(0, options.vectors - 1, options.queries).astype(np.int64)


def _blocks(file: Path) -> Iterator[NDArray[np.floating]]:
    for start in range(0, len(np.load(file, mmap_mode="r")), VECTOR_CHUNK_SIZE):
        yield np.array(np.load(file, mmap_mode="r")[start : start + VECTOR_CHUNK_SIZE])


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


if __name__ == "__main__":
    main()
