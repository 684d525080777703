"""Compiled models: the same vectors as PyTorch, and what happens to damaged, half-written and outdated ones."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from numpy.typing import NDArray

from core.errors import DeviceUnavailable, ModelUnavailable
from encoders import registry
from encoders.base import Encoder
from encoders.compiled import choice, store
from encoders.compiled.encoder import CompiledEncoder
from encoders.compiled.runtime import LONG_RUN, RuntimeEncoder, describe_runtime
from encoders.placement import Placement
from encoders.torch_encoder import TorchEncoder

pytest.importorskip("open_clip")
pytest.importorskip("onnx")

EXACT = Placement("cpu", "fp32")
TEXTS = ["a dog", "two cats on a sofa, and a much longer text than this tower was made for", ""]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory, tiny: dict[str, Path]) -> Callable[[str], Path]:
    """Compile the tiny model of a kind, once, and return the models folder."""
    folders: dict[str, Path] = {}

    def compile_once(kind: str) -> Path:
        from encoders.compiled.export import export

        if kind not in folders:
            folders[kind] = tmp_path_factory.mktemp("models")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SIGHTLINE_MODELS", str(folders[kind]))
                patch.setenv("SIGHTLINE_RUNTIME", "torch")
                encoder = registry.load(str(tiny[kind]), EXACT)
                assert isinstance(encoder, TorchEncoder)
                with store.exporting(encoder.space) as may_export:
                    assert may_export
                    export(encoder)
        return folders[kind]

    return compile_once


@pytest.fixture
def compiled(exports: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Install the compiled model of a kind for this test, and return its folder. Nothing is compiled any more."""

    def install(kind: str) -> Path:
        shutil.copytree(exports(kind), tmp_path / "models", dirs_exist_ok=True)
        monkeypatch.setenv("SIGHTLINE_RUNTIME", "auto")
        monkeypatch.setattr(RuntimeEncoder, "_compile", lambda _: None)
        return next((tmp_path / "models" / store.SUBFOLDER).glob(f"*/{store.CARD}")).parent

    return install


def pixels(encoder: Encoder, count: int = 3) -> NDArray[np.uint8]:
    side = encoder.preprocess.size
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def forbid_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Any) -> None:
        raise AssertionError("PyTorch is not needed")

    monkeypatch.setattr(TorchEncoder, "_model", property(refused))


