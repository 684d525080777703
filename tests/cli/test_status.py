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
