"""CLIPSeg maps equal those of transformers, for a tiny model with random weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.errors import BadVectors, CheckpointIsSegmenter, InvalidQuery, ModelUnavailable
from encoders import registry
from encoders.clipseg import CLIPSegSegmenter, has_segmenter, load_segmenter, segmenter_folder
from encoders.placement import Placement
from encoders.prompts import PicturePrompt, Prompt, TextPrompt, VectorPrompt, render_prompt
from encoders.segmenter import Segmenter, resized

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

EXACT = Placement("cpu", "fp32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.support.tiny_clipseg import tiny_clipseg

    return tiny_clipseg(tmp_path_factory.mktemp("models") / "tiny-clipseg")


@pytest.fixture(scope="module")
def segmenter(folder: Path) -> CLIPSegSegmenter:
    return CLIPSegSegmenter(folder, placement=EXACT)


@pytest.fixture(scope="module")
def image() -> Image.Image:
    noise = np.random.default_rng(7).integers(0, 255, (9, 13, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((65, 45), Image.Resampling.BICUBIC)


def reference(folder: Path, image: Image.Image, count: int, **conditions: Any) -> NDArray[np.float32]:
    """Return the logits of the model and processor of transformers, called as in their documentation."""
    processor = transformers.CLIPSegProcessor.from_pretrained(folder)
    model = transformers.CLIPSegForImageSegmentation.from_pretrained(folder).eval()
    embeddings = conditions.pop("conditional_embeddings", None)
    inputs = processor(images=[image] * count, return_tensors="pt", padding=True, **conditions)
    with torch.no_grad():
        logits = model(**inputs, conditional_embeddings=embeddings).logits
    return np.asarray(logits.reshape(count, *logits.shape[-2:]).numpy())


def test_text_prompts_of_different_length_equal_the_reference(
    segmenter: CLIPSegSegmenter, folder: Path, image: Image.Image
) -> None:
    texts = ["a cat", "a remote control", "x"]
    maps = segmenter.segment(image, [TextPrompt(text) for text in texts])
    expected = torch.sigmoid(
        torch.nn.functional.interpolate(
            torch.from_numpy(reference(folder, image, 3, text=texts))[:, None], (45, 65), mode="bilinear"
        )
    )[:, 0]
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps, expected, atol=1e-5)
    assert np.abs(maps[0] - maps[1]).max() > 0.01  # prompts matter, or the comparison would say little
    assert maps.std() > 0.01


@pytest.mark.parametrize("box", [None, (10, 5, 30, 20)])
def test_picture_prompts_equal_the_reference(
    segmenter: CLIPSegSegmenter, folder: Path, image: Image.Image, box: tuple[int, int, int, int] | None
) -> None:
    prompt = PicturePrompt(image.rotate(90, expand=True), box=box)
    logits = segmenter.forward(image, [prompt])
    np.testing.assert_allclose(logits, reference(folder, image, 1, visual_prompt=[render_prompt(prompt)]), atol=1e-4)


def test_vector_prompts_equal_the_reference(segmenter: CLIPSegSegmenter, folder: Path, image: Image.Image) -> None:
    vectors = np.random.default_rng(1).standard_normal((2, 16)).astype(np.float32)
    logits = segmenter.forward(image, [VectorPrompt(vector) for vector in vectors])
    expected = reference(folder, image, 2, conditional_embeddings=torch.from_numpy(vectors))
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_mixed_prompts_equal_single_ones(segmenter: CLIPSegSegmenter, image: Image.Image) -> None:
    prompts: list[Prompt] = [TextPrompt("a"), PicturePrompt(image), VectorPrompt(np.ones(16, np.float32))]
    together = segmenter.segment(image, prompts)
    for prompt, expected in zip(prompts, together, strict=True):
        np.testing.assert_allclose(segmenter.segment(image, [prompt])[0], expected, atol=1e-5)


def test_long_texts_are_truncated_to_the_context(segmenter: CLIPSegSegmenter, image: Image.Image) -> None:
    # Each letter of a word is one token here; two more stand at the ends.
    assert segmenter.count_tokens("abc de") == 7
    assert segmenter.count_tokens("x" * 200) == 202
    long, cut = segmenter.segment(image, [TextPrompt("x " * 200), TextPrompt("x " * 75)])
    np.testing.assert_allclose(long, cut, atol=1e-6)


def test_a_vector_of_another_space_is_refused(segmenter: CLIPSegSegmenter, image: Image.Image) -> None:
    with pytest.raises(InvalidQuery, match="have 16 numbers, not 5"):
        segmenter.segment(image, [VectorPrompt(np.ones(5, np.float32))])


def test_bf16_maps_are_close(folder: Path, segmenter: CLIPSegSegmenter, image: Image.Image) -> None:
    prompts = [TextPrompt("a cat")]
    short = CLIPSegSegmenter(folder, placement=Placement("cpu", "bf16")).segment(image, prompts)
    assert np.abs(short - segmenter.segment(image, prompts)).mean() < 0.05


def test_a_pulled_segmenter_is_loaded_by_its_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path))
    assert segmenter_folder("CIDAS/x") == tmp_path / "CIDAS--x"
    assert not has_segmenter("CIDAS/x")
    with pytest.raises(ModelUnavailable, match="its files in") as caught:
        load_segmenter("CIDAS/x")
    assert caught.value.pull == "CIDAS/x"
    (tmp_path / "CIDAS--x").symlink_to(folder)
    assert has_segmenter("CIDAS/x")
    assert load_segmenter("CIDAS/x", EXACT).name == "CIDAS/x"
    assert load_segmenter(str(folder), EXACT).count_tokens("a") == 3


def test_a_segmenter_cannot_be_loaded_as_an_encoder(folder: Path) -> None:
    with pytest.raises(CheckpointIsSegmenter, match="segmentation model"):
        registry.load(str(folder))


def test_a_partly_downloaded_segmenter_is_not_available(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`auto` does not use it; requesting it by name tells what is missing."""
    import shutil

    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path))
    half = Path(shutil.copytree(folder, tmp_path / "CIDAS--x"))
    (half / ".partial").mkdir()
    assert not has_segmenter("CIDAS/x")
    with pytest.raises(ModelUnavailable, match="some are missing") as caught:
        load_segmenter("CIDAS/x")
    assert caught.value.pull == "CIDAS/x"
    (half / ".partial").rmdir()
    assert has_segmenter("CIDAS/x")


