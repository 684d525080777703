"""Word recall and precision of reading text in pictures: `python -m benchmarks.text --help`.

Signs are drawn on photos of the demo gallery: a plate with one to four lines, rotated, in perspective, with sensor
noise, as JPEG. Scans are pages of paragraphs, slightly turned, with noise. Their texts are captions of the gallery. A
word counts as read if the recogniser returns it exactly; for Chinese, characters are counted.

    from benchmarks.text import measure, signs

    print(measure(load_recognizer(), signs("de", 50, size=(4000, 3000), height=0.02)))
"""

import argparse
import io
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from encoders.text_recognizer import TextRecognizer, load_recognizer
from pictures.decode import decode
from store.catalog.text_comparison import comparable, is_without_spaces

__all__ = ["Reading", "Rendered", "measure", "scans", "signs"]

GALLERY = Path(__file__).parent.parent / "examples" / "gallery"
LANGUAGES = ("en", "de", "fr", "cs", "zh", "ar")
DEJAVU = "/usr/share/fonts/truetype/dejavu"
FONTS = {
    "latin": (f"{DEJAVU}/DejaVuSans.ttf", f"{DEJAVU}/DejaVuSans-Bold.ttf", f"{DEJAVU}/DejaVuSerif.ttf"),
    "zh": (
        "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
        "/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc",
    ),
}
"""Of the Debian packages fonts-dejavu-core, fonts-wqy-zenhei and fonts-noto-cjk."""

PLATES = (("white", "black"), ("#0b3d91", "white"), ("#f5d300", "black"), ("#1b5e20", "white"), ("#b71c1c", "white"))
SIGN_JPEG_QUALITY, SCAN_JPEG_QUALITY = 85, 60


@dataclass(frozen=True)
class Rendered:
    """A picture as the bytes of a JPEG, and the words in it."""

    data: bytes
    words: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """How much of the text was read, over all pictures."""

    words: int
    recall: float
    precision: float
    seconds: float
    """Processor time of all threads per picture, decoding included."""


def signs(
    language: str, count: int, *, size: tuple[int, int], height: float, tilt: float = 8.0, seed: int = 0
) -> Iterator[Rendered]:
    """Draw pictures of `size` with a sign each. `height` is that of its letters as a share of the longest side.

    `tilt` is the largest rotation in degrees.
    """
    chooser = random.Random(seed)
    photos = sorted(GALLERY.glob("*/*.jpg"))
    for _ in range(count):
        photo = Image.open(chooser.choice(photos)).convert("RGB").resize(size, Image.Resampling.BICUBIC)
        pixels = max(round(height * max(size)), 6)
        lines = _sign_lines(language, chooser, int(0.6 * size[0] / pixels), chooser.randint(1, 4))
        plate = _plate(lines, _font(language, pixels, chooser), chooser)
        _paste(photo, plate, chooser, tilt)
        yield Rendered(_jpeg(_with_noise(photo, 4.0, chooser), SIGN_JPEG_QUALITY), _words(lines))


def scans(language: str, count: int, *, dpi: int = 300, seed: int = 0) -> Iterator[Rendered]:
    """Draw A4 pages of text of 11 points, turned by up to one degree."""
    chooser = random.Random(seed)
    width, height, pixels = round(8.27 * dpi), round(11.69 * dpi), round(11 / 72 * dpi)
    for _ in range(count):
        page = Image.new("RGB", (width, height), chooser.choice(("white", "#f4f0e4")))
        lines = _sign_lines(language, chooser, int(0.75 * width / pixels), 30)
        font, draw = _font(language, pixels, chooser), ImageDraw.Draw(page)
        for number, line in enumerate(lines):
            draw.text((0.1 * width, 0.08 * height + number * 1.7 * pixels), line, "#202020", font)
        page = page.rotate(chooser.uniform(-1, 1), Image.Resampling.BICUBIC, fillcolor=page.getpixel((0, 0)))
        yield Rendered(_jpeg(_with_noise(page, 6.0, chooser), SCAN_JPEG_QUALITY), _words(lines))


