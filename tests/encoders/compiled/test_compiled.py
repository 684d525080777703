"""Compiled models: the same vectors as PyTorch, and what happens to damaged, half-written and outdated ones."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from core.errors import DeviceUnavailable, ModelUnavailable
from encoders import registry
from encoders.compiled import choice, store, versions
from encoders.compiled.encoder import FEW_TEXTS, CompiledEncoder
from encoders.compiled.runtime import FEW_PICTURES, RuntimeEncoder
from encoders.placement import Placement
from encoders.torch_encoder import TorchEncoder
from tests.support.compiled_models import EXACT, forbid_torch, pixels

pytest.importorskip("open_clip")
pytest.importorskip("onnx")

TEXTS = ["a dog", "two cats on a sofa, and a much longer text than this tower was made for", ""]


@pytest.mark.parametrize("kind", ["vit", "resnet", "xlmr", "nllb", "mt5", "siglip", "coca", "altclip", "clip"])
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


@pytest.mark.parametrize(
    ("kind", "trims"), [("vit", True), ("xlmr", True), ("clip", True), ("siglip", False), ("coca", False)]
)
def test_padding_is_left_out_where_it_changes_nothing(
    kind: str, trims: bool, tiny: dict[str, Path], compiled: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SigLIP reads its padding, and CoCa adds a token after it."""
    assert json.loads((compiled(kind) / store.CARD).read_text())["trims"] == trims
    lengths, original = [], CompiledEncoder._session

    class Watched:
        def __init__(self, session: Any) -> None:
            self.session = session

        def run(self, outputs: list[str], feed: dict[str, Any]) -> Any:
            lengths.append(feed["ids"].shape[1])
            return self.session.run(outputs, feed)

    monkeypatch.setattr(CompiledEncoder, "_session", lambda *args, **how: Watched(original(*args, **how)))
    encoder = registry.load(str(tiny[kind]), EXACT)
    encoder.encode_texts(["a dog"])
    assert lengths == [encoder.count_tokens("a dog") if trims else encoder.context_length]


def test_texts_after_the_first_ones_have_the_same_vectors(
    tiny: dict[str, Path], compiled: Callable[[str], Path]
) -> None:
    compiled("vit")
    vectors = registry.load(str(tiny["vit"]), EXACT).encode_texts(["a dog"] * (FEW_TEXTS + 2))
    np.testing.assert_allclose(vectors, vectors[:1].repeat(len(vectors), 0), atol=1e-6)


def test_a_vector_does_not_depend_on_its_batch(tiny: dict[str, Path], compiled: Callable[[str], Path]) -> None:
    compiled("vit")
    encoder = registry.load(str(tiny["vit"]))
    shown = pixels(encoder, FEW_PICTURES - 1)
    assert (encoder.encode_pixels(shown)[2] == encoder.encode_pixels(shown[2:])[0]).all()


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


def test_a_runtime_that_cannot_open_an_intact_export_is_named_and_the_export_is_kept(
    tiny: dict[str, Path], compiled: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_old(*_: object, **__: object) -> None:
        raise RuntimeError("Unsupported model IR version: 10")

    compiled("vit")
    said: list[str] = []
    encoder = registry.load(str(tiny["vit"]), Placement("cpu", "fp32", announce=said.append))
    assert isinstance(encoder, RuntimeEncoder)
    monkeypatch.setattr("encoders.compiled.encoder.open_session", too_old)
    np.testing.assert_array_equal(encoder.encode_texts(TEXTS), encoder.original.encode_texts(TEXTS))
    assert store.find(encoder.space) is not None
    assert len(said) == 1
    assert re.match(
        r"ONNX Runtime [\d.]+ cannot open the compiled form of .* Unsupported model IR version: 10", said[0]
    )
    monkeypatch.setattr("encoders.compiled.runtime.find_spec", lambda _: None)
    with pytest.raises(DeviceUnavailable, match=r"'ONNX Runtime [\d.]+' cannot be used: .* IR version: 10"):
        registry.load(str(tiny["vit"]), EXACT).encode_texts(TEXTS)
    assert store.find(encoder.space) is not None


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


def test_an_export_can_be_awaited(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    space, asked, answers = registry.load(str(tiny["vit"])).space, Event(), list[bool]()
    acquire = FileLock.acquire

    def watched(self: FileLock, timeout: float) -> Any:
        asked.set()
        return acquire(self, timeout=timeout)

    def wait() -> None:
        with store.exporting(space, waits=True) as may_export:
            answers.append(may_export)

    waiting = Thread(target=wait)
    with store.exporting(space):
        monkeypatch.setattr(FileLock, "acquire", watched)
        waiting.start()
        assert asked.wait(60)
    waiting.join()
    assert answers == [True]


def test_failures_are_remembered(tiny: dict[str, Path]) -> None:
    space = registry.load(str(tiny["vit"])).space
    assert store.read_failure(space) is None
    store.record_failure(space, "no reason")
    assert store.read_failure(space) == "no reason"


@pytest.mark.parametrize("package", ["torch", "onnx", "onnxruntime"])
def test_a_failed_model_is_tried_again_with_other_packages(
    package: str, tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "auto")
    tried: list[str] = []
    monkeypatch.setattr(RuntimeEncoder, "compile_in_process", lambda self, *_: tried.append(self.space.model))
    store.record_failure(registry.load(str(tiny["vit"])).space, "no such operator")
    registry.load(str(tiny["vit"]), EXACT).encode_texts(["a"])
    assert tried == []
    installed = versions.package_version
    newer = lambda name: "99.0" if name == package else installed(name)  # noqa: E731
    monkeypatch.setattr(versions, "package_version", newer)
    registry.load(str(tiny["vit"]), EXACT).encode_texts(["a"])
    assert tried == [str(tiny["vit"])]


def test_a_failure_without_versions_is_not_believed(tiny: dict[str, Path], tmp_path: Path) -> None:
    """An earlier version of Sightline wrote them."""
    space = registry.load(str(tiny["vit"])).space
    store.record_failure(space, "no such operator")
    (file,) = (tmp_path / "models" / store.SUBFOLDER).glob("*.failed.json")
    record = json.loads(file.read_text())
    file.write_text(json.dumps({"model": record["model"], "reason": record["reason"]}))
    assert store.read_failure(space) is None


def test_the_runtime_can_be_chosen(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    name = str(tiny["vit"])
    assert isinstance(registry.load(name), TorchEncoder)  # as the tests are set up
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "onnx")
    assert isinstance(registry.load(name), RuntimeEncoder)
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "auto")
    assert isinstance(registry.load(name), RuntimeEncoder)
    assert isinstance(registry.load(name, Placement("cpu", "bf16")), TorchEncoder)
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "fast")
    with pytest.raises(DeviceUnavailable, match="auto, onnx, openvino, torch"):
        registry.load(name)


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
    rates = choice.read_rates(found.folder)
    assert rates.torch is not None
    assert rates.openvino is not None
    assert len(said) == 1
    assert "fast starts" in said[0]
