"""Importing and exporting vectors: round trip, search and killed processes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Paint = Callable[..., list[Path]]


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """12,000 vectors of 16 numbers in three blocks, with IDs."""
    raw = np.random.default_rng(3).normal(size=(12_000, 16)).astype(np.float32)
    np.save(tmp_path / "v.npy", raw / np.linalg.norm(raw, axis=1, keepdims=True))
    (tmp_path / "ids").write_bytes(b"".join(b"caf\xe9-%d\n" % number for number in range(12_000)))
    return tmp_path / "v.npy"


def test_export_and_import_round_trip(cli: Any, vectors: Path, paint: Paint, tmp_path: Path) -> None:
    paint(tmp_path / "photos", red="red", sea="blue")
    cli.index(tmp_path / "photos")
    (report,) = cli.lines("import", vectors, "--ids", tmp_path / "ids", "--space", "clip", "--activate")
    assert (report["vectors"], report["documents"], report["active"]) == (12_000, 12_000, True)
    cli("export", "clip", tmp_path / "out")
    assert (tmp_path / "out" / "vectors.npy").read_bytes() == vectors.read_bytes()
    cli("import", tmp_path / "out", "--space", "again")
    cli("export", "again", tmp_path / "out2")
    assert (tmp_path / "out2" / "items.jsonl").read_bytes() == (tmp_path / "out" / "items.jsonl").read_bytes()
    scores = np.load(vectors) @ np.load(vectors)[7]
    best = np.argsort(-scores)[1:6]
    found = cli("similar", b"caf\xe9-7", "-k", "5", "-0").stdout
    assert found == b"".join(b"caf\xe9-%d\0" % number for number in best)
    assert cli("verify").stdout == b"No faults found.\n"
    assert cli.status()["documents"] == 24_000


@pytest.mark.parametrize(
    ("function", "nth", "written"),
    [
        ("store.exchange.checking:normalized_rows", 1, None),
        ("store.exchange.space_builder:add_vectors", 1, 0),
        ("store.exchange.space_builder:add_vectors", 3, 10_000),
        ("store.spaces.index_cache:publish", 1, 12_000),
        ("store.exchange.import_vectors:activate", 1, 12_000),
    ],
)
def test_import_killed_before_it_is_complete_continues(
    cli: Any, vectors: Path, paint: Paint, tmp_path: Path, function: str, nth: int, written: int | None
) -> None:
    paint(tmp_path / "photos", red="red")
    cli.index_in_process(tmp_path / "photos")
    command = ("import", vectors, "--ids", tmp_path / "ids", "--space", "clip", "--activate")
    cli.killed_at(function, nth, *command)
    assert cli.is_intact()
    status = cli.status()
    assert ([space["model"] for space in status["spaces"]], status["documents"]) == (["fake"], 0)
    assert [(each["vectors"], each["state"]) for each in status["unfinished_imports"]] == (
        [] if written is None else [(written, "stopped")]
    )
    assert len(cli("search", "red", "--paths").stdout.splitlines()) == 1
    cli(*command)
    assert cli.is_intact()
    assert cli.embedded() == 12_001
    status = cli.status()
    assert (status["unfinished_imports"], status["documents"]) == ([], 12_000)


def test_import_killed_before_the_index_file_is_complete(cli: Any, vectors: Path, tmp_path: Path) -> None:
    cli.killed_at(
        "store.spaces.index_cache:publish", 2, "import", vectors, "--ids", tmp_path / "ids", "--space", "clip"
    )
    assert cli.embedded() == 12_000
    assert len(cli("similar", b"caf\xe9-7", "-k", "5", "--paths").stdout.splitlines()) == 5
    assert cli.is_intact()  # the search has written the index file


def test_killed_export_leaves_no_folder(cli: Any, vectors: Path, tmp_path: Path) -> None:
    cli("import", vectors, "--space", "clip")
    cli.killed_at("store.exchange.export:content_records_in", 2, "export", "clip", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    cli("export", "clip", tmp_path / "out")
    assert (tmp_path / "out" / "vectors.npy").read_bytes() == vectors.read_bytes()


def test_evaluation_of_imported_vectors_equals_numpy(cli: Any, vectors: Path, tmp_path: Path) -> None:
    """Documents, judgements and queries consist of IDs and vectors only."""
    documents = np.load(vectors)
    chosen = np.arange(0, 12_000, 120)  # (100,)
    queries = documents[chosen] + np.random.default_rng(4).normal(0, 0.2, (100, 16)).astype(np.float32)
    np.save(tmp_path / "queries.npy", queries)
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "ids").write_text("".join(f"doc-{number}\n" for number in range(12_000)))
    (data / "pictures.txt").write_text((tmp_path / "ids").read_text())
    (data / "queries.txt").write_text("".join(f"q{number}\twords\n" for number in range(100)))
    (data / "qrels.txt").write_text("".join(f"q{number} 0 doc-{row} 1\n" for number, row in enumerate(chosen)))
    (tmp_path / "query-ids").write_text("".join(f"q{number}\n" for number in range(100)))
    cli("import", vectors, "--ids", tmp_path / "ids", "--space", "clip")
    (found,) = cli.lines(
        "eval", data, "--space", "clip",
        "--query-vectors", tmp_path / "queries.npy", "--query-ids", tmp_path / "query-ids",
    )  # fmt: skip
    scores = queries.astype(np.float64) @ documents.T.astype(np.float64)  # (100, 12000)
    ranks = 1 + (scores > scores[np.arange(100), chosen][:, None]).sum(axis=1)
    assert (found["queries"], found["candidates"]) == (100, 12_000)
    assert found["mrr"] == pytest.approx((1 / ranks).mean(), abs=1e-6)
    assert found["recall@10"] == pytest.approx((ranks <= 10).mean())
    assert found["median_rank"] == np.median(ranks)
    assert 0.1 < found["mrr"] < 0.9
