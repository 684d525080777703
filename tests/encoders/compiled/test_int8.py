"""Models in 8 bits: a space of their own, asked for by name, and what they lose."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from core.errors import DeviceUnavailable, ExtraMissing, WeightsChanged
from core.telemetry import openvino_does_not_report
from encoders import registry
from encoders.background import background
from encoders.base import Encoder
from encoders.compiled import openvino_encoder, store
from encoders.compiled.encoder import CompiledEncoder
from encoders.compiled.int8 import Int8Encoder, Loss, describe_int8
from encoders.compiled.openvino_encoder import OpenVinoEncoder
from encoders.compiled.prepared_tower import PREPARED
from encoders.compiled.quantise import measure_loss, quantise
from encoders.compiled.runtime import RuntimeEncoder
from encoders.model_info import describe_model
from tests.support.compiled_models import EXACT, pixels

pytest.importorskip("open_clip")
pytest.importorskip("onnx")
with openvino_does_not_report():
    pytest.importorskip("openvino")

Compiled = Callable[[str], Path]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantise in this process."""

    def run(self: RuntimeEncoder, encoder: Encoder, _: str) -> store.CompiledModel | None:
        assert isinstance(encoder, Int8Encoder)
        found = store.find(self.space)
        assert found is not None
        with store.exporting(encoder.space):
            return quantise(encoder, CompiledEncoder(found, self.original))

    monkeypatch.setattr(RuntimeEncoder, "compile_in_process", run)


def load(name: Path, options: str = "?precision=int8") -> Int8Encoder:
    encoder = registry.load(f"{name}{options}")
    assert isinstance(encoder, Int8Encoder)
    return encoder


def _damage(file: Path) -> None:
    """Change bytes, but not the size."""
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(255 - byte for byte in content[middle : middle + 64])
    file.write_bytes(content)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("kind", ["vit", "siglip", "clip"])
def test_vectors_of_pictures_are_near_those_of_float32(kind: str, tiny: dict[str, Path], compiled: Compiled) -> None:
    compiled(kind)
    encoder, exact = load(tiny[kind]), registry.load(str(tiny[kind]))
    shown = np.stack([encoder.preprocess.pixels(photo.open()) for photo in background().photos[:9]])
    vectors = encoder.encode_pixels(shown)
    cosines = (vectors * exact.encode_pixels(shown)).sum(1)
    assert cosines.min() > 0.98
    assert cosines.max() < 1 - 1e-7  # they are not those of float32
    loss = Loss.read(encoder.tower().compiled.folder)
    assert loss is not None
    assert loss.photos == len(background().photos) // 2
    assert 0.95 < loss.worst_cosine <= loss.mean_cosine < 1 - 1e-7
    normalised = encoder.preprocess.normalise(shown)
    np.testing.assert_allclose(encoder.encode_pixels(shown), encoder._unit(encoder.forward_images(normalised), 9))


@pytest.mark.usefixtures("here")
def test_its_space_is_its_own_and_its_name_loads_it_again(tiny: dict[str, Path], compiled: Compiled) -> None:
    compiled("vit")
    encoder, exact = load(tiny["vit"]), registry.load(str(tiny["vit"]))
    assert encoder.space.fingerprint != exact.space.fingerprint
    assert encoder.space.model == f"{tiny['vit']}?precision=int8"
    assert registry.load_for_space(encoder.space).space == encoder.space
    np.testing.assert_array_equal(encoder.encode_texts(["a dog"]), exact.encode_texts(["a dog"]))
    np.testing.assert_array_equal(encoder.encode_patches(pixels(encoder, 1)), exact.encode_patches(pixels(exact, 1)))
    assert encoder.count_tokens("a dog") == exact.count_tokens("a dog")
    assert encoder.logit_scale == exact.logit_scale


@pytest.mark.usefixtures("here")
def test_the_description_says_what_is_lost(tiny: dict[str, Path], compiled: Compiled) -> None:
    compiled("vit")
    encoder = load(tiny["vit"])
    assert "its first picture makes" in describe_int8(encoder)["runtime"]
    encoder.encode_pixels(pixels(encoder, 1))
    described = describe_int8(encoder)
    assert described["loss"].startswith("on 42 photos: cosine to float32 0.9")
    assert store.find(registry.load(str(tiny["vit"])).space) is not None  # the model in float32 stays


