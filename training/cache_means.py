"""The mean vector of each picture over several sizes and its mirror image.

    python -m training.cache_means --weights runs/scenes/weights.pt --out runs/means

The mean vector finds more than the vector of one size, but costs eight times as much. `training.distil` teaches it to
the image tower. For each set this writes `means.npy` (N, D), float32 and of unit length, and `names.json`. Rendered
scenes are seen in one size and not mirrored, so that what was learned about them stays.
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
from torch.nn import functional

from training.loop import bfloat16, device_of
from training.model import Mini
from training.pictures import read_names
from training.pixels import PREPROCESS, normalise
from training.progress import fill
from training.weights import digest_of, load_weights

__all__ = ["MEAN_SIZES", "Averaged", "cache_means", "embed", "resample"]

MEAN_SIZES = (208, 224, 256, 288)
"""Sides in pixels. Prepared squares have 224; larger ones show the same details to more places of the trunk's map."""
_CHUNK = 250
_BATCH = 25
_log = logging.getLogger("sightline.training")


def embed(model: Mini, pixels: Tensor) -> Tensor:
    """Map normalised pixels (N, 3, S, S) to unit vectors (N, D), with the trunk in bfloat16 where that is fast."""
    with bfloat16(pixels.device):
        places = model.trunk(pixels.contiguous(memory_format=torch.channels_last))
    vectors: Tensor = model.head(places.float())
    return vectors


def resample(pixels: Tensor, size: int) -> Tensor:
    """Resample whole pictures (N, 3, P, P), values in 0..255, to (N, 3, size, size), as for inference."""
    return functional.interpolate(pixels, (size, size), mode="bicubic", antialias=True).clamp(0, 255)


@dataclass(frozen=True)
class Averaged:
    """An image tower whose vectors are averaged over sizes and, if `mirrored`, over mirror images."""

    model: Mini
    sizes: tuple[int, ...]
    mirrored: bool
    device: torch.device

    @torch.no_grad()
    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Map squares (N, S, S, 3) to unit vectors (N, D)."""
        pixels = torch.from_numpy(squares).to(self.device).permute(0, 3, 1, 2).float()
        total = torch.stack([embed(self.model, normalise(view)) for view in self._views(pixels)]).sum(0)  # (N, D)
        return functional.normalize(total, dim=1).cpu().numpy()

    def _views(self, pixels: Tensor) -> Iterator[Tensor]:
        for size in self.sizes:
            view = resample(pixels, size)
            yield view
            if self.mirrored:
                yield view.flip(3)


def cache_means(prepared: Path, averaged: Averaged, out: Path) -> None:
    """Write the mean vectors of a prepared set into the folder `out`, all of them for other names or weights."""
    names = read_names(prepared)
    source = [names, digest_of(averaged.model), averaged.sizes, averaged.mirrored]
    pixels = np.load(prepared / "pixels.npy", mmap_mode="r")

    def compute(rows: range) -> Iterator[tuple[str, NDArray[np.generic]]]:
        starts = range(rows.start, rows.stop, _BATCH)
        yield "means", np.concatenate([averaged(np.array(pixels[a : min(a + _BATCH, rows.stop)])) for a in starts])

    shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {"means": ((averaged.model.shape.dim,), np.float32)}
    for done in fill(out, source, shapes, len(names), _CHUNK, compute):
        _log.info("%s: %d of %d", out.name, done, len(pixels))
    shutil.copyfile(prepared / "names.json", out / "names.json")


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=Path("runs/scenes/weights.pt"))
    parser.add_argument("--prepared", type=Path, default=Path("runs/prepared"))
    parser.add_argument("--out", type=Path, default=Path("runs/means"))
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    device = device_of(options.device, options.threads)
    model = load_weights(options.weights)
    model.fold()
    model.to(device)
    model.trunk.to(memory_format=torch.channels_last)
    photos = Averaged(model, MEAN_SIZES, True, device)
    scenes = Averaged(model, (PREPROCESS.size,), False, device)
    for name, averaged in (("train", photos), ("extra", photos), ("scenes", scenes)):
        cache_means(options.prepared / name, averaged, options.out / name)


if __name__ == "__main__":
    _main()
