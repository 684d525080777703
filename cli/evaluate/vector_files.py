"""Measurements of vectors that were made elsewhere, without a library or a model."""

from pathlib import Path

import click

from cli.evaluate.data import open_dataset_at
from cli.evaluate.options import EvalOptions, named_files
from cli.output import warn
from search.evaluate.datasets import Dataset
from search.evaluate.measurement import Measurement, measure_approximate, measure_vectors
from search.evaluate.vector_systems import describe_lengths, open_vector_system, paired_dataset
from store.exchange import open_vectors

__all__ = ["measure_vector_files"]


def measure_vector_files(options: EvalOptions) -> list[Measurement]:
    """Measure each pair of files of vectors in every direction; approximate indexes of them follow."""
    images = named_files(options.image_vectors)
    texts = _texts_of(images, options)
    dataset = open_dataset_at(options.datasets[0], options) if options.datasets else _paired(images, texts, options)
    measurements: list[Measurement] = []
    for name, path in images.items():
        system = open_vector_system(name, dataset, path, texts[name], options.image_ids, options.query_ids)
        exact = measure_vectors(
            system.dataset, name, system.captions, system.images, options.directions, options.settings
        )
        for notice in system.notices:
            warn(notice)
        if system.images.were_normalised:
            warn(describe_lengths(path, system.images))
        measurements += exact
        measurements += [measure_approximate(each, spec, options.depth) for spec in options.indexes for each in exact]
    return measurements


def _texts_of(images: dict[str, Path], options: EvalOptions) -> dict[str, Path]:
    """Return the files of vectors of captions by system: by their names, or in the order of the pictures' files.

    Raises `click.UsageError` if only some of the names are the same.
    """
    texts = named_files(options.text_vectors)
    if texts.keys() == images.keys():
        return texts
    if shared := sorted(texts.keys() & images.keys()):
        raise click.UsageError(
            f"--image-vectors and --text-vectors share {', '.join(shared)}, but not their other names. Give the files "
            "of a model the same NAME."
        )
    return dict(zip(images, texts.values(), strict=True))


def _paired(images: dict[str, Path], texts: dict[str, Path], options: EvalOptions) -> Dataset:
    name, path = next(iter(images.items()))
    counts = open_vectors(path).count, open_vectors(texts[name]).count
    return paired_dataset(path.absolute().parent.name, *counts, options.captions_per_image)
