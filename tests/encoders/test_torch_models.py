"""Models of PyTorch, read from disk as users have them, give what open_clip and transformers give directly."""

import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load, load_file, save_file

from encoders import registry
from encoders.base import Encoder
from encoders.placement import Placement
from sightline.errors import BadCheckpoint, DeviceUnavailable, ModelUnavailable, UnknownModel
from tests.models.tiny import KINDS, reference, tiny_altclip, tiny_open_clip

EXACT = Placement("cpu", "fp32")
TEXTS = ["a dog", "two cats on a sofa", "zebra"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise AssertionError("offline means offline")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("models")
    made = {kind: tiny_open_clip(base / kind, kind) for kind in KINDS}
    return {**made, "altclip": tiny_altclip(base / "altclip")}


def pixels(encoder: Encoder, count: int = 3) -> NDArray[np.uint8]:
    side = encoder.preprocess.size
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def unit(vectors: Any) -> NDArray[np.float32]:
    found: NDArray[np.float32] = torch.nn.functional.normalize(vectors.float(), dim=-1).numpy()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_are_those_of_open_clip(models: dict[str, Path], kind: str) -> None:
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    folder = models[kind]
    encoder = registry.load(str(folder), EXACT)
    direct = reference(folder)
    direct.load_state_dict(load_file(folder / "open_clip_model.safetensors"))
    text = KINDS[kind]["text_cfg"]
    length = text["context_length"]
    clean = text.get("tokenizer_kwargs", {})
    tokenizer = HFTokenizer(str(folder), length, **clean) if "hf_tokenizer_name" in text else SimpleTokenizer()
    shown = pixels(encoder)
    with torch.inference_mode():
        images = direct.encode_image(torch.from_numpy(encoder.preprocess.normalise(shown)))
        texts = direct.encode_text(tokenizer(TEXTS))
    np.testing.assert_allclose(encoder.encode_pixels(shown), unit(images), atol=2e-6)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), unit(texts), atol=2e-6)
    assert encoder.logit_scale == pytest.approx(1 / 0.07)
    assert encoder.context_length == length
    assert encoder.space.model == str(folder)


def test_vectors_are_those_of_altclip(models: dict[str, Path]) -> None:
    from transformers import AltCLIPModel, AutoTokenizer

    folder = models["altclip"]
    encoder = registry.load(str(folder), EXACT)
    direct = AltCLIPModel.from_pretrained(folder).eval()
    tokens = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    shown = pixels(encoder)
    with torch.inference_mode():
        images = direct.get_image_features(torch.from_numpy(encoder.preprocess.normalise(shown))).pooler_output
        texts = direct.get_text_features(tokens.input_ids, tokens.attention_mask).pooler_output
    np.testing.assert_allclose(encoder.encode_pixels(shown), unit(images), atol=2e-6)
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), unit(texts), atol=2e-6)


@pytest.mark.parametrize(("kind", "grid"), [("vit", (4, 4)), ("resnet", (2, 2)), ("xlmr", (4, 4)), ("altclip", (4, 4))])
def test_cells_are_what_a_tower_without_its_last_attention_says(
    models: dict[str, Path], kind: str, grid: tuple[int, int]
) -> None:
    encoder = registry.load(str(models[kind]), EXACT)
    assert encoder.has_cells
    cells = encoder.encode_cells(pixels(encoder))
    assert cells.shape == (3, *grid, encoder.space.dim)
    assert np.abs(cells[0] - cells[1]).max() > 1e-4


def test_a_tower_that_pools_another_way_has_no_cells(models: dict[str, Path]) -> None:
    encoder = registry.load(str(models["siglip"]), EXACT)
    assert not encoder.has_cells
    with pytest.raises(NotImplementedError):
        encoder.encode_cells(pixels(encoder))


@pytest.mark.parametrize("kind", ["vit", "resnet", "xlmr", "altclip"])
def test_bfloat16_keeps_the_direction(models: dict[str, Path], kind: str) -> None:
    exact, short = (registry.load(str(models[kind]), Placement("cpu", precision)) for precision in ("fp32", "bf16"))
    shown = pixels(exact)
    assert (exact.encode_pixels(shown) * short.encode_pixels(shown)).sum(axis=1).min() >= 0.999
    assert (exact.encode_texts(TEXTS) * short.encode_texts(TEXTS)).sum(axis=1).min() >= 0.999


def test_the_source_language_reaches_the_tokens(models: dict[str, Path]) -> None:
    """NLLB's text is `<language> tokens </s>`: the first number of each row is the language."""
    german = registry.load(f"{models['nllb']}?lang=deu_Latn", EXACT)
    english = registry.load(str(models["nllb"]), EXACT)
    ids = [encoder._tokens(["angeln am see"])[0].tolist() for encoder in (german, english)]  # type: ignore[attr-defined]
    vocabulary = german._tokenizer.tokenizer.get_vocab()  # type: ignore[attr-defined]
    assert [row[0] for row in ids] == [vocabulary["deu_Latn"], vocabulary["eng_Latn"]]
    assert ids[0][1:] == ids[1][1:]
    with pytest.raises(ModelUnavailable, match="klingon"):
        registry.load(f"{models['nllb']}?lang=klingon", EXACT).encode_texts(["a"])