@pytest.mark.parametrize("kind", ["vit", "resnet", "xlmr", "nllb", "mt5", "siglip", "altclip", "clip"])
def test_vectors_equal_pytorch(
    kind: str, tiny: dict[str, Path], compiled: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(kind)
    runtime = registry.load(str(tiny[kind]), EXACT)
    assert isinstance(runtime, RuntimeEncoder)
    original, shown = runtime.original, pixels(runtime)
    expected = original.encode_pixels(shown), original.encode_texts(TEXTS), original.logit_scale
    patches = original.encode_patches(shown) if original.has_patch_features else None
    forbid_torch(monkeypatch)
    np.testing.assert_allclose(runtime.encode_pixels(shown), expected[0], atol=5e-6)
    np.testing.assert_allclose(runtime.encode_texts(TEXTS), expected[1], atol=5e-6)
    assert runtime.logit_scale == pytest.approx(expected[2])
    assert runtime.space.fingerprint == original.space.fingerprint
    assert runtime.has_patch_features == (patches is not None)
    if patches is not None:
        np.testing.assert_allclose(runtime.encode_patches(shown), patches, atol=2e-5)


def test_the_card_says_how_well_the_vectors_agree(compiled: Callable[[str], Path]) -> None:
    card = json.loads((compiled("vit") / store.CARD).read_text())
    assert set(card["cosines"]) == {"images", "texts", "patches"}
    assert min(card["cosines"].values()) > 0.99999


def test_a_vector_does_not_depend_on_its_batch(tiny: dict[str, Path], compiled: Callable[[str], Path]) -> None:
    compiled("vit")
    encoder = registry.load(str(tiny["vit"]))
    shown = pixels(encoder, 5)
    assert (encoder.encode_pixels(shown)[3] == encoder.encode_pixels(shown[3:4])[0]).all()


def test_disagreeing_vectors_are_refused(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from encoders.compiled import export as exporter
    from encoders.compiled.failure import NotCompilable

    encoder = registry.load(str(tiny["vit"]), EXACT)
    assert isinstance(encoder, TorchEncoder)
    wrong = np.ones((6, 16), np.float32)
    monkeypatch.setattr(CompiledEncoder, "forward_texts", lambda *_: wrong)
    with store.exporting(encoder.space), pytest.raises(NotCompilable, match="texts have a cosine of only"):
        exporter.export(encoder)
    assert store.find(encoder.space) is None


@pytest.mark.parametrize("damage", ["no card", "no text tower", "short image tower", "other version", "other space"])
def test_an_incomplete_or_outdated_export_is_ignored(
    damage: str, tiny: dict[str, Path], compiled: Callable[[str], Path]
) -> None:
    folder = compiled("vit")
    card = json.loads((folder / store.CARD).read_text())
    if damage == "no card":
        (folder / store.CARD).unlink()
    elif damage == "no text tower":
        (folder / store.TEXTS).unlink()
    elif damage == "short image tower":
        (folder / store.IMAGES).write_bytes((folder / store.IMAGES).read_bytes()[:-1])
    else:
        key, value = ("version", 0) if damage == "other version" else ("fingerprint", "0" * 64)
        (folder / store.CARD).write_text(json.dumps({**card, key: value}))
    encoder = registry.load(str(tiny["vit"]), EXACT)
    assert store.find(encoder.space) is None
    assert len(encoder.encode_texts(["a"])) == 1  # PyTorch


def test_damaged_graphs_are_discarded_and_pytorch_used(tiny: dict[str, Path], compiled: Callable[[str], Path]) -> None:
    folder = compiled("vit")
    for name in (store.IMAGES, store.TEXTS):
        (folder / name).write_bytes(b"\xff" * (folder / name).stat().st_size)
    encoder = registry.load(str(tiny["vit"]), EXACT)
    assert isinstance(encoder, RuntimeEncoder)
    np.testing.assert_array_equal(encoder.encode_texts(TEXTS), encoder.original.encode_texts(TEXTS))
    assert store.find(encoder.space) is None


def test_changed_weights_do_not_use_the_export(
    tiny: dict[str, Path], compiled: Callable[[str], Path], tmp_path: Path
) -> None:
    from tests.support.tiny_models import tiny_open_clip

    compiled("vit")
    assert store.find(registry.load(str(tiny["vit"])).space) is not None
    assert store.find(registry.load(str(tiny_open_clip(tmp_path / "other", seed=1))).space) is None


def test_a_crash_during_an_export_leaves_nothing_that_is_used(tiny: dict[str, Path]) -> None:
    space = registry.load(str(tiny["vit"])).space

    def crash(folder: Path) -> store.Card:
        (folder / store.TEXTS).write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), store.exporting(space):
        store.publish(space, crash)
    assert store.find(space) is None


def test_only_one_process_exports_at_a_time(tiny: dict[str, Path], tmp_path: Path) -> None:
    space = registry.load(str(tiny["vit"])).space
    with store.exporting(space) as first:
        assert first
        (lock,) = (tmp_path / "models" / store.SUBFOLDER).glob(".*.lock")
        assert FileLock(lock).lock_file == str(lock)
        with store.exporting(space) as second:
            assert not second


def test_failures_are_remembered(tiny: dict[str, Path]) -> None:
    space = registry.load(str(tiny["vit"])).space
    assert store.read_failure(space) is None
    store.record_failure(space, "no reason")
    assert store.read_failure(space) == "no reason"


def test_the_runtime_can_be_chosen(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    name = str(tiny["vit"])
    assert isinstance(registry.load(name), TorchEncoder)  # as the tests are set up
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "onnx")
    assert isinstance(registry.load(name), RuntimeEncoder)
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "auto")
    assert isinstance(registry.load(name), RuntimeEncoder)
    assert isinstance(registry.load(name, Placement("cpu", "bf16")), TorchEncoder)
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "fast")
    with pytest.raises(DeviceUnavailable, match="auto, onnx, torch"):
        registry.load(name)


