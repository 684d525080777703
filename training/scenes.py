"""Rendered scenes as additional captioned pictures, from seeds that the demonstration gallery does not use."""

from collections.abc import Iterator

from PIL import Image

from examples.scenes import Subject, captions, random_scene, render
from training.corpora import Caption

__all__ = ["FIRST_SEED", "scene_captions", "scene_names", "scene_pictures", "scene_subjects"]

FIRST_SEED = 10_000
"""Seeds from here on are reserved for training."""


def scene_pictures(count: int, first: int = FIRST_SEED) -> Iterator[tuple[str, Image.Image]]:
    """Yield `count` scenes as names and RGB pictures."""
    for seed in range(first, first + count):
        yield _name(seed), render(random_scene(seed))


def scene_names(count: int, first: int = FIRST_SEED) -> list[str]:
    """Return the names of the same scenes."""
    return [_name(seed) for seed in range(first, first + count)]


def scene_captions(count: int, first: int = FIRST_SEED) -> list[Caption]:
    """Return all captions of the same scenes."""
    return [
        Caption(_name(seed), text, lang)
        for seed in range(first, first + count)
        for lang, texts in captions(random_scene(seed)).items()
        for text in texts
    ]


def scene_subjects(count: int, first: int = FIRST_SEED) -> list[tuple[Subject, ...]]:
    """Return the subjects of the same scenes."""
    return [random_scene(seed).subjects for seed in range(first, first + count)]


def _name(seed: int) -> str:
    return f"scene-{seed}"
