"""The maps of the frozen trunk at 512 pixels, and the teacher's probabilities for every place of the same pictures.

    python -m training.cache_patches --data DIR --weights runs/maps/weights.pt --out runs/maps512

The teacher sees 640 pixels: at 224, its last map has 7 x 7 places and points badly. Pictures are photos with captions,
whole or in part, mosaics of four of them, whose captions belong to one quarter each, and photos without captions. It
writes `fine.npy` (N, 120, 32, 32), `coarse.npy` (N, 1280, 16, 16), `teacher.npy` (N, 1000, 20, 20), all float16, and
`items.json`; in the folder `scenes`, the first two for rendered scenes.
"""

import argparse
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from encoders.preprocess import Preprocess
from examples.scenes import random_scene, render
from training import corpora
from training.loop import device_of
from training.model import Mini
from training.names import CLASSES
from training.pixels import PATCH_SIZE, PREPROCESS, normalise
from training.progress import fill
from training.trunk import FEATURES, FINE, Classifier
from training.weights import digest_of, load_teacher, load_weights

__all__ = ["COARSE", "FINER", "FIRST_SCENE", "Counts", "Item", "choose", "picture", "read_items"]

FINER, COARSE, _SEEN = PATCH_SIZE // 16, PATCH_SIZE // 32, 640
FIRST_SCENE = 20_000
"""Scenes from this seed on; those from `training.scenes.FIRST_SEED` on train the towers."""
_CHUNK = 50
_WITHOUT_CAPTIONS = ("cats_dogs", "sports22", "houses")
"""Folders of photos without captions: animals, people doing sports, and rooms."""
_log = logging.getLogger("sightline.training")
Kind = Literal["photo", "mosaic", "extra"]


@dataclass(frozen=True)
class Counts:
    """How many pictures of each kind there are."""

    photos: int = 1150
    mosaics: int = 350
    others: tuple[int, int, int] = (400, 350, 200)
    """Of each of three folders without captions."""
    scenes: int = 500
    partial: float = 0.4
    """How often a part of a picture is shown, 0.7 to 1 of its sides."""
    seed: int = 40


@dataclass(frozen=True)
class Item:
    """A picture: one photo or part of it, or four photos as a mosaic. Paths start at the data folder."""

    kind: Kind
    paths: list[str]
    box: tuple[float, float, float, float]


def choose(data: Path, counts: Counts) -> list[Item]:
    """Return all items in random order. No photo is in a mosaic and alone."""
    rng = np.random.default_rng(counts.seed)
    photos = _shuffled(corpora.flickr_pictures(data, "train"), rng)
    quarters = photos[counts.photos : counts.photos + 4 * counts.mosaics]
    found: list[tuple[Kind, list[Path]]] = [("photo", [path]) for path in photos[: counts.photos]]
    found += [("mosaic", quarters[start : start + 4]) for start in range(0, len(quarters) - 3, 4)]
    for folder, count in zip(_WITHOUT_CAPTIONS, counts.others, strict=True):
        paths = _shuffled(sorted((data / "unlabelled" / folder).rglob("*.jpg")), rng)
        found += [("extra", [path]) for path in paths[:count]]
    return [
        Item(kind, [str(path.relative_to(data)) for path in paths], _box(kind, counts.partial, rng))
        for kind, paths in (found[row] for row in rng.permutation(len(found)))
    ]


