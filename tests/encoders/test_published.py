"""Values that the reference implementations publish for real weights (`sightline models pull`).

They are those of transformers' own tests of CLIP, AltCLIP and CLIPSeg (tests/models/*/test_modeling_*.py), on photo
39769 of COCO's validation set: two cats. `pytest -m weights` runs them. `SIGHTLINE_WEIGHTS` names the folder of models,
if it is not the usual one; missing models are downloaded.
"""

import os
from collections.abc import Sequence
from urllib.request import urlopen

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from encoders import registry
from encoders.base import Encoder
from encoders.placement import Placement
from encoders.prompts import TextPrompt

pytestmark = pytest.mark.weights

EXACT = Placement("cpu", "fp32")
CATS = "http://images.cocodataset.org/val2017/000000039769.jpg"


@pytest.fixture(autouse=True)
def models(own_library: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real weights are large: use the usual models folder instead of a temporary one."""
    monkeypatch.setenv("SIGHTLINE_MODELS", os.environ["SIGHTLINE_WEIGHTS"])


@pytest.fixture(scope="module")
def cats(tmp_path_factory: pytest.TempPathFactory) -> Image.Image:
    file = tmp_path_factory.mktemp("photos") / "cats.jpg"
    with urlopen(CATS, timeout=60) as answer:
        file.write_bytes(answer.read())
    return Image.open(file).convert("RGB")


def here(name: str) -> str:
    """Pull the model `name`, unless it is installed, and return its name."""
    from encoders.hub import make_plan, pull, read_manifest, resolve
    from encoders.hub.manifest import model_folder
    from tests.encoders.hub.test_pull import Watching

    if read_manifest(model_folder(name)) is None:
        pull(make_plan(resolve(name)), Watching())
    return name


def logits(encoder: Encoder, image: Image.Image, texts: Sequence[str]) -> NDArray[np.float32]:
    assert encoder.logit_scale is not None
    found: NDArray[np.float32] = encoder.logit_scale * encoder.encode_images([image])[0] @ encoder.encode_texts(texts).T
    return found


@pytest.mark.parametrize("name", ["openai/clip-vit-base-patch32", "ViT-B-32/openai"])
def test_openai_clip_logits_equal_the_published_ones(name: str, cats: Image.Image) -> None:
    """The same weights are read by transformers and by open_clip."""
    found = logits(registry.load(here(name), EXACT), cats, ["a photo of a cat", "a photo of a dog"])
    np.testing.assert_allclose(found, [24.5701, 19.3049], atol=2e-2)


def test_altclip_probabilities_equal_the_published_ones(cats: Image.Image) -> None:
    found = logits(registry.load(here("BAAI/AltCLIP"), EXACT), cats, ["一张猫的照片", "一张狗的照片"])
    chances = np.exp(found - found.max()) / np.exp(found - found.max()).sum()
    np.testing.assert_allclose(chances, [9.9942e-01, 5.7805e-04], atol=5e-3)


def test_clipseg_logits_equal_the_published_ones(cats: Image.Image) -> None:
    from encoders.clipseg import load_segmenter

    segmenter = load_segmenter(here("CIDAS/clipseg-rd64-refined"), EXACT)
    found = segmenter.forward(cats, [TextPrompt(text) for text in ("a cat", "a remote", "a blanket")])
    assert found.shape == (3, 352, 352)
    expected = [[-7.4613, -7.4785, -7.3628], [-7.3268, -7.0899, -7.1333], [-6.9838, -6.7900, -6.8913]]
    np.testing.assert_allclose(found[0, :3, :3], expected, atol=5e-2)
