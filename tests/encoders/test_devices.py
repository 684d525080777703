"""Where a model runs and in which numbers: the choice on machines that this one is not, by stand-ins."""

import platform
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import DeviceUnavailable
from encoders import registry
from encoders.placement import Placement

torch = pytest.importorskip("torch")

from encoders import devices  # noqa: E402 (needs PyTorch)
from encoders.torch_encoder import TorchEncoder  # noqa: E402


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIGHTLINE_DEVICE", "SIGHTLINE_PRECISION", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose GPU works."""
    monkeypatch.setattr(devices, "_has_gpu", lambda: True)
    monkeypatch.setattr(devices, "_fault", lambda _: None)


def test_a_device_that_is_not_there() -> None:
    for place in (Placement("tpu9"), Placement("meta"), Placement("cpu", "int3")):
        with pytest.raises(DeviceUnavailable):
            place.resolve()


def test_a_gpu_that_works_is_taken(gpu: None) -> None:
    assert devices.choose(None) == (torch.device("cuda"), None)
    assert devices.choose("cuda:1") == (torch.device("cuda:1"), None)


def test_a_gpu_that_is_not_used_is_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(devices, "_has_gpu", lambda: True)
    monkeypatch.setattr(devices, "_fault", lambda device: None if device.type == "cpu" else "the driver is too old")
    assert str(Placement(notify=said.append).resolve().device) == "cpu"
    assert said == ["there is a GPU, but it is not used: the driver is too old. --device cpu accepts that silently"]
    with pytest.raises(DeviceUnavailable, match="too old"):
        Placement("cuda").resolve()
    monkeypatch.setenv("SIGHTLINE_DEVICE", "cpu")
    assert Placement(notify=said.append).resolve().notice is None


def test_a_gpu_that_was_hidden_is_not_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(devices, "GPU_FILES", (tmp_path,))
    assert devices._has_gpu()
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert not devices._has_gpu()


def test_a_card_without_a_driver_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(devices, "PCI", tmp_path)
    cards = {"a": ("0x8086", "0x030000"), "b": ("0x10de", "0x040300")}  # Intel's display, NVIDIA's sound
    for name, (vendor, kind) in cards.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / name / "class").write_text(f"{kind}\n")
    assert not devices._on_pci()
    (tmp_path / "b" / "class").write_text("0x030200\n")
    assert devices._on_pci()


def test_a_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_has_gpu", lambda: False)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(torch.backends.mps, "is_built", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    device, notice = devices.choose(None)
    assert device.type == "cpu"
    assert "MPS needs a Mac" in str(notice)
    monkeypatch.setattr(devices, "_fault", lambda _: None)
    assert devices.choose(None) == (torch.device("mps"), None)
    assert devices.choose_dtype(None, torch.device("mps")) == torch.float16
    assert devices.layout(torch.device("mps")) == torch.contiguous_format
    assert devices.layout(torch.device("cuda")) == torch.channels_last


@pytest.mark.parametrize(
    ("short", "capability", "expected"),
    [(True, (8, 0), "bfloat16"), (False, (7, 5), "float16"), (False, (6, 1), "float32")],
)
def test_numbers_that_a_gpu_computes_in(
    monkeypatch: pytest.MonkeyPatch, short: bool, capability: tuple[int, int], expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: short)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    device = torch.device("cuda")
    assert str(devices.choose_dtype(None, device)) == f"torch.{expected}"
    assert devices.choose_dtype("fp32", device) == torch.float32


@pytest.mark.parametrize("has", [True, False])
def test_numbers_that_a_processor_computes_in(monkeypatch: pytest.MonkeyPatch, has: bool) -> None:
    monkeypatch.setattr(devices, "_cpu_has_bf16", lambda: has)
    assert devices.choose_dtype(None, torch.device("cpu")) == (torch.bfloat16 if has else torch.float32)


@pytest.mark.parametrize(("free", "batch"), [(24 * 2**30, 256), (2 * 2**30, 32), (2**20, 1), (None, 16)])
def test_a_batch_is_as_large_as_the_memory_allows(
    monkeypatch: pytest.MonkeyPatch, free: int | None, batch: int
) -> None:
    monkeypatch.setattr(devices, "free_memory", lambda _: free)
    assert Placement("cpu").resolve().batch_size == batch


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A device that holds three items at a time; the sizes that were tried."""
    tried: list[int] = []
    for name in ("_of_pixels", "_of_texts"):
        real = getattr(TorchEncoder, name)

        def limited(self: Any, *given: Any, real: Any = real) -> NDArray[np.float32]:
            tried.append(len(given[-1]))
            if tried[-1] > 3:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
            found: NDArray[np.float32] = real(self, *given)
            return found

        monkeypatch.setattr(TorchEncoder, name, limited)
    return tried


def test_what_the_memory_cannot_hold_at_once_is_computed_in_parts(tiny: dict[str, Path], small: list[int]) -> None:
    encoder = registry.load(str(tiny["vit"]), Placement("cpu", "fp32"))
    texts = [f"a {letter}" for letter in "abcdefghij"]
    vectors = encoder.encode_texts(texts)
    assert small == [10, 5, 2, 3, 5, 2, 3]
    np.testing.assert_allclose(vectors[7:8], encoder.encode_texts(texts[7:8]), atol=1e-6)
    assert encoder.batch_size == 2  # from now on
    small.clear()
    encoder.encode_texts(texts)
    assert small == [2] * 5


def test_a_memory_that_holds_nothing(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = registry.load(str(tiny["vit"]), Placement("cpu", "fp32"))

    def full(*_: Any, **__: Any) -> None:
        raise RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)")

    monkeypatch.setattr(type(encoder), "_text_features", full)
    with pytest.raises(DeviceUnavailable, match=r"too small .* --device cpu"):
        encoder.encode_texts(["a", "b"])
    monkeypatch.setattr(torch.nn.Module, "to", full)
    with pytest.raises(DeviceUnavailable, match="too small for the model"):
        registry.load(str(tiny["vit"]), Placement("cpu", "fp32")).encode_texts(["a"])


def test_other_faults_stay_what_they_are(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = registry.load(str(tiny["vit"]), Placement("cpu", "fp32"))

    def broken(*_: Any) -> None:
        raise RuntimeError("a kernel is broken")

    monkeypatch.setattr(type(encoder), "_text_features", broken)
    with pytest.raises(RuntimeError, match="kernel"):
        encoder.encode_texts(["a", "b"])
