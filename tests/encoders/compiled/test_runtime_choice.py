"""Which of ONNX Runtime, OpenVINO and PyTorch embeds pictures, by what was measured and by what is asked for."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import DeviceUnavailable
from encoders import registry
from encoders.compiled import choice, openvino_encoder, store
from encoders.compiled.choice import Rates, RuntimeComparison
from encoders.compiled.openvino_encoder import STREAMS, OpenVinoEncoder
from encoders.compiled.runtime import FEW_PICTURES, LONG_RUN, RuntimeEncoder, describe_runtime
from encoders.torch_encoder import TorchEncoder
from tests.support.compiled_models import EXACT, forbid_torch, pixels

pytest.importorskip("open_clip")
pytest.importorskip("onnx")

Compiled = Callable[[str], Path]

NO_GAIN = RuntimeComparison(10.0, 10.0, "cpu, float32", 1.0)
REPORTS_NETWORK = """
import socket, sys, threading, time
def refused(*_, **__):
    print("connects to another machine")
    raise OSError
socket.socket.connect = socket.getaddrinfo = refused
from pathlib import Path
from encoders.compiled.openvino_encoder import _compiled
from encoders.preprocess import Preprocess
_compiled(Path(sys.argv[1]), Preprocess(32, (0.5,) * 3, (0.5,) * 3))
while threading.active_count() > 1:
    time.sleep(0.01)
print(*sorted({"openvino_telemetry"} & set(sys.modules)))
"""


def remember(folder: Path, openvino: RuntimeComparison = NO_GAIN, torch: RuntimeComparison = NO_GAIN) -> None:
    """Store what was measured."""
    Rates(openvino=openvino, torch=torch).keep(folder)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ways of the pictures embedded by this test, one after another."""
    ways: list[str] = []

    def watch(kind: type[TorchEncoder] | type[OpenVinoEncoder], name: str) -> None:
        original = kind.encode_pixels

        def watched(self: TorchEncoder | OpenVinoEncoder, shown: NDArray[np.uint8]) -> NDArray[np.float32]:
            ways.extend([name] * len(shown))
            return original(self, shown)

        monkeypatch.setattr(kind, "encode_pixels", watched)

    watch(TorchEncoder, "torch")
    watch(OpenVinoEncoder, "openvino")
    return ways