@pytest.mark.parametrize("damage", ["no weights", "cut weights", "lost weights", "no tokenizer"])
def test_a_damaged_folder_is_reported(folder: Path, image: Image.Image, tmp_path: Path, damage: str) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    weights = broken / "model.safetensors"
    if damage == "no weights":
        weights.unlink()
    elif damage == "cut weights":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "lost weights":
        save_file(dict(list(load_file(weights).items())[3:]), weights, metadata={"format": "pt"})
    else:
        for name in ("tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json"):
            (broken / name).unlink(missing_ok=True)
    with pytest.raises(ModelUnavailable, match="broken"):
        CLIPSegSegmenter(broken, placement=EXACT).segment(image, [TextPrompt("a cat")])


class Careless(Segmenter):
    """Returns the given logits."""

    def __init__(self, logits: NDArray[np.float32]) -> None:
        super().__init__(name="careless")
        self.logits = logits

    def forward(self, image: Image.Image, prompts: Sequence[Prompt]) -> NDArray[np.float32]:  # noqa: ARG002
        return self.logits


@pytest.mark.parametrize(
    "logits", [np.zeros((2, 4, 4)), np.zeros((4, 4)), np.full((1, 4, 4), np.nan)], ids=["too many", "flat", "nan"]
)
def test_invalid_segmenter_outputs_are_refused(logits: NDArray[np.float32], image: Image.Image) -> None:
    with pytest.raises(BadVectors, match="careless"):
        Careless(logits).segment(image, [TextPrompt("a")])


def test_extreme_logits_become_probabilities() -> None:
    logits = np.array([[[-1e9, 1e9], [0, 0]]], np.float32)
    maps = Careless(logits).segment(Image.new("RGB", (2, 2)), [TextPrompt("a")])
    assert maps.tolist() == [[[0, 1], [0.5, 0.5]]]


def test_interpolation_equals_torch() -> None:
    grid = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)
    for size in ((50, 30), (7, 4), (5, 3)):
        expected = torch.nn.functional.interpolate(torch.from_numpy(grid)[None, None], size[::-1], mode="bilinear")[
            0, 0
        ]
        np.testing.assert_allclose(resized(grid, size), expected, atol=1e-6)