def measure(
    recognizer: TextRecognizer, pictures: Iterable[Rendered], compare: Callable[[str], str] = comparable
) -> Reading:
    """Read the pictures, and compare the words by their comparable form."""
    common = wanted = found = 0
    seconds, number = 0.0, 0
    for picture in pictures:
        started = time.process_time()
        image = decode(picture.data, shortest_side=recognizer.max_side // 2).image
        image.thumbnail((recognizer.max_side,) * 2, Image.Resampling.LANCZOS)
        read = Counter(map(compare, _words([line.text for line in recognizer.read(image)])))
        seconds, number = seconds + time.process_time() - started, number + 1
        truth = Counter(map(compare, picture.words))
        common += (read & truth).total()
        wanted, found = wanted + truth.total(), found + read.total()
    return Reading(wanted, common / max(wanted, 1), common / max(found, 1), seconds / max(number, 1))


def _words(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the words of the lines without punctuation; of a script without spaces, its characters."""
    words: list[str] = []
    for word in " ".join(lines).split():
        plain = "".join(char for char in word if char.isalnum())
        words += plain if is_without_spaces(plain[:1]) else [plain] * bool(plain)
    return tuple(words)


def _captions(language: str) -> list[str]:
    with (GALLERY / "captions.jsonl").open(encoding="utf-8") as file:
        return [entry["caption"] for entry in map(json.loads, file) if entry["lang"] == language]


def _sign_lines(language: str, chooser: random.Random, width: int, count: int) -> list[str]:
    """Return lines of about `width` times the height of their letters."""
    characters = width if language == "zh" else int(width / 0.55)
    lines = []
    for _ in range(count):
        caption = chooser.choice(_captions(language))
        if language == "zh":
            lines.append(caption[: max(characters, 2)])
            continue
        line = caption[: max(characters, 12)]
        lines.append(line.rpartition(" ")[0] or line)
    return lines


def _font(language: str, pixels: int, chooser: random.Random) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(chooser.choice(FONTS["zh" if language == "zh" else "latin"]), pixels)


def _plate(lines: Sequence[str], font: ImageFont.FreeTypeFont, chooser: random.Random) -> Image.Image:
    ground, ink = chooser.choice(PLATES)
    margin, step = round(font.size * 0.7), round(font.size * 1.4)
    width = max(round(font.getlength(line)) for line in lines) + 2 * margin
    plate = Image.new("RGBA", (width, step * len(lines) + 2 * margin), ground)
    draw = ImageDraw.Draw(plate)
    for number, line in enumerate(lines):
        draw.text((margin, margin + number * step), line, ink, font)
    return plate


def _paste(photo: Image.Image, plate: Image.Image, chooser: random.Random, tilt: float) -> None:
    """Paste the plate, in perspective and rotated, anywhere in the photo."""
    width, height = plate.size
    slant = chooser.uniform(0, 0.12) * height
    left, right = (slant, 0.0) if chooser.random() < 0.5 else (0.0, slant)
    corners = (0, left, 0, height - left, width, height - right, width, right)  # in the order of Image.QUAD
    plate = plate.transform(plate.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    plate = plate.rotate(chooser.uniform(-tilt, tilt), Image.Resampling.BICUBIC, expand=True)
    plate.thumbnail((photo.width * 0.95, photo.height * 0.95))
    left, top = chooser.randint(0, photo.width - plate.width), chooser.randint(0, photo.height - plate.height)
    photo.paste(plate, (left, top), plate)


def _with_noise(image: Image.Image, sigma: float, chooser: random.Random) -> Image.Image:
    generator = np.random.default_rng(chooser.getrandbits(32))
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(0.6)), np.float32)  # (H, W, 3)
    noise = generator.standard_normal(blurred.shape, np.float32) * sigma
    return Image.fromarray(np.clip(blurred + noise, 0, 255).astype(np.uint8))


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all languages, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text", description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=20, metavar="N", help="of each kind and language")
    parser.add_argument("--languages", nargs="+", default=LANGUAGES[:5], choices=LANGUAGES)
    parser.add_argument("--max-side", type=int, nargs="+", default=[2_000], metavar="PIXELS")
    parser.add_argument("--heights", type=float, nargs="+", default=[0.008, 0.012, 0.02, 0.04], metavar="SHARE")
    parser.add_argument("--size", type=int, nargs=2, default=(4_000, 3_000), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--scans", type=int, default=4, metavar="N", help="pages of each language")
    options = parser.parse_args(arguments)
    size = (options.size[0], options.size[1])
    print(f"{'pictures':<24}{'side':>6}{'words':>8}{'recall':>8}{'precision':>11}{'CPU s':>8}")
    for side in options.max_side:
        recognizer = load_recognizer()
        recognizer.max_side = side
        for language in options.languages:
            for height in options.heights if options.pictures else ():
                shown = signs(language, options.pictures, size=size, height=height)
                _print(f"signs {language} {100 * height:g} %", side, measure(recognizer, shown))
            if options.scans:
                _print(f"scans {language} 300 dpi", side, measure(recognizer, scans(language, options.scans)))


def _print(name: str, side: int, reading: Reading) -> None:
    counts = f"{reading.words:>8}{reading.recall:>8.3f}{reading.precision:>11.3f}{reading.seconds:>8.2f}"
    print(f"{name:<24}{side:>6}{counts}", flush=True)


if __name__ == "__main__":
    main()
