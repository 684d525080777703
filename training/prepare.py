"""Decode every picture once.

    python -m training.prepare --data DIR --out runs/prepared

For each set of pictures it writes `pixels.npy` (N, S, S, 3) uint8 and `names.json`. The sets `train` (photos with
captions), `scenes` (rendered, with captions) and `extra` (photos without captions) are squares of 224 pixels, a little
larger than the crops; `dev` has the size of inference.
"""

import argparse
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training import corpora
from training.pixels import PREPROCESS
from training.progress import fill
from training.scenes import FIRST_SEED, scene_names, scene_pictures

__all__ = ["SIDE", "Photos", "Scenes", "prepare"]

SIDE = 224
"""Side of the squares in pixels."""
_CHUNK = 500
_log = logging.getLogger("sightline.training")


@dataclass(frozen=True)
class Photos:
    """Photos in files; they are named by their path from `data`."""

    data: Path
    paths: Sequence[Path]

    @property
    def names(self) -> list[str]:
        """The names of all pictures. Photos of Flickr8k have their file name, as captions do."""
        flickr = self.data / "flickr8k" / "images"
        return [path.name if path.parent == flickr else str(path.relative_to(self.data)) for path in self.paths]

    def open(self, rows: range) -> Iterator[Image.Image]:
        """Decode some of them."""
        for row in rows:
            with Image.open(self.paths[row]) as image:
                yield image.convert("RGB")


@dataclass(frozen=True)
class Scenes:
    """Rendered scenes."""

    names: list[str]

    def open(self, rows: range) -> Iterator[Image.Image]:
        """Render some of them."""
        return (image for _, image in scene_pictures(len(rows), FIRST_SEED + rows.start))


def prepare(source: Photos | Scenes, side: int, out: Path) -> None:
    """Write the squares and names of all pictures of `source` into the folder `out`."""
    names = source.names

    def squares(rows: range) -> Iterator[tuple[str, NDArray[np.generic]]]:
        yield "pixels", np.stack([_square(image, side) for image in source.open(rows)])

    for done in fill(out, names, {"pixels": ((side, side, 3), np.uint8)}, len(names), _CHUNK, squares):
        _log.info("%s: %d of %d", out.name, done, len(names))
    (out / "names.json").write_text(json.dumps(names))


def _square(image: Image.Image, side: int) -> NDArray[np.uint8]:
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/prepared"))
    parser.add_argument("--scenes", type=int, default=6000, help="rendered scenes")
    parser.add_argument("--limit", type=int, help="use only this many pictures of each set, to try the recipe")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    data, limit = options.data, options.limit
    scenes = Scenes(scene_names(min(options.scenes, limit or options.scenes)))
    sets: dict[str, tuple[Photos | Scenes, int]] = {
        "dev": (Photos(data, corpora.flickr_pictures(data, "dev")[:limit]), PREPROCESS.size),
        "train": (Photos(data, corpora.flickr_pictures(data, "train")[:limit]), SIDE),
        "scenes": (scenes, SIDE),
        "extra": (Photos(data, corpora.unlabelled(data)[:limit]), SIDE),
    }
    for name, (source, side) in sets.items():
        prepare(source, side, options.out / name)


if __name__ == "__main__":
    _main()
