"""Measurements of rankings that other programs made."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from cli.evaluate.data import open_dataset_at
from cli.evaluate.options import EvalOptions, named_files
from cli.output import warn
from core.errors.base import first_names
from search.evaluate.datasets import Caption, Dataset
from search.evaluate.datasets.base import UNKNOWN_LANGUAGE
from search.evaluate.measurement import Measurement, measure_run
from search.evaluate.run_files import RunFile, open_qrels, open_run, unmatched_notices
from search.evaluate.trec import Qrels, invert_qrels, relevant_documents

__all__ = ["measure_run_files"]


def measure_run_files(options: EvalOptions) -> list[Measurement]:
    """Measure each run on the judgements of --qrels, or of the data set."""
    files = {name: open_run(path) for name, path in named_files(options.run_files).items()}
    dataset, judged_in = _dataset(files, options)
    (direction,) = options.directions
    qrels = dataset.qrels() if direction == "text-to-picture" else invert_qrels(dataset.qrels())
    for file in files.values():
        for notice in (*file.notices, *unmatched_notices(file, qrels, judged_in)):
            warn(f"{file.path}: {notice}")
    return [measure_run(dataset, name, file.run, direction, options.settings) for name, file in files.items()]


def _dataset(files: Mapping[str, RunFile], options: EvalOptions) -> tuple[Dataset, str]:
    """Return the queries, documents and judgements, and the name of the file of the judgements."""
    qrels = open_qrels(options.qrels) if options.qrels else None
    if not options.datasets:
        assert qrels is not None and options.qrels is not None  # the options were checked
        return _judged(options.qrels, qrels, files), options.qrels.name
    dataset = open_dataset_at(options.datasets[0], options)
    if qrels is None or options.qrels is None:
        return dataset, options.datasets[0].name
    return _with_judgements(dataset, qrels, options.qrels), options.qrels.name


def _judged(path: Path, qrels: Qrels, files: Mapping[str, RunFile]) -> Dataset:
    """Return a data set of the judged queries, without texts, and all documents that are judged or ranked."""
    tables = (qrels, *(file.run for file in files.values()))
    documents = {document for table in tables for of_query in table.values() for document in of_query}
    queries = (Caption(query, "", UNKNOWN_LANGUAGE, relevant_documents(qrels, query)) for query in qrels)
    return Dataset(path.name.partition(".")[0], "all", path.parent, tuple(sorted(documents)), tuple(queries))


def _with_judgements(dataset: Dataset, qrels: Qrels, path: Path) -> Dataset:
    """Return the judged captions of a data set with these judgements."""
    unknown = tuple(qrels.keys() - {caption.id for caption in dataset.captions})
    if unknown:
        raise click.UsageError(f"{path}: {len(unknown):,} queries are not in {dataset.name}: {first_names(unknown)}")
    judged = (caption for caption in dataset.captions if caption.id in qrels)
    captions = tuple(replace(caption, images=relevant_documents(qrels, caption.id)) for caption in judged)
    return replace(dataset, captions=captions)
