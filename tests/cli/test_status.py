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