def test_a_file_of_weights_with_its_architecture(models: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="ViT-B-32:"):
        registry.load(str(models["vit"] / "open_clip_model.safetensors"))
    with pytest.raises(BadCheckpoint, match="no architecture 'ViT-Z'"):
        registry.load(f"ViT-Z:{models['vit'] / 'open_clip_model.safetensors'}")
    encoder = registry.load(f"ViT-B-32:{models['vit'] / 'open_clip_model.safetensors'}", EXACT)
    assert (encoder.space.dim, encoder.preprocess.size) == (512, 224)


def test_a_pulled_model_is_known_by_its_name(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path))
    with pytest.raises(ModelUnavailable, match="sightline models pull tiny/one") as caught:
        registry.load("tiny/one")
    assert str(tmp_path / "tiny--one") in str(caught.value)
    shutil.copytree(models["vit"], tmp_path / "tiny--one")
    encoder = registry.load("tiny/one", EXACT)
    assert encoder.space.model == "tiny/one"
    assert encoder.space.weights == registry.load(str(models["vit"])).space.weights
    with pytest.raises(UnknownModel):
        registry.load("nonsense")


def test_a_digest_changes_with_any_file_and_is_kept(models: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(models["xlmr"], tmp_path / "copy")
    before = registry.load(str(folder)).space.weights
    assert (folder / ".sightline-digests.json").is_file()
    assert registry.load(str(folder)).space.weights == before
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text() + "\n")
    assert registry.load(str(folder)).space.weights != before


def test_what_is_no_model_says_so(models: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="neither"):
        registry.load(str(tmp_path))
    with pytest.raises(ModelUnavailable, match="there is none"):
        registry.load(str(tmp_path / "absent"))
    folder = shutil.copytree(models["vit"], tmp_path / "broken")
    weights = folder / "open_clip_model.safetensors"
    state = load(weights.read_bytes())  # not mapped: the file is cut
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(BadCheckpoint):
        registry.load(str(folder), EXACT).encode_texts(["a"])
    state["visual.proj"] = torch.zeros(3, 3)
    save_file(state, weights)
    with pytest.raises(BadCheckpoint):
        registry.load(str(folder), EXACT).encode_texts(["a"])
    (folder / "open_clip_config.json").write_text("{")
    with pytest.raises(BadCheckpoint, match="cannot be read"):
        registry.load(str(folder))


def test_a_pickle_that_runs_code_is_not_run(models: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(models["vit"], tmp_path / "evil")
    (folder / "open_clip_model.safetensors").unlink()
    torch.save({"state_dict": Path("/")}, folder / "open_clip_pytorch_model.bin")  # any class but tensors
    with pytest.raises(BadCheckpoint):
        registry.load(str(folder), EXACT).encode_texts(["a"])


def test_a_model_without_its_tokenizer(models: dict[str, Path], tmp_path: Path) -> None:
    for kind in ("xlmr", "altclip"):
        folder = shutil.copytree(models[kind], tmp_path / kind)
        (folder / "tokenizer.json").unlink()
        with pytest.raises(ModelUnavailable, match="tokenizer"):
            registry.load(str(folder), EXACT).encode_texts(["a"])


def test_a_device_that_is_not_there() -> None:
    for place in (Placement("tpu9"), Placement("cpu", "int3")):
        with pytest.raises(DeviceUnavailable):
            place.resolve()


def test_a_gpu_that_is_not_used_is_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    from encoders import devices

    said: list[str] = []
    monkeypatch.delenv("SIGHTLINE_DEVICE", raising=False)
    monkeypatch.setattr(devices, "_has_gpu", lambda: True)
    monkeypatch.setattr(devices, "_cuda_fault", lambda _: "the driver is too old")
    assert str(Placement(notify=said.append).resolve().device) == "cpu"
    assert said == ["there is a GPU, but it is not used: the driver is too old. --device cpu accepts that silently"]
    monkeypatch.setenv("SIGHTLINE_DEVICE", "cpu")
    assert Placement(notify=said.append).resolve().notice is None


GALLERY = sorted((Path(__file__).parents[2] / "examples" / "gallery").glob("*/*.jpg"))[:12]


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_pixels_are_those_of_open_clips_own_transform(mode: str, interpolation: str) -> None:
    from open_clip.transform import image_transform

    from encoders.open_clip import _preprocess

    shown = {"resize_mode": mode, "interpolation": interpolation, "fill_color": 9}
    ours = _preprocess(Path(), {"image_size": 225}, shown)
    theirs = image_transform(225, False, ours.mean, ours.std, mode, interpolation, 9)
    assert GALLERY
    for file in GALLERY:
        with Image.open(file) as image:
            picture = image.convert("RGB").crop((0, 0, image.width - 3, image.height))
        found = ours.normalise(ours.pixels(picture)[None])[0]
        levels = np.abs(found - theirs(picture).numpy()) * np.asarray(ours.std)[:, None, None] * 255
        assert levels.max() < 1e-3


def test_pixels_are_those_of_transformers_processor(models: dict[str, Path]) -> None:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    ours = registry.load(str(models["altclip"])).preprocess
    theirs = CLIPImageProcessorPil.from_pretrained(models["altclip"])
    for file in GALLERY:
        with Image.open(file) as image:
            picture = image.convert("RGB").crop((0, 0, image.width - 3, image.height))
        expected = theirs(picture, return_tensors="np").pixel_values[0]
        found = ours.normalise(ours.pixels(picture)[None])[0]
        assert np.abs(found - expected).max() < 1e-4
