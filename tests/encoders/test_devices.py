"""Devices and precisions on other machines, which are simulated."""

import platform
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import DeviceUnavailable
from encoders import machine, registry
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
    """Simulate a machine with a working GPU."""
    monkeypatch.setattr(devices, "_has_gpu", lambda: True)
    monkeypatch.setattr(devices, "_fault", lambda _: None)


def test_an_unknown_device_or_precision_is_refused() -> None:
    for place in (Placement("tpu9"), Placement("meta"), Placement("cpu", "int3")):
        with pytest.raises(DeviceUnavailable):
            place.resolve()


def test_a_working_gpu_is_used(gpu: None) -> None:
    assert devices.choose(None) == (torch.device("cuda"), None)
    assert devices.choose("cuda:1") == (torch.device("cuda:1"), None)


def test_an_unusable_gpu_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(devices, "_has_gpu", lambda: True)
    monkeypatch.setattr(devices, "_fault", lambda device: None if device.type == "cpu" else "the driver is too old")
    assert str(Placement(notify=said.append).resolve().device) == "cpu"
    assert said == ["A GPU is available but not used: the driver is too old."]
    with pytest.raises(DeviceUnavailable, match="too old"):
        Placement("cuda").resolve()
    monkeypatch.setenv("SIGHTLINE_DEVICE", "cpu")
    assert Placement(notify=said.append).resolve().notice is None


def test_a_hidden_gpu_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "GPU_DRIVER_FILES", (tmp_path,))
    assert devices._has_gpu()
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert not devices._has_gpu()


def test_a_card_without_a_driver_is_detected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "PCI_DEVICES", tmp_path)
    cards = {"a": ("0x8086", "0x030000"), "b": ("0x10de", "0x040300")}  # Intel's display, NVIDIA's sound
    for name, (vendor, kind) in cards.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / name / "class").write_text(f"{kind}\n")
    assert not machine.has_nvidia_card()
    (tmp_path / "b" / "class").write_text("0x030200\n")
    assert machine.has_nvidia_card()


def test_apple_silicon_uses_mps(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_gpu_precision(
    monkeypatch: pytest.MonkeyPatch, short: bool, capability: tuple[int, int], expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: short)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    device = torch.device("cuda")
    assert str(devices.choose_dtype(None, device)) == f"torch.{expected}"
    assert devices.choose_dtype("fp32", device) == torch.float32


@pytest.mark.parametrize("has", [True, False])
def test_cpu_precision(monkeypatch: pytest.MonkeyPatch, has: bool) -> None:
    monkeypatch.setattr(devices, "cpu_has_bf16", lambda: has)
    assert devices.choose_dtype(None, torch.device("cpu")) == (torch.bfloat16 if has else torch.float32)


@pytest.mark.parametrize(("free", "batch"), [(24 * 2**30, 256), (2 * 2**30, 32), (2**20, 1), (None, 16)])
def test_the_batch_size_follows_the_free_memory(monkeypatch: pytest.MonkeyPatch, free: int | None, batch: int) -> None:
    monkeypatch.setattr(devices, "free_memory", lambda _: free)
    assert Placement("cpu").resolve().batch_size == batch


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Simulate a device with memory for three items; returns the batch sizes that were tried."""
    tried: list[int] = []
    for name in ("_of_bytes", "_of_pixels", "_of_texts"):
        real = getattr(TorchEncoder, name)

        def limited(self: Any, *given: Any, real: Any = real) -> NDArray[np.float32]:
            tried.append(len(given[-1]))
            if tried[-1] > 3:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
            found: NDArray[np.float32] = real(self, *given)
            return found

        monkeypatch.setattr(TorchEncoder, name, limited)
    return tried


def test_batches_are_halved_when_memory_is_exhausted(tiny: dict[str, Path], small: list[int]) -> None:
    encoder = registry.load(str(tiny["vit"]), Placement("cpu", "fp32"))
    texts = [f"a {letter}" for letter in "abcdefghij"]
    vectors = encoder.encode_texts(texts)
    assert small == [10, 5, 2, 3, 5, 2, 3]
    np.testing.assert_allclose(vectors[7:8], encoder.encode_texts(texts[7:8]), atol=1e-6)
    assert encoder.batch_size == 2  # from this point on
    small.clear()
    encoder.encode_texts(texts)
    assert small == [2] * 5


def test_a_device_too_small_for_one_item_is_reported(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = registry.load(str(tiny["vit"]), Placement("cpu", "fp32"))

    def full(*_: Any, **__: Any) -> None:
        raise RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)")

    monkeypatch.setattr(type(encoder), "_text_features", full)
    with pytest.raises(DeviceUnavailable, match="too small for a single item"):
        encoder.encode_texts(["a", "b"])
    monkeypatch.setattr(torch.nn.Module, "to", full)
    with pytest.raises(DeviceUnavailable, match="too small for the model"):
        registry.load(str(tiny["vit"]), Placement("cpu", "fp32")).encode_texts(["a"])


def test_other_runtime_errors_are_not_caught(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = registry.load(str(tiny["vit"]), Placement("cpu", "fp32"))

    def broken(*_: Any) -> None:
        raise RuntimeError("a kernel is broken")

    monkeypatch.setattr(type(encoder), "_text_features", broken)
    with pytest.raises(RuntimeError, match="kernel"):
        encoder.encode_texts(["a", "b"])
