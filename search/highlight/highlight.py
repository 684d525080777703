"""Where in a picture something is: maps, masks, boxes and overlays for prompts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InvalidQuery, PictureError
from encoders.prompts import Prompt, as_prompts
from pictures.decode import decode
from search.highlight.coco_rle import rle
from search.highlight.engine import HighlightEngine
from search.highlight.loading import load_engine
from search.highlight.regions import Region, find_regions, otsu

__all__ = ["FOUND", "Highlight", "Threshold", "each_highlight", "highlight", "open_whole"]

FOUND = 0.5
"""A map's value from which something counts as found: as likely as not for a segmenter, and more surprising than most
everyday things for relevance."""

Threshold: TypeAlias = float | Literal["otsu"]


@dataclass(frozen=True, eq=False)
class Highlight:
    """What was found in one picture for one prompt."""

    prompt: Prompt
    engine: str
    """`segment` or `relevance`."""
    model: str
    map: NDArray[np.float32]
    """(H, W) in 0..1, pixel by pixel over the upright picture."""
    threshold: float
    mask: NDArray[np.bool_]
    """(H, W), where the map reaches the threshold, without specks."""
    regions: tuple[Region, ...]
    """The connected parts of the mask, the one with the highest value first; empty when nothing was found."""

    @property
    def score(self) -> float:
        """The highest value of the map."""
        return float(self.map.max())

    @property
    def area(self) -> float:
        """The share of the picture that the mask covers."""
        return float(self.mask.mean())

    def as_record(self) -> dict[str, object]:
        """What JSON says of it. Boxes and the mask are in COCO's forms: [left, top, width, height], and run lengths."""
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
            "segmentation": rle(self.mask),
        }


def highlight(
    image: Image.Image | Path | str,
    prompts: Sequence[Prompt | str] | str,
    engine: HighlightEngine | None = None,
    threshold: Threshold = FOUND,
) -> list[Highlight]:
    """Where `image` (a file, or a picture that is upright and in sRGB) shows what each prompt asks for.

        for found in highlight("beach.jpg", ["a dog", "a red kite"]):
            print(found.prompt.title, found.score, [region.box for region in found.regions])

    `engine` is `load_engine()` unless given. `threshold` is a value of the map or "otsu", which divides each map in two
    wherever it can best be divided: use that only for what is known to be there. Raises `InvalidQuery` for a picture
    that cannot be read and a prompt that cannot be asked, and as the engine does.
    """
    picture = image if isinstance(image, Image.Image) else open_whole(image)
    return list(each_highlight(picture, as_prompts(prompts), engine or load_engine(), threshold))


def each_highlight(
    image: Image.Image, prompts: Sequence[Prompt], engine: HighlightEngine, threshold: Threshold = FOUND
) -> Iterator[Highlight]:
    """As `highlight`, for prompts that are ready, one after the other."""
    if threshold != "otsu" and not 0 <= threshold <= 1:
        raise InvalidQuery(f"a threshold is a value of the map, from 0 to 1, not {threshold}")
    for prompt, values in zip(prompts, engine.maps(image, prompts), strict=True):
        level = otsu(values) if threshold == "otsu" else threshold
        mask, regions = find_regions(values, level)
        yield Highlight(prompt, engine.name, engine.model, values, level, mask, regions)


def open_whole(path: Path | str) -> Image.Image:
    """The picture at `path` at its full size, upright and in sRGB. Raises `InvalidQuery` when it cannot be read."""
    try:
        return decode(Path(path).read_bytes()).image
    except OSError as exc:
        raise InvalidQuery(f"{path}: {exc.strerror or exc}") from exc
    except PictureError as exc:
        raise InvalidQuery(f"{path}: {exc.detail}") from exc
