"""What `sightline status` says about the installation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import pytest

Sightline = Callable[..., Any]


@pytest.mark.usefixtures("filled")
def test_the_build_of_faiss_for_the_processor_is_named(sightline: Sightline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(faiss, "StandardGpuResources", raising=False)
    assert f"FAISS     {faiss.__version__} for the processor" in sightline("status").lines
    expected = {"version": faiss.__version__, "kind": "cpu", "gpus": 0}
    assert sightline("status", "--json").record["faiss"] == expected


def test_the_build_of_faiss_for_gpus_is_named(
    sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 2, raising=False)
    assert f"FAISS     {faiss.__version__} for GPUs; it can use 2" in sightline("status").lines
    expected = {"version": faiss.__version__, "kind": "gpu", "gpus": 2}
    assert sightline("status", "--json").record["faiss"] == expected


def test_the_recall_of_an_approximate_index_is_shown(
    sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def index() -> dict[str, Any]:
        (space,) = sightline("status", "--json").record["spaces"]
        return dict(space["index"])

    assert index() == {"engine": "flat"}
    monkeypatch.setenv("SIGHTLINE_INDEX_ENGINE", "auto:1")
    assert sightline("repair").lines[-1].startswith("renewed the approximate index of ")
    found = index()
    assert found["engine"] == "ivf"
    assert (found["recall"]["text"], found["recall"]["pictures"], found["recall"]["at"]) == (1.0, 1.0, 10)
    (line,) = [line for line in sightline("status").lines if "Approximate index" in line]
    assert "recall@10 1.000 for" in line
    assert sightline("verify").code == 0
    few, exact = (sightline("search", "red", "-k", "1", "--paths", *extra) for extra in ((), ("--exact",)))
    assert few.lines == exact.lines
    assert "not every picture was compared" not in exact.err


def test_pictures_that_are_away_are_counted(sightline: Sightline, filled: Path, album: Path) -> None:
    assert "cannot be read now" not in sightline("status").text
    album.rename(album.with_name("elsewhere"))
    status = sightline("status")
    assert "4 of them cannot be read now: the folder, or a disk in it, is away\n" in status.text
    assert sightline("status", "--json").record["roots"][0]["away"] == 4


def test_single_things_are_counted_in_the_singular(
    sightline: Sightline, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    paint(tmp_path / "one" / "red.png", "red")
    (tmp_path / "one" / "notes.psd").touch()
    library = ("--library", tmp_path / "library")
    sightline("index", tmp_path / "one", "--model", "fake", *library)
    status = sightline("status", *library).text
    assert "Other     1 file was passed over: 1 psd\n" in status
    assert ": 1 vector of 13" in status


def test_every_line_has_its_name_in_one_column(sightline: Sightline, album: Path) -> None:
    (album / "broken.jpg").write_bytes(b"no picture")
    (album / "notes.txt").write_text("no picture either")
    sightline("index", album, "--model", "fake")
    lines = sightline("status").lines
    assert any("--failures" in line for line in lines)
    assert any("--passed-over" in line for line in lines)
    for line in lines:
        assert line[9] == " ", line
        assert line[10] != " ", line