@pytest.mark.parametrize(
    ("runtime", "torch", "cosine", "expected"),
    [
        ("auto", 100.0, 0.9999, True),
        ("auto", 11.0, 0.9999, False),
        ("auto", 100.0, 0.99, False),
        ("onnx", 100.0, 0.9999, False),
    ],
)
def test_long_runs_use_pytorch_where_it_is_faster(
    runtime: str,
    torch: float,
    cosine: float,
    expected: bool,
    tiny: dict[str, Path],
    compiled: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = compiled("vit")
    monkeypatch.setenv("SIGHTLINE_RUNTIME", runtime)
    measured = choice.Rates(choice._this_machine(), 10.0, torch, "cpu, bfloat16", cosine)
    (folder / choice.FILE).write_text(json.dumps(vars(measured)))
    encoder = registry.load(str(tiny["vit"]))
    asked: list[int] = []
    original = TorchEncoder.encode_pixels

    def watched(self: TorchEncoder, shown: NDArray[np.uint8]) -> NDArray[np.float32]:
        asked.append(len(shown))
        return original(self, shown)

    monkeypatch.setattr(TorchEncoder, "encode_pixels", watched)
    assert encoder.batch_size == 16
    encoder.encode_pixels(pixels(encoder, LONG_RUN - 4))
    assert asked == []  # a few pictures do not start PyTorch
    encoder.encode_pixels(pixels(encoder, 10))
    assert asked == ([10] if expected else [])


def test_the_measurement_of_another_machine_is_not_used(tmp_path: Path) -> None:
    measured = choice.Rates("elsewhere", 1.0, 2.0, "cpu, bfloat16", 1.0)
    (tmp_path / choice.FILE).write_text(json.dumps(vars(measured)))
    assert choice.read_rates(tmp_path) is None


def test_a_measurement_is_kept(tiny: dict[str, Path], compiled: Callable[[str], Path]) -> None:
    folder = compiled("vit")
    runtime = registry.load(str(tiny["vit"]), EXACT)
    assert isinstance(runtime, RuntimeEncoder)
    encoder = runtime.compiled()
    assert encoder is not None
    measured = choice.measure(encoder, runtime.original, "cpu, float32", folder)
    assert measured.cosine > 0.9999
    assert min(measured.onnx, measured.torch) > 0
    assert choice.read_rates(folder) == measured


def test_the_description_says_how_a_model_runs(
    tiny: dict[str, Path], compiled: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(tiny["vit"])
    assert describe_runtime(registry.load(name)) == {"runtime": "PyTorch, as asked for"}  # as the tests are set up
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "auto")
    assert "after its first use" in describe_runtime(registry.load(name))["runtime"]
    store.record_failure(registry.load(name).space, "no such operator")
    assert describe_runtime(registry.load(name))["runtime"].endswith("cannot be compiled: no such operator")
    folder = compiled("vit")
    assert describe_runtime(registry.load(name))["runtime"] == "ONNX Runtime"
    measured = choice.Rates(choice._this_machine(), 10.0, 25.0, "cpu, bfloat16", 0.9999)
    (folder / choice.FILE).write_text(json.dumps(vars(measured)))
    described = describe_runtime(registry.load(name))
    assert described["runtime"] == f"ONNX Runtime; more than {LONG_RUN} pictures with PyTorch"
    assert "images 1.000000" in described["agreement"]
    assert "ONNX Runtime 10.0, PyTorch 25.0 (cpu, bfloat16)" in described["rates"]
    assert describe_runtime(registry.load("mini")) == {}


def test_unknown_languages_are_refused(tiny: dict[str, Path], compiled: Callable[[str], Path]) -> None:
    compiled("nllb")
    with pytest.raises(ModelUnavailable, match="klingon"):
        registry.load(f"{tiny['nllb']}?lang=klingon").encode_texts(["a"])


def test_a_compiled_model_imports_no_pytorch(tiny: dict[str, Path], compiled: Callable[[str], Path]) -> None:
    compiled("vit")
    code = (
        "import sys\nfrom PIL import Image\nfrom encoders import registry\n"
        f"encoder = registry.load({str(tiny['vit'])!r})\n"
        "encoder.encode_texts(['a dog', 'Müller & Söhne']); encoder.encode_images([Image.new('RGB', (40, 30))])\n"
        "print(*sorted({'torch', 'open_clip', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.processes
def test_the_first_use_compiles_in_a_process_of_its_own(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "auto")
    monkeypatch.setattr("encoders.compiled.runtime.PATIENCE_SECONDS", 0.0)
    said: list[str] = []
    encoder = registry.load(str(tiny["vit"]), Placement("cpu", "fp32", announce=said.append))
    forbid_torch(monkeypatch)
    encoder.encode_texts(["a dog"])
    found = store.find(encoder.space)
    assert found is not None
    assert choice.read_rates(found.folder) is not None
    assert len(said) == 1
    assert "fast starts" in said[0]
