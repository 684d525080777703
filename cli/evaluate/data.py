"""The data sets of an evaluation."""

from collections import Counter
from pathlib import Path

import click

from cli.evaluate.options import EvalOptions
from cli.output import warn
from search.evaluate.datasets import Dataset, open_dataset

__all__ = ["open_dataset_at", "open_datasets"]


def open_datasets(options: EvalOptions) -> list[Dataset]:
    """Open all data sets. Their names must be unique, because tables and baselines identify them by name."""
    datasets = [open_dataset_at(path, options, needs_files=options.library is None) for path in options.datasets]
    (name, split), count = Counter((dataset.name, dataset.split) for dataset in datasets).most_common(1)[0]
    if count > 1:
        raise click.UsageError(f"{count} data sets have the name {name} (split {split}). Evaluate them one at a time.")
    return datasets


def open_dataset_at(path: Path, options: EvalOptions, *, needs_files: bool = False) -> Dataset:
    """Open a data set in the given languages. Its pictures must exist as files only if they are to be embedded."""
    template = {"template": "{}"} if options.templates else {}
    dataset = open_dataset(
        path,
        options.split,
        format=options.format,
        root=options.pictures,
        class_names=options.class_names,
        image_column=options.image_column,
        caption_column=options.caption_column,
        check_files=needs_files,
        **template,
    )
    for notice in dataset.notices:
        warn(f"{path.name}: {notice}")
    return dataset.only(*options.langs) if options.langs else dataset
