"""The pointing game on photos, by the boxes of `boxes.json`.

    python -m training.boxes --data DIR [--weights DIR] [--names]

`boxes.json` has the boxes around all instances of one or two things on each of some photos of the dev split of Flickr8k
and of ImageNet. A name is a hit if the middle of the best patch lies in one of its boxes. Patches are compared with the
vectors of the text tower alone, as for highlights (`Encoder.encode_patch_texts`), but without the sixty background
concepts. A name is found if the map of `sightline highlight` reaches `DEFAULT_THRESHOLD` at any place. Nothing of torch
is imported.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.pointing import Pointer, map_pointer, patch_pointer, peak, summary
from encoders.mini.encoder import WEIGHTS, MiniEncoder
from search.highlight import open_image
from search.highlight.highlight import DEFAULT_THRESHOLD
from search.highlight.patch_similarity import PatchSimilarityEngine

__all__ = ["LARGEST", "SMALLEST", "Box", "Boxes", "PointedName", "box_mask", "point_at", "read_boxes", "table"]

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom, as fractions of the width and the height of the upright photo."""
Boxes: TypeAlias = Mapping[str, Mapping[str, Sequence[Box]]]
"""The boxes of each name on each photo."""

SMALLEST, LARGEST = 0.02, 0.5
"""Limits of the share of a photo that the boxes of a name cover."""
_SMALL = 0.2
"""The limit of the second row of the table."""
_SIDE = 1000
"""Rows and columns of a mask. Boxes have at most three decimals."""


@dataclass(frozen=True)
class PointedName:
    """How well a name was located in a photo."""

    photo: str
    name: str
    covered: float
    """The share of the photo inside the boxes: how often a random point is a hit."""
    is_hit: bool
    is_found: bool
    """Whether a highlight is shown, anywhere in the photo."""


def read_boxes() -> dict[str, Boxes]:
    """Return the boxes on the photos of each data set, `flickr8k` and `imagenet_names`."""
    boxes: dict[str, Boxes] = json.loads((Path(__file__).parent / "boxes.json").read_text(encoding="utf-8"))
    return boxes


def box_mask(boxes: Sequence[Box]) -> NDArray[np.bool_]:
    """Return which places of a photo lie in one of `boxes`: (1000, 1000), stretched to a square."""
    mask = np.zeros((_SIDE, _SIDE), np.bool_)
    for left, top, right, bottom in np.rint(np.array(boxes) * _SIDE).astype(int):
        mask[top:bottom, left:right] = True
    return mask


def point_at(
    photos: Iterable[tuple[str, Image.Image]], boxes: Boxes, pointer: Pointer, highlighter: Pointer
) -> Iterator[PointedName]:
    """Yield every name in `boxes` on `photos`, located by the maps of `pointer` and found by those of `highlighter`."""
    for photo, image in photos:
        names = list(boxes[photo])
        grids, highlights = pointer(image, names), highlighter(image, names)  # (P, r, c), (P, H, W)
        for name, grid, values in zip(names, grids, highlights, strict=True):
            mask = box_mask(boxes[photo][name])
            is_hit = bool(mask[peak(grid, mask.shape)])
            yield PointedName(photo, name, float(mask.mean()), is_hit, bool(values.max() >= DEFAULT_THRESHOLD))


def table(pointed: Mapping[str, Sequence[PointedName]]) -> Iterator[str]:
    """Yield a Markdown table of the names of each data set: all of them, and those with small boxes."""
    yield "| data | size of the boxes | photos | names | rate | at random | found |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: |"
    for data, names in pointed.items():
        for limit in (LARGEST, _SMALL):
            if chosen := [name for name in names if name.covered <= limit]:
                yield f"| {data} | {SMALLEST:.0%} to {limit:.0%} | {_cells(chosen)} |"


def _cells(names: Sequence[PointedName]) -> str:
    """Return photos, names, rate with its interval, rate of a random point, and share of found names."""
    photos = [name.photo for name in names]
    hits = np.array([name.is_hit for name in names])
    result = summary(hits, [name.name for name in names], float(np.mean([name.covered for name in names])), photos)
    rate = f"{result.rate:.3f} ({result.interval.low:.3f}-{result.interval.high:.3f})"
    found = np.mean([name.is_found for name in names])
    return f"{len(set(photos))} | {result.subjects} | {rate} | {result.chance:.3f} | {found:.3f}"


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the training data")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--names", action="store_true", help="also print every name")
    options = parser.parse_args()
    encoder = MiniEncoder(options.weights)
    pointer, highlighter = patch_pointer(encoder), map_pointer(PatchSimilarityEngine(encoder))
    pointed: dict[str, list[PointedName]] = {}
    for data, boxes in read_boxes().items():
        folder = options.data / data / "images"
        photos = ((photo, open_image(folder / photo)) for photo in boxes)
        pointed[data] = list(point_at(photos, boxes, pointer, highlighter))
    print(*table(pointed), sep="\n")
    if options.names:
        print(*(name for names in pointed.values() for name in names), sep="\n")


if __name__ == "__main__":
    _main()
