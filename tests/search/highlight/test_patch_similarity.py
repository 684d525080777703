"""Relevance maps of colours, worked out by hand, and of the built-in model on scenes with known masks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.pointing import patch_pointer, pointing, unseen_scenes
from core.errors import InvalidQuery, ModelUnavailable
from encoders import registry
from encoders.fake import FLOOR, FakeEncoder
from encoders.preprocess import Preprocess
from encoders.prompts import PicturePrompt, TextPrompt, VectorPrompt, as_prompts
from examples.scenes import render
from examples.scenes.kinds import SUBJECTS
from search.highlight import highlight
from search.highlight.crops import FINE_GRID, canvas_size, close_crops, merge_grids, whole_crops
from search.highlight.patch_similarity import PatchSimilarityEngine


class Cropping(FakeEncoder):
    """Crops a picture to its middle square, as CLIP does."""

    def __init__(self) -> None:
        super().__init__()
        self.preprocess = Preprocess(size=8, mean=(0, 0, 0), std=(1, 1, 1), fit="crop")


class Fine(FakeEncoder):
    """Reads patches at twice the size of vectors: 8 x 16 of them, more columns than rows."""

    @property
    def patch_preprocess(self) -> Preprocess:
        return replace(self.preprocess, size=16)

    def forward_patches(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        assert pixels.shape[1:] == (3, 16, 16)
        rows = pixels.reshape(len(pixels), 3, 8, 2, 16).mean(axis=3).transpose(0, 2, 3, 1)  # (n, 8, 16, 3)
        floor = np.full((*rows.shape[:3], 1), FLOOR, np.float32)
        return np.concatenate([np.tile(rows, 4), floor], axis=3)


def blob(size: tuple[int, int], box: tuple[int, int, int, int], colour: str = "red") -> Image.Image:
    """Return a black picture with a rectangle (left, top, width, height) of a colour."""
    image = Image.new("RGB", size)
    image.paste(Image.new("RGB", box[2:], colour), box[:2])
    return image


@pytest.mark.parametrize("make", [FakeEncoder, Cropping, Fine])
@pytest.mark.parametrize("size", [(160, 160), (640, 160), (160, 640), (641, 157)])
@pytest.mark.parametrize("corner", ["left top", "right bottom"])
def test_a_blob_is_located(make: type[FakeEncoder], size: tuple[int, int], corner: str) -> None:
    width, height = size
    left, top = (0, 0) if corner == "left top" else (width - 80, height - 80)
    (found,) = highlight(blob(size, (left, top, 80, 80)), "red", PatchSimilarityEngine(make()))
    assert found.map.shape == (height, width)
    (region,) = found.regions
    x, y = region.peak
    assert left <= x < left + 80
    assert top <= y < top + 80
    inside = found.mask[top : top + 80, left : left + 80]
    # A cell of a squashed picture of 640 pixels is 160 wide: the mask may reach as far beyond the blob.
    reach = {FakeEncoder: 160, Cropping: 40, Fine: 80}[make]
    assert inside.mean() > 0.5
    assert region.box[2] <= 80 + reach
    assert region.box[3] <= 80 + reach


def test_map_values_worked_out_by_hand() -> None:
    # The four columns of cells of every view are black or red, and so is the picture, in halves.
    values = PatchSimilarityEngine(FakeEncoder()).maps(blob((160, 160), (0, 0, 80, 160)), as_prompts(["red", "blue"]))
    red, blue = values
    assert red[:, :40].min() > 0.99
    assert red[:, 120:].max() < 0.01
    assert (np.diff(red, axis=1) <= 1e-6).all()
    assert blue.max() < 0.01


def test_absent_colours_are_not_found() -> None:
    for image in (Image.new("RGB", (100, 100)), blob((100, 100), (20, 20, 40, 40), "lime")):
        (found,) = highlight(image, "red", PatchSimilarityEngine(FakeEncoder()))
        assert found.score < 0.1
        assert found.regions == ()


def test_text_picture_and_vector_prompts_agree() -> None:
    engine = PatchSimilarityEngine(FakeEncoder())
    image = blob((96, 64), (48, 0, 48, 64))
    vector = 5 * engine.encoder.encode_texts(["red"])[0]
    prompts = (TextPrompt("red"), PicturePrompt(Image.new("RGB", (9, 9), "red")), VectorPrompt(vector))
    by_text, by_picture, by_vector = engine.maps(image, prompts)
    np.testing.assert_allclose(by_picture, by_text, atol=1e-5)
    np.testing.assert_allclose(by_vector, by_text, atol=1e-5)


def test_a_box_selects_part_of_a_picture_prompt() -> None:
    both = blob((100, 50), (0, 0, 50, 50))
    both.paste(Image.new("RGB", (50, 50), "blue"), (50, 0))
    engine = PatchSimilarityEngine(FakeEncoder())
    red, blue = engine.maps(both, [PicturePrompt(both, box=(5, 5, 40, 40)), PicturePrompt(both, box=(55, 5, 40, 40))])
    assert (red - blue)[:, :25].min() > 0 > (red - blue)[:, 75:].max()


def test_a_vector_of_another_space_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="13 numbers, not 3"):
        PatchSimilarityEngine(FakeEncoder()).maps(Image.new("RGB", (9, 9)), [VectorPrompt(np.ones(3, np.float32))])


def test_a_model_without_patch_features_is_refused() -> None:
    class Blind(FakeEncoder):
        has_patch_features = False

    with pytest.raises(ModelUnavailable, match="patch features"):
        PatchSimilarityEngine(Blind())


def test_the_map_of_a_rotated_photo_is_upright(tmp_path: Path) -> None:
    upright = blob((80, 160), (0, 0, 40, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees, clockwise, to see it upright
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "turned.jpg") as stored:
        assert stored.size == (160, 80)
    (found,) = highlight(tmp_path / "turned.jpg", "red", PatchSimilarityEngine(FakeEncoder()))
    assert found.map.shape == (160, 80)
    x, y = found.regions[0].peak
    assert x < 40
    assert y < 40


@pytest.mark.parametrize("square", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (100, 100), (300, 100), (100, 1999), (4000, 1), (1, 4000), (97, 101)])
def test_crops_cover_every_pixel(size: tuple[int, int], square: bool) -> None:
    width, height = size
    whole, closer = whole_crops(size, square=square), close_crops(size, square=square)
    for crops in (whole, closer):
        seen = np.zeros((height, width), int)
        for crop in crops:
            assert 0 <= crop.left < crop.right <= width
            assert 0 <= crop.top < crop.bottom <= height
            seen[crop.top : crop.bottom, crop.left : crop.right] += 1
        assert seen.min() >= 1
    views = [*whole, *closer]
    assert len(views) < 100
    grids = np.full((len(views), 2, 3, 3), 0.25, np.float32)
    laid = merge_grids(views, grids, size)
    assert laid.shape == (2, *canvas_size(size)[::-1])
    np.testing.assert_allclose(laid, 0.25, rtol=1e-5)


@pytest.mark.parametrize(("side", "crops"), [(FINE_GRID - 1, 5), (FINE_GRID, 1)])
def test_only_an_encoder_with_a_coarse_grid_gets_closer_crops(side: int, crops: int) -> None:
    class Counting(FakeEncoder):
        seen = 0

        def forward_patches(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
            self.seen += len(pixels)
            return np.ones((len(pixels), side, side, self.space.dim), np.float32)

    encoder = Counting()
    PatchSimilarityEngine(encoder).maps(Image.new("RGB", (80, 80)), [TextPrompt("red")])
    assert encoder.seen == crops


def test_what_all_texts_share_is_subtracted_unless_the_encoder_says_otherwise() -> None:
    class Plain(FakeEncoder):
        centre_patches = False

    picture = blob((90, 60), (0, 0, 40, 60))
    pixels = FakeEncoder().preprocess.pixels(picture)[None]
    prompts = FakeEncoder().encode_texts(["red"])
    plain, centred = PatchSimilarityEngine(Plain()), PatchSimilarityEngine(FakeEncoder())
    np.testing.assert_array_equal(plain._concepts[0], 0)
    assert np.abs(centred._concepts[0]).max() > 0
    cosines = np.einsum("rcd,nd->nrc", Plain().encode_patches(pixels)[0], prompts)
    assert plain._similarity(picture, prompts).max() == pytest.approx(cosines.max(), abs=0.05)


def test_mini_points_as_well_as_its_plain_cosines() -> None:
    engine = PatchSimilarityEngine(registry.load("mini"))
    scenes = unseen_scenes(20)
    plain = pointing(patch_pointer(engine.encoder), scenes)
    ours = pointing(lambda image, prompts: engine.maps(image, as_prompts(prompts)), scenes)
    assert ours.rate > 0.8
    assert ours.rate > plain.rate - 0.1


def test_absent_subjects_are_rarely_found() -> None:
    engine = PatchSimilarityEngine(registry.load("mini"))
    kinds = sorted(SUBJECTS)
    there, not_there = [], []
    for number, scene in enumerate(unseen_scenes(25)):
        present = {subject.kind for subject in scene.subjects}
        absent = [kind for kind in kinds[number::25] if kind not in present][:3]
        prompts = [subject.label for subject in scene.subjects] + [f"a {kind.replace('_', ' ')}" for kind in absent]
        peaks = engine.maps(render(scene), as_prompts(prompts)).max(axis=(1, 2))
        there += peaks[: len(present)].tolist()
        not_there += peaks[len(present) :].tolist()
    assert np.mean(np.array(not_there) >= 0.5) < 0.3
    assert np.median(not_there) < 0.1
    assert np.mean(np.array(there) >= 0.5) > 0.5
