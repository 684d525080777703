"""Vectors made elsewhere, by the installed script: there and back, searched, and killed half-way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Paint = Callable[..., list[Path]]


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """12,000 vectors of 16 numbers, three blocks of them, with ids."""
    raw = np.random.default_rng(3).normal(size=(12_000, 16)).astype(np.float32)
    np.save(tmp_path / "v.npy", raw / np.linalg.norm(raw, axis=1, keepdims=True))
    (tmp_path / "ids").write_bytes(b"".join(b"caf\xe9-%d\n" % number for number in range(12_000)))
    return tmp_path / "v.npy"


def test_there_and_back(cli: Any, vectors: Path, paint: Paint, tmp_path: Path) -> None:
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
    assert cli("verify").stdout == b"All well.\n"
    assert cli.status()["documents"] == 24_000


@pytest.mark.parametrize(
    ("function", "nth"),
    [
        ("store.exchange.intake:unit_rows", 1),
        ("store.exchange.intake:unit_rows", 3),
        ("store.exchange.importing:bump", 1),
    ],
)
def test_killed_before_all_is_in_nothing_is(
    cli: Any, vectors: Path, paint: Paint, tmp_path: Path, function: str, nth: int
) -> None:
    paint(tmp_path / "photos", red="red")
    cli.index(tmp_path / "photos")
    before = cli.vectors()
    cli.killed_at(function, nth, "import", vectors, "--ids", tmp_path / "ids", "--space", "clip")
    assert cli.is_whole()
    assert cli.vectors() == before
    assert [space["model"] for space in cli.status()["spaces"]] == ["fake"]
    cli("import", vectors, "--ids", tmp_path / "ids", "--space", "clip")
    assert cli.is_whole()
    assert cli.embedded() == 12_001


def test_killed_before_the_index_is_written_all_is_in(cli: Any, vectors: Path, tmp_path: Path) -> None:
    cli.killed_at("store.cache:publish", 1, "import", vectors, "--ids", tmp_path / "ids", "--space", "clip")
    assert cli.embedded() == 12_000
    assert len(cli("similar", b"caf\xe9-7", "-k", "5", "--paths").stdout.splitlines()) == 5
    assert cli.is_whole()  # the reader has written the index


def test_an_export_that_is_killed_leaves_no_folder_of_that_name(cli: Any, vectors: Path, tmp_path: Path) -> None:
    cli("import", vectors, "--space", "clip")
    cli.killed_at("store.exchange.exporting:describe", 2, "export", "clip", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    cli("export", "clip", tmp_path / "out")
    assert (tmp_path / "out" / "vectors.npy").read_bytes() == vectors.read_bytes()