@pytest.mark.usefixtures("here")
def test_other_photos_make_another_space(
    tiny: dict[str, Path], compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled("vit")
    first = load(tiny["vit"])
    photos = background()
    monkeypatch.setattr("encoders.compiled.int8.background", lambda: replace(photos, version=photos.version + 1))
    other = load(tiny["vit"])
    assert other.space.fingerprint != first.space.fingerprint
    assert other.space.model == first.space.model
    with pytest.raises(WeightsChanged):
        registry.load_for_space(first.space)


@pytest.mark.usefixtures("here")
def test_a_tower_that_is_made_again_is_the_same(tiny: dict[str, Path], compiled: Compiled) -> None:
    compiled("vit")
    encoder = load(tiny["vit"])
    first = encoder.tower().compiled
    store.discard(first)
    assert load(tiny["vit"]).tower().compiled.card.checksums == first.card.checksums


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", [store.IMAGES, f"{store.IMAGES}.data"])
def test_a_damaged_tower_of_the_right_size_is_made_again(name: str, tiny: dict[str, Path], compiled: Compiled) -> None:
    compiled("vit")
    encoder = load(tiny["vit"])
    shown = pixels(encoder, 2)
    expected = encoder.encode_pixels(shown)
    _damage(encoder.tower().compiled.folder / name)
    (encoder.tower().compiled.folder / PREPARED).unlink()
    np.testing.assert_array_equal(load(tiny["vit"]).encode_pixels(shown), expected)


def refuse_to_compile(_: object) -> None:
    raise AssertionError("the tower has been prepared")


@pytest.mark.usefixtures("here")
def test_later_processes_read_the_prepared_tower(
    tiny: dict[str, Path], compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled("vit")
    shown = pixels(load(tiny["vit"]), 2)
    expected = load(tiny["vit"]).encode_pixels(shown)
    monkeypatch.setattr(OpenVinoEncoder, "_compile", refuse_to_compile)
    np.testing.assert_array_equal(load(tiny["vit"]).encode_pixels(shown), expected)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "fault", ["damaged", "empty", "short", "no header", "of another machine", "other options", "refused"]
)
def test_a_prepared_tower_that_cannot_be_read_is_prepared_again(
    fault: str, tiny: dict[str, Path], compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled("vit")
    encoder = load(tiny["vit"])
    shown = pixels(encoder, 2)
    expected = encoder.encode_pixels(shown)
    file = encoder.tower().compiled.folder / PREPARED
    intact = file.read_bytes()
    header, _, content = intact.partition(b"\n")
    if fault == "damaged":
        _damage(file)
    elif fault == "refused":  # as it was written, but of a version that OpenVINO does not read
        digest = sha256(b"other").hexdigest()
        file.write_bytes(json.dumps({**json.loads(header), "sha256": digest}).encode() + b"\nother")
    else:
        machine = json.dumps({**json.loads(header), "machine": "another"}).encode() + b"\n" + content
        options = json.dumps({**json.loads(header), "options": {}}).encode() + b"\n" + content
        faults = {"empty": b"", "short": intact[:-1], "no header": content, "of another machine": machine}
        faults["other options"] = options
        file.write_bytes(faults[fault])
    np.testing.assert_array_equal(load(tiny["vit"]).encode_pixels(shown), expected)
    monkeypatch.setattr(OpenVinoEncoder, "_compile", refuse_to_compile)
    np.testing.assert_array_equal(load(tiny["vit"]).encode_pixels(shown), expected)


@pytest.mark.usefixtures("here")
def test_a_tower_is_used_if_its_prepared_form_cannot_be_kept(
    tiny: dict[str, Path], compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    compiled("vit")
    monkeypatch.setattr("encoders.compiled.prepared_tower.write_atomically", full)
    encoder = load(tiny["vit"])
    assert len(encoder.encode_pixels(pixels(encoder, 2))) == 2


@pytest.mark.usefixtures("here")
def test_a_tower_is_used_if_a_prepared_form_of_another_version_cannot_be_deleted(
    tiny: dict[str, Path], compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError("Read-only file system")

    compiled("vit")
    encoder = load(tiny["vit"])
    expected = encoder.encode_pixels(shown := pixels(encoder, 2))
    monkeypatch.setattr("encoders.compiled.prepared_tower.write_atomically", refused)
    monkeypatch.setattr(Path, "unlink", refused)
    monkeypatch.setattr("encoders.compiled.int8.read_prepared", lambda _: b"other")
    np.testing.assert_array_equal(load(tiny["vit"]).encode_pixels(shown), expected)


@pytest.mark.usefixtures("here")
def test_a_damaged_tower_that_cannot_be_deleted_is_not_used(
    tiny: dict[str, Path], compiled: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled("vit")
    encoder = load(tiny["vit"])
    shown = pixels(encoder, 2)
    expected = encoder.encode_pixels(shown)
    _damage(encoder.tower().compiled.folder / f"{store.IMAGES}.data")
    (encoder.tower().compiled.folder / PREPARED).unlink()
    monkeypatch.setattr(store, "discard", lambda _: None)
    monkeypatch.setattr(store, "_writable_root", lambda: tmp_path / "cache")
    monkeypatch.setattr(store, "_roots", lambda: iter([tmp_path / "models" / store.SUBFOLDER, tmp_path / "cache"]))
    (tmp_path / "cache").mkdir()
    again = load(tiny["vit"])
    np.testing.assert_array_equal(again.encode_pixels(shown), expected)
    assert again.tower().compiled.folder.parent == tmp_path / "cache"


@pytest.mark.processes
def test_a_damaged_tower_in_float32_is_compiled_again_before_it_becomes_one_in_8_bits(
    tiny: dict[str, Path], compiled: Compiled
) -> None:
    folder = compiled("vit")
    _damage(folder / f"{store.IMAGES}.data")
    encoder = load(tiny["vit"])
    shown = pixels(encoder, 2)
    exact = registry.load(str(tiny["vit"]), EXACT)
    assert isinstance(exact, RuntimeEncoder)
    cosines = (encoder.encode_pixels(shown) * exact.original.encode_pixels(shown)).sum(1)
    assert cosines.min() > 0.98


@pytest.mark.processes
def test_processes_that_need_the_tower_at_once_wait_for_the_one_that_makes_it(
    tiny: dict[str, Path], compiled: Compiled
) -> None:
    compiled("vit")
    encoders = [load(tiny["vit"]), load(tiny["vit"])]
    assert store.find(encoders[0].space) is None
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda encoder: encoder.encode_pixels(pixels(encoder, 2)), encoders)
    np.testing.assert_array_equal(first, second)
    assert store.find(encoders[0].space) is not None


def test_a_model_that_loses_too_much_is_refused_with_the_reason(
    tiny: dict[str, Path], compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled("vit")
    encoder = load(tiny["vit"])
    store.record_failure(encoder.space, "its vectors lose too much in 8 bits")

    def refused(*_: object) -> None:
        raise AssertionError("it is not tried again")

    monkeypatch.setattr(RuntimeEncoder, "compile_in_process", refused)
    with pytest.raises(DeviceUnavailable, match="lose too much"):
        encoder.encode_pixels(pixels(encoder, 1))
    assert "lose too much" in describe_int8(encoder)["runtime"]


def test_losses_are_those_of_a_small_example() -> None:
    exact = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
    rounded = np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32)
    captions = np.array([[1, 0], [0, 1], [0.8, 0.6]], np.float32)
    loss = measure_loss(exact, rounded, captions)
    assert loss.mean_cosine == pytest.approx((1 + 0.96 + 1) / 3)
    assert loss.worst_cosine == pytest.approx(0.96)
    assert loss.same_neighbour == pytest.approx(2 / 3)  # the second one is nearer to the third now
    assert loss.same_answer == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "message"),
    [("mini?precision=int8", "mini has no other precision"), ("{vit}?precision=int4", "ask for int8 only")],
)
def test_other_precisions_are_refused(name: str, message: str, tiny: dict[str, Path]) -> None:
    with pytest.raises(DeviceUnavailable, match=message):
        registry.load(name.format(**tiny))


@pytest.mark.parametrize("runtime", ["onnx", "torch"])
def test_only_openvino_runs_it(runtime: str, tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_RUNTIME", runtime)
    with pytest.raises(DeviceUnavailable, match="only OpenVINO runs"):
        load(tiny["vit"])


def test_the_missing_extra_is_named(tiny: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_RUNTIME", "auto")
    monkeypatch.setattr(openvino_encoder, "is_installed", lambda: False)
    with pytest.raises(ExtraMissing, match=r"sightline\[openvino\]"):
        load(tiny["vit"])


def test_its_name_is_described_like_that_of_the_model(tiny: dict[str, Path]) -> None:
    plain, described = describe_model(str(tiny["vit"])), describe_model(f"{tiny['vit']}?precision=int8")
    assert described == replace(plain, name=f"{plain.name}?precision=int8")
