"""Measurements of models and of spaces of a library."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import click

from cli.evaluate.data import open_datasets
from cli.evaluate.options import EvalOptions
from cli.evaluate.systems import open_systems
from cli.progress import ProgressBar
from search.evaluate.datasets import Dataset
from search.evaluate.library_evaluation import measure
from search.evaluate.measurement import Measurement, VectorMeasurement, measure_approximate
from search.evaluate.systems import CaptionVectorFile, RetrievalSystem

__all__ = ["measure_libraries"]


def measure_libraries(stack: ExitStack, options: EvalOptions) -> list[Measurement]:
    """Measure every system on every data set in every direction; its approximate indexes follow it.

    The libraries stay open as long as `stack`, because measurements read vectors from them.
    """
    return [each for dataset in open_datasets(options) for each in _measure(stack, dataset, options)]


def _measure(stack: ExitStack, dataset: Dataset, options: EvalOptions) -> list[Measurement]:
    systems = open_systems(dataset, options.spaces, options.library, _vector_files(options), options.placement)
    measurements: list[Measurement] = []
    for system in stack.enter_context(systems):
        exact = _measure_exactly(system, dataset, options)
        measurements += exact
        measurements += [measure_approximate(each, spec, options.depth) for spec in options.indexes for each in exact]
    return measurements


def _measure_exactly(system: RetrievalSystem, dataset: Dataset, options: EvalOptions) -> list[VectorMeasurement]:
    directions, settings = options.directions, options.settings
    if isinstance(system.captions, CaptionVectorFile):
        return measure(system, dataset, directions, settings)
    embedded = 0

    with ProgressBar() as progress:

        def on_progress(done: int, total: int) -> None:
            nonlocal embedded
            if done:
                progress.advance(done - embedded)
            else:
                progress.begin(total)
            embedded = done

        return measure(system, dataset, directions, settings, options.prompts, on_progress)


def _vector_files(options: EvalOptions) -> Mapping[str, CaptionVectorFile]:
    """Return the files of --query-vectors by the name of the space; under "" if no space is named."""
    files = {}
    for argument in options.query_vectors:
        name, equals, file = argument.partition("=")
        has_name = bool(equals) and name in options.spaces
        if not has_name and len(options.spaces) > 1:
            raise click.UsageError(f"Name the space of the vectors: --query-vectors SPACE={argument}")
        files[name if has_name else ""] = CaptionVectorFile(Path(file if has_name else argument), options.query_ids)
    return files
