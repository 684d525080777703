"""Where in a picture something is: maps, masks and boxes for prompts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InvalidQuery, PictureError
from core.frames import FIRST_FRAME
from core.object_paths import object_path
from core.root_files import open_file
from encoders.prompts import Prompt, as_prompts
from pictures.decode import decode
from search.highlight.engine import HighlightEngine, load_engine
from search.highlight.regions import Region, encode_rle, find_regions, otsu_threshold

__all__ = ["DEFAULT_THRESHOLD", "Highlight", "Threshold", "highlight", "iter_highlights", "open_image"]

DEFAULT_THRESHOLD = 0.5
"""The value of a map from which something counts as found.

For a segmentation model it is a probability; for relevance, it is above the peaks of most everyday things.
"""

Threshold: TypeAlias = float | Literal["otsu"]


@dataclass(frozen=True, eq=False)
class Highlight:
    """Where in one picture one prompt was found."""

    prompt: Prompt
    engine: str
    """`segment` or `relevance`."""
    model: str
    map: NDArray[np.float32]
    """(H, W) in 0..1, for each pixel of the upright picture."""
    threshold: float
    mask: NDArray[np.bool_]
    """(H, W), where the map reaches the threshold, without specks."""
    regions: tuple[Region, ...]
    """The connected parts of the mask, the one with the highest value first; empty if nothing was found."""

    @property
    def score(self) -> float:
        """The highest value of the map."""
        return float(self.map.max())

    @property
    def area(self) -> float:
        """The fraction of the picture that the mask covers."""
        return float(self.mask.mean())

    def as_record(self) -> dict[str, object]:
        """Return a JSON object. Boxes are [left, top, width, height], and the mask has run lengths, as in COCO."""
        return {
            "prompt": self.prompt.title,
            "engine": self.engine,
            "model": self.model,
            "score": self.score,
            "threshold": self.threshold,
            "area": self.area,
            "boxes": [list(region.box) for region in self.regions],
            "scores": [region.score for region in self.regions],
            "peaks": [list(region.peak) for region in self.regions],
            "segmentation": encode_rle(self.mask),
        }


def highlight(
    image: Image.Image | Path | str,
    prompts: Sequence[Prompt | str] | str,
    engine: HighlightEngine | None = None,
    threshold: Threshold = DEFAULT_THRESHOLD,
    *,
    frame: int = FIRST_FRAME,
) -> list[Highlight]:
    """Return where `image` (a file, or a picture that is upright and in sRGB) shows each prompt.

        for found in highlight("beach.jpg", ["a dog", "a red kite"]):
            print(found.prompt.title, found.score, [region.box for region in found.regions])

    `frame` is the number of a page or a moment of a file that has several, from 0. `engine` is `load_engine()` by
    default. `threshold` is a value of the map, or "otsu", which separates each map into
    two classes: use it only for things that are known to be in the picture. Raises `InvalidQuery` for an unreadable
    picture or an invalid prompt, and the exceptions of the engine.
    """
    picture = image if isinstance(image, Image.Image) else open_image(image, frame)
    return list(iter_highlights(picture, as_prompts(prompts), engine or load_engine(), threshold))


def iter_highlights(
    image: Image.Image, prompts: Sequence[Prompt], engine: HighlightEngine, threshold: Threshold = DEFAULT_THRESHOLD
) -> Iterator[Highlight]:
    """Yield a highlight for each prompt, as `highlight` returns them."""
    if threshold != "otsu" and not 0 <= threshold <= 1:
        raise InvalidQuery(f"The threshold {threshold} is not a value of a map, from 0 to 1.")
    for prompt, values in zip(prompts, engine.maps(image, prompts), strict=True):
        level = otsu_threshold(values) if threshold == "otsu" else threshold
        mask, regions = find_regions(values, level)
        yield Highlight(prompt, engine.name, engine.model, values, level, mask, regions)


def open_image(path: Path | str, frame: int = FIRST_FRAME) -> Image.Image:
    """Return a frame of the picture at `path` at its full size, upright and in sRGB.

    Raises `InvalidQuery` if the file is unreadable or has no such frame.
    """
    path = object_path(path) or Path(path)
    try:
        with open_file(path) as file:
            return decode(file, frame=frame).image
    except OSError as exc:
        raise InvalidQuery(f"{path}: {exc.strerror or exc}") from exc
    except PictureError as exc:
        raise InvalidQuery(f"{path}: {exc.detail}") from exc
