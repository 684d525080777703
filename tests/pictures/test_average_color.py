"""The average colour, computed by hand."""

from PIL import Image

from pictures.average_color import average_color


def test_one_colour_is_its_own_average() -> None:
    assert average_color(Image.new("RGB", (7, 3), (255, 128, 1))) == 0xFF8001


def test_average_weighs_every_pixel() -> None:
    image = Image.new("RGB", (4, 1), (200, 0, 0))
    image.putpixel((3, 0), (0, 0, 100))
    assert average_color(image) == 0x960019  # 600 / 4 and 100 / 4
