"""The pictures of a report: each is embedded once, however often it is shown, and all together within a size.

They are SVG symbols at the end of the page, to which every place that shows a picture refers.
"""

import base64
import io
from pathlib import Path

from PIL import Image

from cli.evaluate.report.markup import element, escaped
from cli.thumbnails import thumbnail

__all__ = ["PictureSheet"]

_SIZES = ((200, 80), (160, 75), (120, 70), (96, 60), (64, 50), (40, 40))
"""The longer side in pixels and the JPEG quality of a thumbnail, from about twice its size on the page downwards."""


class PictureSheet:
    """Collects the pictures of a page, as thumbnails."""

    def __init__(self) -> None:
        self._numbers: dict[Path, int] = {}
        self._jpegs: list[bytes | None] = []

    def show(self, path: Path) -> str:
        """Return the element that shows a picture; empty if the file cannot be read."""
        number = self._numbers.setdefault(path, len(self._jpegs))
        if number == len(self._jpegs):
            self._jpegs.append(_encoded(thumbnail(path, _SIZES[0][0]), _SIZES[0][1]))
        if self._jpegs[number] is None:
            return ""
        use = element("use", href=f"#picture-{number}", width="100%", height="100%")
        return element("svg", element("title", escaped(path.name)), use, class_="picture", role="img")

    def symbols(self, limit: int) -> str:
        """Return the elements with the pictures, which are smaller if they would have more than `limit` bytes."""
        symbols: list[str] = []
        for side, quality in _SIZES:
            sizes = [None if jpeg is None else _reduced(jpeg, side, quality) for jpeg in self._jpegs]
            symbols = [_symbol(number, jpeg) for number, jpeg in enumerate(sizes) if jpeg is not None]
            if sum(map(len, symbols)) <= limit:
                break
        return element("svg", *symbols, class_="sheet", aria_hidden="true")


def _symbol(number: int, jpeg: bytes) -> str:
    with Image.open(io.BytesIO(jpeg)) as image:
        width, height = image.size
    data = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return element(
        "symbol",
        element("image", href=data, width=width, height=height),
        id=f"picture-{number}",
        viewBox=f"0 0 {width} {height}",
        preserveAspectRatio="xMidYMid slice",
    )


def _reduced(jpeg: bytes, side: int, quality: int) -> bytes:
    if (side, quality) == _SIZES[0]:
        return jpeg
    with Image.open(io.BytesIO(jpeg)) as image:
        image.thumbnail((side, side))
        return _encoded(image, quality) or jpeg


def _encoded(image: Image.Image | None, quality: int) -> bytes | None:
    if image is None:
        return None
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