def picture(data: Path, item: Item, side: int) -> Image.Image:
    """Return an item as a square RGB picture."""
    if item.kind == "mosaic":
        out, half = Image.new("RGB", (side, side)), side // 2
        for number, path in enumerate(item.paths):
            with Image.open(data / path) as image:
                part = image.convert("RGB").resize((half, half), Image.Resampling.BICUBIC)
            out.paste(part, (number % 2 * half, number // 2 * half))
        return out
    with Image.open(data / item.paths[0]) as image:
        corners = tuple((np.array(item.box) * np.tile(image.size, 2)).tolist())
        return image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC, box=corners)


def read_items(folder: Path) -> list[Item]:
    """Read the items of a cache."""
    return [
        Item(row["kind"], row["paths"], tuple(row["box"])) for row in json.loads((folder / "items.json").read_text())
    ]


@dataclass(frozen=True)
class _Computer:
    model: Mini
    teacher: Classifier
    device: torch.device

    @torch.no_grad()
    def maps(self, image: Image.Image) -> Iterator[tuple[str, NDArray[np.float16]]]:
        for name, found in zip(("fine", "coarse"), self.model.trunk.maps(self._pixels(image)), strict=True):
            yield name, found[0].half().cpu().numpy()

    @torch.no_grad()
    def places(self, image: Image.Image) -> NDArray[np.float16]:
        return self.teacher.places(self._pixels(image))[0].softmax(0).half().cpu().numpy()

    def _pixels(self, image: Image.Image) -> torch.Tensor:
        values = torch.from_numpy(np.array(image)).to(self.device).permute(2, 0, 1)[None]
        return normalise(values).contiguous(memory_format=torch.channels_last)


def _cache(data: Path, items: Sequence[Item], computer: _Computer, out: Path) -> Iterator[int]:
    shapes = _map_shapes()
    shapes["teacher"] = ((CLASSES, _SEEN // 32, _SEEN // 32), np.float16)

    def compute(rows: range) -> Iterator[tuple[str, NDArray[np.generic]]]:
        parts: dict[str, list[NDArray[np.float16]]] = {name: [] for name in shapes}
        for item in items[rows.start : rows.stop]:
            for name, found in computer.maps(picture(data, item, PATCH_SIZE)):
                parts[name].append(found)
            parts["teacher"].append(computer.places(picture(data, item, _SEEN)))
        yield from ((name, np.stack(several)) for name, several in parts.items())

    source = [[asdict(item) for item in items], digest_of(computer.model.trunk), digest_of(computer.teacher)]
    return fill(out, source, shapes, len(items), _CHUNK, compute)


def _cache_scenes(count: int, computer: _Computer, out: Path) -> Iterator[int]:
    preprocess = Preprocess(PATCH_SIZE, PREPROCESS.mean, PREPROCESS.std, fit="squash")

    def compute(rows: range) -> Iterator[tuple[str, NDArray[np.generic]]]:
        parts: dict[str, list[NDArray[np.float16]]] = {name: [] for name in _map_shapes()}
        for row in rows:
            square = Image.fromarray(preprocess.pixels(render(random_scene(FIRST_SCENE + row))))
            for name, found in computer.maps(square):
                parts[name].append(found)
        yield from ((name, np.stack(several)) for name, several in parts.items())

    return fill(out, digest_of(computer.model.trunk), _map_shapes(), count, _CHUNK, compute)


def _map_shapes() -> dict[str, tuple[tuple[int, ...], type[np.generic]]]:
    return {"fine": ((FINE, FINER, FINER), np.float16), "coarse": ((FEATURES, COARSE, COARSE), np.float16)}


def _shuffled(paths: Sequence[Path], rng: np.random.Generator) -> list[Path]:
    return [paths[row] for row in rng.permutation(len(paths))]


def _box(kind: Kind, partial: float, rng: np.random.Generator) -> tuple[float, float, float, float]:
    if kind == "mosaic" or rng.random() >= partial:
        return 0.0, 0.0, 1.0, 1.0
    side = rng.uniform(0.7, 1)
    left, top = rng.uniform(0, 1 - side, 2)
    return float(left), float(top), float(left + side), float(top + side)


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path("runs/maps/weights.pt"))
    parser.add_argument("--out", type=Path, default=Path("runs/maps512"))
    parser.add_argument("--limit", type=int, help="use only this many pictures of each kind, to try the recipe")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    device, limit = device_of(options.device, options.threads), options.limit
    counts = Counts(limit, limit, (limit, limit, limit), limit) if limit else Counts()
    model = load_weights(options.weights)
    model.fold()
    computer = _Computer(model.to(device), load_teacher(options.data).to(device), device)
    items = choose(options.data, counts)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "items.json").write_text(json.dumps([asdict(item) for item in items]))
    for done in _cache(options.data, items, computer, options.out):
        _log.info("pictures: %d of %d", done, len(items))
    for done in _cache_scenes(counts.scenes, computer, options.out / "scenes"):
        _log.info("scenes: %d of %d", done, counts.scenes)


if __name__ == "__main__":
    _main()
