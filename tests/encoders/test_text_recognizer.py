"""What every recogniser guarantees: lines within the picture, and long pictures in parts. And the real one."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from core.text_lines import Corners, TextLine
from encoders.rapidocr_recognizer import in_reading_order, merged
from encoders.text_recognizer import TextRecognizer, load_recognizer

WHOLE: Corners = (0, 0, 1, 0, 1, 1, 0, 1)


class Scripted(TextRecognizer):
    """Returns given lines, and notes the sizes of the pictures that it gets."""

    def __init__(self, *lines: TextLine, max_side: int = 100) -> None:
        super().__init__(name="scripted", version="1", max_side=max_side)
        self.lines = lines
        self.sizes: list[tuple[int, int]] = []

    def find_lines(self, image: Image.Image) -> Sequence[TextLine]:
        self.sizes.append(image.size)
        return self.lines


class BlackLines(TextRecognizer):
    """Finds the black rows of a picture, each a line named after its position within the part."""

    def __init__(self) -> None:
        super().__init__(name="rows", version="1", max_side=100)

    def find_lines(self, image: Image.Image) -> Sequence[TextLine]:
        rows = np.flatnonzero((np.asarray(image.convert("L")) < 128).all(axis=1))
        height = image.height
        return [
            TextLine(f"{row}", 1.0, (0, row / height, 1, row / height, 1, (row + 1) / height, 0, (row + 1) / height))
            for row in rows.tolist()
        ]


def test_invalid_lines_are_left_out_and_numbers_are_limited() -> None:
    lines = (
        TextLine("good", 1.2, (-0.5, 0, 1.5, 0, 1, 1, 0, 1)),
        TextLine("  ", 1.0, WHOLE),
        TextLine("nan", math.nan, WHOLE),
        TextLine("infinite", 1.0, (math.inf, *WHOLE[1:])),
    )
    assert Scripted(*lines).read(Image.new("RGB", (50, 50))) == (TextLine("good", 1.0, WHOLE),)


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        ((80, 60), [(80, 60)]),
        ((400, 200), [(100, 50)]),
        ((300, 400), [(75, 100)]),
        ((400, 20), [(100, 20)] * 5),
        ((50, 500), [(50, 100)] * 6),
    ],
)
def test_pictures_are_reduced_and_long_ones_are_cut(size: tuple[int, int], sizes: list[tuple[int, int]]) -> None:
    recognizer = Scripted()
    recognizer.read(Image.new("RGB", size))
    assert recognizer.sizes == sizes


def test_lines_of_a_long_picture_are_found_once_at_their_place() -> None:
    picture = Image.new("RGB", (40, 950), "white")
    rows = [0, 79, 80, 81, 99, 100, 480, 481, 949]
    for row in rows:
        picture.paste("black", (0, row, 40, row + 1))
    lines = BlackLines().read(picture)
    assert [round(line.corners[1] * 950) for line in lines] == rows


def box(text: str, left: float, top: float, right: float, bottom: float, confidence: float = 0.9) -> TextLine:
    return TextLine(text, confidence, (left, top, right, top, right, bottom, left, bottom))


def test_of_two_lines_at_one_place_the_longer_one_is_kept() -> None:
    whole, part, other = (
        box("Platform 9", 0.1, 0.1, 0.5, 0.2),
        box("form", 0.3, 0.11, 0.4, 0.19),
        box("x", 0, 0.5, 1, 0.6),
    )
    assert merged([part, other], [whole]) == [whole, other]
    touching = box("below", 0.1, 0.19, 0.5, 0.29)
    assert merged([whole], [touching]) == [whole, touching]


def test_lines_are_read_by_rows() -> None:
    lines = [box(text, *place) for text, place in {
        "d": (0.6, 0.32, 0.9, 0.4), "a": (0.1, 0.1, 0.4, 0.2), "c": (0.1, 0.3, 0.5, 0.4), "b": (0.5, 0.12, 0.9, 0.19),
    }.items()]  # fmt: skip
    assert [line.text for line in in_reading_order(lines)] == ["a", "b", "c", "d"]


def sign(text: str, font: str, angle: float = 0) -> Image.Image:
    picture = Image.new("RGB", (900, 700), "#7a9")
    ImageDraw.Draw(picture).rectangle((100, 200, 800, 360), "white")
    ImageDraw.Draw(picture).text((140, 235), text, "black", ImageFont.truetype(font, 70))
    return picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor="#7a9")


@pytest.mark.slow
@pytest.mark.parametrize(("angle", "middle"), [(0, (0.35, 0.39)), (8, (0.34, 0.42)), (180, (0.65, 0.61))])
def test_rapidocr_reads_a_sign(angle: float, middle: tuple[float, float]) -> None:
    pytest.importorskip("rapidocr")
    matplotlib = pytest.importorskip("matplotlib")
    font = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    (line,) = load_recognizer().read(sign("Platform 9", str(font), angle))
    assert line.text == "Platform 9"
    assert line.confidence > 0.9
    assert (sum(line.corners[0::2]) / 4, sum(line.corners[1::2]) / 4) == pytest.approx(middle, abs=0.03)


@pytest.mark.slow
def test_rapidocr_reads_nothing_in_a_plain_picture() -> None:
    pytest.importorskip("rapidocr")
    for size in ((1, 1), (3, 400), (640, 480)):
        assert load_recognizer().read(Image.new("RGB", size, "red")) == ()