@pytest.mark.parametrize(
    ("runtime", "torch", "openvino", "cosine", "expected"),
    [
        ("auto", 100.0, 10.0, 0.9999, True),
        ("auto", 11.0, 10.0, 0.9999, False),
        ("auto", 100.0, 10.0, 0.99, False),
        ("auto", 22.0, 20.0, 0.9999, False),  # not much faster than OpenVINO
        ("onnx", 100.0, 10.0, 0.9999, False),
        ("openvino", 100.0, 10.0, 0.9999, False),
    ],
)
def test_long_runs_use_pytorch_where_it_is_faster(
    runtime: str,
    torch: float,
    openvino: float,
    cosine: float,
    expected: bool,
    tiny: dict[str, Path],
    compiled: Compiled,
    used: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = compiled("vit")
    monkeypatch.setenv("SIGHTLINE_RUNTIME", runtime)
    other = RuntimeComparison(10.0, openvino, "cpu, bfloat16", 0.9999)
    remember(folder, torch=RuntimeComparison(10.0, torch, "cpu, bfloat16", cosine), openvino=other)
    encoder = registry.load(str(tiny["vit"]))
    assert encoder.batch_size == 16
    encoder.encode_pixels(pixels(encoder, LONG_RUN - 4))
    assert "torch" not in used  # a few pictures do not start PyTorch
    encoder.encode_pixels(pixels(encoder, 10))
    assert used.count("torch") == (10 if expected else 0)


@pytest.mark.parametrize(
    ("runtime", "rate", "cosine", "expected"),
    [
        ("auto", 20.0, 0.9999, True),
        ("auto", 11.0, 0.9999, False),
        ("auto", 20.0, 0.9994, False),
        ("auto", 0.0, 0.0, False),  # it failed when it was measured
        ("onnx", 20.0, 0.9999, False),
        ("openvino", 0.0, 0.0, True),
    ],
)
def test_more_than_a_few_pictures_use_openvino_where_it_is_faster(
    runtime: str,
    rate: float,
    cosine: float,
    expected: bool,
    tiny: dict[str, Path],
    compiled: Compiled,
    used: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = compiled("vit")
    monkeypatch.setenv("SIGHTLINE_RUNTIME", runtime)
    remember(folder, openvino=RuntimeComparison(10.0, rate, "cpu, bfloat16", cosine))
    encoder = registry.load(str(tiny["vit"]))
    encoder.encode_pixels(pixels(encoder, FEW_PICTURES))
    assert used == []
    encoder.encode_pixels(pixels(encoder, 3))
    assert used == (["openvino"] * 3 if expected else [])


def test_ways_that_were_not_measured_are_measured_when_they_could_pay(
    tiny: dict[str, Path], compiled: Compiled
) -> None:
    folder = compiled("vit")
    (folder / choice.FILE).unlink(missing_ok=True)
    encoder = registry.load(str(tiny["vit"]))
    encoder.encode_pixels(pixels(encoder, FEW_PICTURES))
    assert choice.read_rates(folder) == Rates()
    encoder.encode_pixels(pixels(encoder, 1))
    rates = choice.read_rates(folder)
    assert rates.openvino is not None
    assert rates.openvino.other > 0
    assert rates.torch is None
    encoder.encode_pixels(pixels(encoder, LONG_RUN))
    assert choice.read_rates(folder).torch is not None
    assert choice.read_rates(folder).openvino == rates.openvino


@pytest.mark.parametrize("kind", ["vit", "resnet", "xlmr", "siglip", "altclip", "clip"])
def test_vectors_of_openvino_agree_with_those_of_onnx_runtime(
    kind: str, tiny: dict[str, Path], compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In 16 bits on some processors: bfloat16 has 8 bits of precision, and these weights are random."""
    compiled(kind)
    shown, vectors = None, []
    for runtime in ("onnx", "openvino"):
        monkeypatch.setenv("SIGHTLINE_RUNTIME", runtime)
        encoder = registry.load(str(tiny[kind]))
        shown = pixels(encoder, FEW_PICTURES + 9) if shown is None else shown
        vectors.append(encoder.encode_pixels(shown))
    assert (vectors[0] * vectors[1]).sum(axis=1).min() > 0.995


@pytest.mark.parametrize("count", [1, STREAMS, STREAMS + 1, 16])
def test_parts_of_a_batch_keep_their_order(count: int, tiny: dict[str, Path], compiled: Compiled) -> None:
    """OpenVINO computes several parts of a batch at the same time. Vectors of two of these pictures differ by 0.035."""
    compiled("vit")
    encoder = registry.load(str(tiny["vit"]), EXACT)
    found = store.find(encoder.space)
    assert found is not None
    tower = OpenVinoEncoder(found, encoder)
    shown = pixels(encoder, count)
    alone = np.concatenate([tower.encode_pixels(shown[place : place + 1]) for place in range(count)])
    np.testing.assert_allclose(tower.encode_pixels(shown), alone, atol=1e-2)  # bfloat16 may round otherwise
    assert tower.encode_pixels(shown[:0]).shape == (0, encoder.space.dim)


def test_onnx_runtime_goes_on_where_openvino_fails(
    tiny: dict[str, Path], compiled: Compiled, used: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = compiled("vit")
    remember(folder, openvino=RuntimeComparison(10.0, 20.0, "cpu, bfloat16", 0.9999))
    encoder = registry.load(str(tiny["vit"]))
    shown = pixels(encoder, FEW_PICTURES + 1)
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "onnx")
    expected = registry.load(str(tiny["vit"])).encode_pixels(shown)
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "auto")

    def failing(*_: object) -> None:
        raise RuntimeError("an operation is not supported")

    monkeypatch.setattr(openvino_encoder, "_compiled", failing)
    np.testing.assert_array_equal(encoder.encode_pixels(shown), expected)
    np.testing.assert_array_equal(encoder.encode_pixels(shown), expected)
    assert len(used) == len(shown)  # tried once


def test_a_failure_of_openvino_is_remembered(
    tiny: dict[str, Path], compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("an operation is not supported")

    folder = compiled("vit")
    monkeypatch.setattr(openvino_encoder, "_compiled", failing)
    encoder = registry.load(str(tiny["vit"]))
    encoder.encode_pixels(pixels(encoder, FEW_PICTURES + 1))
    kept = choice.read_rates(folder).openvino
    assert kept == RuntimeComparison(1.0, 0.0, "failed: an operation is not supported", 0.0)
    assert "OpenVINO failed: an operation is not supported" in describe_runtime(encoder)["rates"]


def test_openvino_that_is_not_installed_is_refused_by_name(
    tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_encoder, "is_installed", lambda: False)
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "openvino")
    with pytest.raises(DeviceUnavailable, match="`openvino` is not installed"):
        registry.load(str(tiny["vit"]))


def test_openvino_reports_nothing_to_its_makers(compiled: Compiled, tmp_path: Path) -> None:
    """Importing it usually sends an event over the network, and writes an ID to the home folder."""
    home = tmp_path / "home"
    home.mkdir()
    command = [sys.executable, "-c", REPORTS_NETWORK, str(compiled("vit") / store.IMAGES)]
    environment = {**os.environ, "HOME": str(home)}
    del environment["XDG_CACHE_HOME"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == ""
    assert list(home.iterdir()) == []


def test_the_measurement_of_another_machine_is_not_used(tmp_path: Path) -> None:
    measured = Rates("elsewhere", torch=RuntimeComparison(1.0, 2.0, "cpu, bfloat16", 1.0))
    (tmp_path / choice.FILE).write_text(json.dumps(asdict(measured)))
    assert choice.read_rates(tmp_path) == Rates()


@pytest.mark.parametrize("content", ["", "[]", '{"machine": "x"}', '{"onnx": 1.0, "torch": 2.0, "machine": "x"}'])
def test_an_unreadable_or_earlier_measurement_is_not_used(content: str, tmp_path: Path) -> None:
    (tmp_path / choice.FILE).write_text(content)
    assert choice.read_rates(tmp_path) == Rates()


def test_a_comparison_measures_both(tiny: dict[str, Path], compiled: Compiled) -> None:
    compiled("vit")
    runtime = registry.load(str(tiny["vit"]), EXACT)
    assert isinstance(runtime, RuntimeEncoder)
    encoder = runtime.compiled()
    assert encoder is not None
    measured = choice.compare(encoder, runtime.original, lambda: "cpu, float32")
    assert measured.cosine > 0.9999
    assert min(measured.onnx, measured.other) > 0


def test_the_description_says_how_a_model_runs(
    tiny: dict[str, Path], compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(tiny["vit"])
    assert describe_runtime(registry.load(name)) == {"runtime": "PyTorch, as asked for"}  # as the tests are set up
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "auto")
    assert "after its first use" in describe_runtime(registry.load(name))["runtime"]
    store.record_failure(registry.load(name).space, "no such operator")
    assert describe_runtime(registry.load(name))["runtime"].endswith("cannot be compiled: no such operator")
    folder = compiled("vit")
    assert describe_runtime(registry.load(name))["runtime"] == "ONNX Runtime"
    faster = RuntimeComparison(10.0, 14.0, "cpu, bfloat16", 0.9998)
    remember(folder, torch=RuntimeComparison(10.0, 25.0, "cpu, bfloat16", 0.9999), openvino=faster)
    described = describe_runtime(registry.load(name))
    ways = ["ONNX Runtime", "more than 4 pictures with OpenVINO", "more than 128 pictures with PyTorch"]
    assert described["runtime"] == "; ".join(ways)
    assert "images 1.000000" in described["agreement"]
    assert described["rates"] == (
        "pictures/s: OpenVINO 14.0, ONNX Runtime 10.0 (cpu, bfloat16; smallest cosine 0.999800); "
        "PyTorch 25.0, ONNX Runtime 10.0 (cpu, bfloat16; smallest cosine 0.999900)"
    )
    assert describe_runtime(registry.load("mini")) == {}


def test_pictures_by_openvino_import_no_pytorch(tiny: dict[str, Path], compiled: Compiled) -> None:
    remember(compiled("vit"), openvino=RuntimeComparison(10.0, 20.0, "cpu, bfloat16", 0.9999))
    code = (
        "import sys\nfrom PIL import Image\nfrom encoders import registry\n"
        f"encoder = registry.load({str(tiny['vit'])!r})\n"
        "encoder.encode_images([Image.new('RGB', (40, 30))] * 9)\n"
        "print(*sorted({'torch', 'open_clip', 'transformers', 'openvino'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "openvino"


def test_without_pytorch_nothing_measures_it(
    tiny: dict[str, Path], compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = compiled("vit")
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "openvino")
    forbid_torch(monkeypatch)
    encoder = registry.load(str(tiny["vit"]))
    encoder.encode_pixels(pixels(encoder, LONG_RUN + 1))
    assert choice.read_rates(folder) == Rates()
