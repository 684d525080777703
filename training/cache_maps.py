"""The maps of the frozen first blocks for several views of each picture, and the teacher's logits for the same views.

    python -m training.cache_maps --data DIR --weights runs/pixels/weights.pt --out runs/maps192

Later steps then cost a fraction: nothing of the first 15 blocks is computed again. For each set it writes `fine.npy`
(N, K, 120, 12, 12) and `logits.npy` (N, K, 1000), both float16, and `names.json`. The first view is the whole picture.
"""

import argparse
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.augment import crop, jitter_colours
from training.loop import device_of, generator
from training.pictures import read_names
from training.pixels import normalise
from training.progress import fill
from training.trunk import FINE, Classifier, Trunk
from training.views import FULL, random_boxes
from training.weights import digest_of, load_teacher, load_weights

__all__ = ["Cache", "cache_maps"]

_CHUNK = 250
_BATCH = 32
_AREA = (0.35, 1.0)
_log = logging.getLogger("sightline.training")


@dataclass(frozen=True)
class Cache:
    """What computes the maps and logits, with its settings."""

    trunk: Trunk
    teacher: Classifier | None
    views: int
    device: torch.device
    side: int = 192
    seed: int = 20

    @torch.no_grad()
    def rows(self, pixels: NDArray[np.uint8], first: int) -> dict[str, NDArray[np.float16]]:
        """Return the maps and logits of squares (N, P, P, 3); the first square is number `first` of its set."""
        found: dict[str, list[Tensor]] = {"fine": [], "logits": []}
        for batch in torch.cat([self._views(square, first + row) for row, square in enumerate(pixels)]).split(_BATCH):
            found["fine"].append(self.trunk.fine(batch))
            if self.teacher is not None:
                found["logits"].append(self.teacher(batch))
        return {
            name: torch.cat(parts).unflatten(0, (len(pixels), self.views)).half().cpu().numpy()
            for name, parts in found.items()
            if parts
        }

    def _views(self, square: NDArray[np.uint8], row: int) -> Tensor:
        """Return the views of one picture, (K, 3, S, S), by random numbers of this picture alone."""
        rng = generator(self.seed, row)
        boxes = np.concatenate([np.array([FULL], np.float32), random_boxes(rng, self.views - 1, _AREA)])
        picture = torch.from_numpy(square).to(self.device).permute(2, 0, 1).float().expand(self.views, -1, -1, -1)
        pixels = crop(picture, boxes, rng.random(self.views) < 0.5, self.side)
        return normalise(jitter_colours(pixels, rng)).contiguous(memory_format=torch.channels_last)


def cache_maps(prepared: Path, cache: Cache, out: Path) -> None:
    """Write the maps and logits of a prepared set into the folder `out`, all of them for other names or weights."""
    names = read_names(prepared)
    source = [names, cache.side, cache.seed, *(digest_of(model) for model in (cache.trunk, cache.teacher) if model)]
    pixels = np.load(prepared / "pixels.npy", mmap_mode="r")
    places = -(-cache.side // 16)
    shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
        "fine": ((cache.views, FINE, places, places), np.float16)
    }
    if cache.teacher is not None:
        shapes["logits"] = ((cache.views, cache.teacher.linear.out_features), np.float16)

    def compute(rows: range) -> Iterator[tuple[str, NDArray[np.generic]]]:
        yield from cache.rows(np.array(pixels[rows.start : rows.stop]), rows.start).items()

    for done in fill(out, source, shapes, len(names), _CHUNK, compute):
        _log.info("%s: %d of %d", out.name, done, len(pixels))
    shutil.copyfile(prepared / "names.json", out / "names.json")


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path("runs/pixels/weights.pt"))
    parser.add_argument("--prepared", type=Path, default=Path("runs/prepared"))
    parser.add_argument("--out", type=Path, default=Path("runs/maps192"))
    parser.add_argument("--views", type=int, default=6, help="views of each photo with captions")
    parser.add_argument("--scene-views", type=int, default=2, help="views of each rendered scene")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    device = device_of(options.device, options.threads)
    model = load_weights(options.weights)
    model.fold()
    trunk, teacher = model.trunk.to(device), load_teacher(options.data).to(device)
    # The teacher knows no rendered scenes; their captions are enough.
    sets = {"train": (teacher, options.views), "scenes": (None, options.scene_views), "extra": (teacher, 1)}
    for name, (judge, views) in sets.items():
        cache_maps(options.prepared / name, Cache(trunk, judge, views, device), options.out / name)


if __name__ == "__main__":
    _main()
