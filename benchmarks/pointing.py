"""The pointing game on rendered scenes, a test of localisation: `python -m benchmarks.pointing --help`.

For every subject of a scene the model is asked for it in words, and the one point of the picture that it finds most
like them must lie on the subject (Zhang et al., "Top-down neural attention by excitation backprop", ECCV 2016). The
scenes are painted by `examples/scenes`, which knows which pixels show what.

    from benchmarks.pointing import patch_pointer, pointing, unseen_scenes

    print(pointing(patch_pointer(encoder), unseen_scenes(100)))

`patch_pointer` uses the plain cosines of a model's patches, `map_pointer` the maps of `sightline highlight`.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from encoders import registry
from encoders.base import Encoder
from encoders.prompts import as_prompts
from examples.scenes import Scene, masks, random_scene, render
from examples.scenes.grammar import LANGUAGES
from search.evaluate.bootstrap import Interval, Resampling, cluster_numbers, percentile_interval
from search.highlight import HighlightEngine, load_engine
from search.highlight.engine import EngineName

__all__ = ["Pointer", "Pointing", "map_pointer", "patch_pointer", "peak", "pointing", "summary", "unseen_scenes"]

Pointer: TypeAlias = Callable[[Image.Image, Sequence[str]], NDArray[np.float32]]
"""Maps a picture and P prompts to P maps (P, rows, columns) over the whole picture, higher where more likely."""

SMALLEST = 0.002
"""Minimum fraction of the picture that a subject must cover: 220 of 384 x 288 pixels."""

FIRST_SEED = 5_000
"""Training uses scenes from seed 10,000 on."""


@dataclass(frozen=True)
class Pointing:
    """How often the point was on the subject."""

    rate: float
    """Number of subjects."""
    interval: Interval
    """95 %, by bootstrap over pictures with all their subjects."""
    chance: float
    """The rate of a random point: the mean fraction of the picture that a subject covers."""
    subjects: int
    kinds: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    """Rate and number of subjects by kind."""

    def __str__(self) -> str:
        low, high = self.interval.low, self.interval.high
        return f"{self.rate:.3f} ({low:.3f}-{high:.3f}) of {self.subjects} subjects; at random {self.chance:.3f}"


def unseen_scenes(count: int, first: int = FIRST_SEED) -> list[Scene]:
    """Return scenes that were not used for training."""
    return [random_scene(seed) for seed in range(first, first + count)]


def patch_pointer(encoder: Encoder) -> Pointer:
    """Use the plain cosines of patches, for a model that squashes pictures (its patches then cover them)."""

    def maps(image: Image.Image, prompts: Sequence[str]) -> NDArray[np.float32]:
        patches = encoder.encode_patches(encoder.patch_preprocess.pixels(image)[None])[0]  # (rows, columns, D)
        similarity: NDArray[np.float32] = np.einsum("rcd,pd->prc", patches, encoder.encode_patch_texts(prompts))
        return similarity

    return maps


def map_pointer(engine: HighlightEngine) -> Pointer:
    """Use the maps of `sightline highlight`, of a segmenter or of a model's patches."""
    return lambda image, prompts: engine.maps(image, as_prompts(prompts))


def pointing(
    pointer: Pointer, scenes: Iterable[Scene], lang: str = "en", size: tuple[int, int] = (384, 288)
) -> Pointing:
    """Play the game over `scenes`, painted at `size` (width, height), with prompts in the language `lang`."""
    hits: list[bool] = []
    kinds: list[str] = []
    covered: list[float] = []
    clusters: list[int] = []
    for number, scene in enumerate(scenes):
        shown = _visible(scene, size)
        if not shown:
            continue
        prompts = [LANGUAGES[lang].phrase(kind, colour) for kind, colour, _ in shown]
        for grid, (kind, _, mask) in zip(pointer(render(scene, *size), prompts), shown, strict=True):
            hits.append(bool(mask[peak(grid, mask.shape)]))
            kinds.append(kind)
            covered.append(float(mask.mean()))
            clusters.append(number)
    return summary(np.array(hits), kinds, float(np.mean(covered)), clusters)


def _visible(scene: Scene, size: tuple[int, int]) -> list[tuple[str, str | None, NDArray[np.bool_]]]:
    """Return kind, colour and mask (H, W) of each subject that is large enough."""
    seen = masks(scene, *size)
    subjects = [(subject.kind, subject.colour, np.asarray(seen[subject.label]) > 127) for subject in scene.subjects]
    return [(kind, colour, mask) for kind, colour, mask in subjects if mask.mean() >= SMALLEST]


def peak(grid: NDArray[np.float32], shape: tuple[int, ...]) -> tuple[int, int]:
    """Return row and column of the middle of the highest patch, in a picture of `shape`."""
    row, column = np.unravel_index(int(grid.argmax()), grid.shape)
    return int((row + 0.5) * shape[0] / grid.shape[0]), int((column + 0.5) * shape[1] / grid.shape[1])


def summary(hits: NDArray[np.bool_], kinds: Sequence[str], chance: float, clusters: Sequence[Hashable]) -> Pointing:
    """Return the rate of the hits (Q,) of Q subjects; `clusters` are the pictures that show them."""
    settings = Resampling()
    number = cluster_numbers(clusters, len(hits))  # (Q,)
    inside, all_of = np.bincount(number, hits), np.bincount(number)  # (C,)
    drawn = np.random.default_rng(settings.seed).integers(len(all_of), size=(settings.resamples, len(all_of)))
    rates = inside[drawn].sum(axis=1) / all_of[drawn].sum(axis=1)  # (B,)
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for kind, hit in zip(kinds, hits.tolist(), strict=True):
        by_kind[kind].append(hit)
    return Pointing(
        rate=float(hits.mean()),
        interval=percentile_interval(rates, settings.level),
        chance=chance,
        subjects=len(hits),
        kinds={kind: (float(np.mean(those)), len(those)) for kind, those in sorted(by_kind.items())},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the game with a model, and print the rates."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pointing", description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=registry.DEFAULT_MODEL)
    parser.add_argument("--segmenter", help="a segmenter instead of the model: a name or a folder")
    parser.add_argument("--plain", action="store_true", help="the plain cosines of the model's patches instead of maps")
    parser.add_argument("--scenes", type=int, default=300, metavar="N")
    parser.add_argument("--lang", choices=LANGUAGES, default="en")
    parser.add_argument("--kinds", action="store_true", help="also print the rate of every kind of subject")
    options = parser.parse_args(arguments)
    if options.plain:
        pointer = patch_pointer(registry.load(options.model))
    else:
        engine: EngineName = "segment" if options.segmenter else "relevance"
        pointer = map_pointer(load_engine(engine, model=options.model, segmenter=options.segmenter))
    result = pointing(pointer, unseen_scenes(options.scenes), options.lang)
    print(result)
    if options.kinds:
        for kind, (rate, count) in result.kinds.items():
            print(f"{rate:.2f}  {count:>4}  {kind}")


if __name__ == "__main__":
    main()
