"""Queries by a region of a picture."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.errors import InvalidQuery
from search import Crop, ImageInput, Part, Query, Searcher


def halves(path: Path) -> Path:
    """Red on the left, blue on the right; 40 by 20 pixels."""
    image = Image.new("RGB", (40, 20), "red")
    image.paste("blue", (20, 0, 40, 20))
    image.save(path)
    return path


@pytest.mark.parametrize(
    ("crop", "colour"),
    [("0,0,20,20", "red"), ("20,0,99,20", "blue"), ("50%,0%,50%,50%", "blue"), ("0%,0%,50%,100%", "red")],
)
def test_region_is_searched_instead_of_whole_picture(
    searcher: Searcher, tmp_path: Path, crop: str, colour: str
) -> None:
    picture = halves(tmp_path / "halves.png")
    query = Query((Part(ImageInput(picture, Crop.parse(crop))),))
    assert searcher.search(query, k=1)[0].path.stem == colour
    assert searcher.search(query, k=1)[0].score == pytest.approx(1, abs=1e-3)
    assert searcher.similar(picture, k=1, crop=Crop.parse(crop))[0].path.stem == colour


def test_region_refers_to_upright_picture(searcher: Searcher, tmp_path: Path) -> None:
    turned = Image.open(halves(tmp_path / "halves.png")).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise, back to the original
    turned.save(tmp_path / "turned.png", exif=exif)
    query = Query((Part(ImageInput(tmp_path / "turned.png", Crop.parse("0,0,20,20"))),))
    assert searcher.search(query, k=1)[0].path.stem == "red"


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,x", "1,2,3%,4", "0,0,0,5", "0,0,5,0", "-1,0,5,5", "1e999,0,1,1", "0,0,nan,1"]
)
def test_invalid_region_raises(text: str) -> None:
    with pytest.raises(InvalidQuery):
        Crop.parse(text)


@pytest.mark.parametrize("crop", ["40,0,5,5", "0,20,5,5", "100%,0%,1%,1%"])
def test_region_outside_picture_raises(searcher: Searcher, tmp_path: Path, crop: str) -> None:
    query = Query((Part(ImageInput(halves(tmp_path / "halves.png"), Crop.parse(crop))),))
    with pytest.raises(InvalidQuery, match="outside"):
        searcher.search(query)


@given(st.floats(0, 39.9), st.floats(0, 19.9), st.floats(1e-3, 100), st.floats(1e-3, 100), st.sampled_from([1, 2, 4]))
def test_region_has_at_least_one_pixel_and_is_clipped(
    x: float, y: float, width: float, height: float, scale: int
) -> None:
    image = Image.new("RGB", (40 // scale, 20 // scale))
    cut = Crop(x, y, width, height).apply(image, (40, 20))
    assert 1 <= cut.width <= image.width
    assert 1 <= cut.height <= image.height
