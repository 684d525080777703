"""Step 1: decode every picture once, and compute the teacher's maps once.

    python -m training.prepare --data DIR --out runs/prepared

For each set of pictures it writes `pixels.npy` (N, S, S, 3) uint8, `boxes.npy` (N, K, 4) with K views of each (the
first is the whole picture), `grids.npy` (N, K, 7, 7, 256) float16 with the teacher's map of each view after PCA, and
`names.json`. The PCA is fitted on training photos alone.
"""

import argparse
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training import corpora
from training.pca import PCA, fit_pca
from training.scenes import scene_pictures
from training.teacher import GRID, Teacher
from training.views import FULL, random_boxes

__all__ = ["Source", "prepare"]

SIDE = 160
"""Side of the cached squares in pixels: the input of the student, with a margin for crops."""
_PCA_PICTURES = 1500
_log = logging.getLogger("sightline.training")


@dataclass(frozen=True)
class Source:
    """`count` pictures with their names, opened one at a time."""

    count: int
    pictures: Iterable[tuple[str, Image.Image]]


def prepare(source: Source, views: int, teacher: Teacher, pca: PCA, out: Path, seed: int) -> None:
    """Write the pixels, boxes, grids and names of the pictures of `source` into the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    boxes = np.stack([_boxes(rng, views) for _ in range(source.count)])  # (N, K, 4)
    pixels = np.lib.format.open_memmap(out / "pixels.npy", "w+", np.uint8, (source.count, SIDE, SIDE, 3))
    shape = (source.count, views, GRID, GRID, pca.dim)
    grids = np.lib.format.open_memmap(out / "grids.npy", "w+", np.float16, shape)
    names = []
    for row, (name, image) in enumerate(source.pictures):
        names.append(name)
        pixels[row] = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        for view, box in enumerate(boxes[row]):
            grids[row, view] = pca(teacher.grid(image, box))
        if row % 500 == 0:
            _log.info("%s: %d of %d", out.name, row, source.count)
    grids.flush()
    pixels.flush()
    np.save(out / "boxes.npy", boxes)
    (out / "names.json").write_text(json.dumps(names))


def _photos(paths: Sequence[Path]) -> Source:
    return Source(len(paths), ((path.name, _open(path)) for path in paths))


def _boxes(rng: np.random.Generator, views: int) -> NDArray[np.float32]:
    return np.concatenate([np.array([FULL], np.float32), random_boxes(rng, views - 1)])


def _open(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _teacher_pca(paths: Iterable[Path], teacher: Teacher, file: Path) -> PCA:
    """Return the PCA of the teacher's features, fitted on whole pictures, or read from `file` if it exists."""
    if not file.exists():
        whole = np.array(FULL, np.float32)
        fit_pca(teacher.grid(_open(path), whole).reshape(GRID * GRID, -1) for path in paths).save(file)
    return PCA.load(file)


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/prepared"))
    parser.add_argument("--views", type=int, default=6, help="views of each captioned picture")
    parser.add_argument("--extra-views", type=int, default=2, help="views of each picture without captions")
    parser.add_argument("--scenes", type=int, default=1200, help="rendered scenes")
    parser.add_argument("--scene-views", type=int, default=3, help="views of each rendered scene")
    parser.add_argument("--sets", nargs="+", default=["dev", "train", "scenes", "extra"])
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.out.mkdir(parents=True, exist_ok=True)

    train = corpora.flickr_pictures(options.data, "train")
    teacher = Teacher(options.data / "teacher" / "mobilenet_v2_1.0_224_quant.tflite")
    sample = np.random.default_rng(options.seed).permutation(len(train))[:_PCA_PICTURES]
    pca = _teacher_pca((train[i] for i in sample), teacher, options.out / "pca.npz")
    sets = {
        "dev": (_photos(corpora.flickr_pictures(options.data, "dev")), 1),
        "train": (_photos(train), options.views),
        "scenes": (Source(options.scenes, scene_pictures(options.scenes)), options.scene_views),
        "extra": (_photos(corpora.unlabelled(options.data)), options.extra_views),
    }
    for name in options.sets:
        source, views = sets[name]
        if not (options.out / name / "names.json").exists():
            prepare(source, views, teacher, pca, options.out / name, options.seed)


if __name__ == "__main__":
    _main()
