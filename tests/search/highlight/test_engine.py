"""Choosing an engine: the named one, else an installed segmenter, else the patch features of an encoder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.errors import InvalidQuery, ModelUnavailable, UnknownModel
from encoders.prompts import Prompt, TextPrompt
from encoders.segmenter import Segmenter
from search.highlight import highlight, load_engine
from search.highlight.engine import SegmentationEngine
from search.highlight.patch_similarity import PatchSimilarityEngine

RED = Image.new("RGB", (20, 10), "red")


class Stripes(Segmenter):
    """Finds everything in the left half; reads four tokens, one per letter."""

    def __init__(self) -> None:
        super().__init__(name="stripes", context_length=4)

    def count_tokens(self, text: str) -> int:
        return len(text)

    def forward(self, image: Image.Image, prompts: Sequence[Prompt]) -> NDArray[np.float32]:  # noqa: ARG002
        return np.tile(np.array([[9, -9]], np.float32), (len(prompts), 1, 1))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The models folder, which is empty."""
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def installed(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")


def test_auto_uses_the_built_in_model_without_a_segmenter(models: Path) -> None:
    engine = load_engine()
    assert isinstance(engine, PatchSimilarityEngine)
    assert (engine.name, engine.model) == ("relevance", "mini")


def test_auto_uses_an_installed_segmenter(models: Path) -> None:
    installed(models / "CIDAS--clipseg-rd64-refined")
    assert (load_engine().name, load_engine().model) == ("segment", "CIDAS/clipseg-rd64-refined")
    assert load_engine(model="fake").model == "fake"  # unless a model was named
    assert load_engine("relevance").model == "mini"


def test_a_named_segmenter_is_used(models: Path, tmp_path: Path) -> None:
    installed(tmp_path / "mine")
    assert load_engine(segmenter=str(tmp_path / "mine")).model == str(tmp_path / "mine")
    with pytest.raises(ModelUnavailable, match="CIDAS/other"):
        load_engine(segmenter="CIDAS/other")
    with pytest.raises(ModelUnavailable, match="clipseg-rd64-refined"):
        load_engine("segment")
    with pytest.raises(UnknownModel):
        load_engine(model="none-such")


def test_segmentation_engine_returns_the_maps_of_its_segmenter() -> None:
    engine = SegmentationEngine(Stripes())
    (found,) = highlight(RED, "x", engine)
    assert (found.engine, found.model) == ("segment", "stripes")
    assert found.map.shape == (10, 20)
    assert found.regions[0].box == (0, 0, 10, 10)
    assert (engine.truncation_limit("abcd"), engine.truncation_limit("abcde")) == (None, 4)


def test_otsu_finds_a_region_in_every_map() -> None:
    class Faint(Stripes):
        def forward(self, image: Image.Image, prompts: Sequence[Prompt]) -> NDArray[np.float32]:
            return np.asarray(super().forward(image, prompts) / 9 - 3, dtype=np.float32)

    engine = SegmentationEngine(Faint())
    assert highlight(RED, "x", engine)[0].regions == ()
    (found,) = highlight(RED, "x", engine, threshold="otsu")
    (region,) = found.regions
    assert region.box[0] == 0
    assert 5 <= region.box[2] <= 12  # somewhere in the slope between the halves
    assert found.threshold < 0.5


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_outside_the_map_is_refused(threshold: float) -> None:
    with pytest.raises(InvalidQuery, match="from 0 to 1"):
        highlight(RED, "x", SegmentationEngine(Stripes()), threshold=threshold)


def test_prompts_of_several_kinds() -> None:
    titles = [found.prompt.title for found in highlight(RED, ["a", TextPrompt("b")], SegmentationEngine(Stripes()))]
    assert titles == ["a", "b"]
    with pytest.raises(InvalidQuery):
        highlight(RED, [], SegmentationEngine(Stripes()))
