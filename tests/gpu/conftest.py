"""What the tests of a card share. Each of them runs on the first CUDA device, or is skipped without one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from encoders.placement import PRECISION_VARIABLE


@pytest.fixture(scope="session")
def card() -> str:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("PyTorch finds no CUDA device")
    return "cuda"


@pytest.fixture(autouse=True)
def default_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PRECISION_VARIABLE, raising=False)


@pytest.fixture
def limit_memory(card: str) -> Iterator[Any]:
    """A function that leaves PyTorch only so many more bytes of the card."""
    import torch

    def limit(spare: int) -> None:
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + spare) / total)

    yield limit
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


@pytest.fixture(scope="session")
def vit_b_32(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model of real size with random weights, as `ARCHITECTURE:FILE`."""
    torch = pytest.importorskip("torch")
    open_clip = pytest.importorskip("open_clip")
    from safetensors.torch import save_file

    torch.manual_seed(0)
    file: Path = tmp_path_factory.mktemp("vit-b-32") / "model.safetensors"
    weights = open_clip.create_model("ViT-B-32").state_dict()
    save_file({name: value.contiguous() for name, value in weights.items()}, file)
    return f"ViT-B-32:{file}"
