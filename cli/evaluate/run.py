"""An evaluation from its options to its exit code: measure, print, and write files."""

from contextlib import ExitStack

from cli.evaluate.comparisons import compare_measurements
from cli.evaluate.options import EvalOptions, check_options
from cli.evaluate.outputs import write_files
from cli.evaluate.plots import require_matplotlib
from cli.evaluate.published import match_published, open_published
from cli.evaluate.tables import print_paper_tables
from cli.evaluate.text_report import print_records, print_tables
from search.evaluate.baseline import read_baseline
from search.evaluate.measurement import Measurement

__all__ = ["EXIT_DROPPED", "EvalOptions", "run"]

EXIT_DROPPED = 3
"""Exit code when a metric is significantly worse than in the baseline."""


def run(options: EvalOptions) -> int:
    """Measure, print the results and write the files; return the exit code."""
    check_options(options)
    if options.plots:
        require_matplotlib()
    baseline = read_baseline(options.baseline) if options.baseline else None
    published = open_published(options)
    with ExitStack() as stack:
        measurements = _measure(stack, options)
        comparisons = compare_measurements(measurements, baseline, match_published(published, measurements))
        if options.table:
            print_paper_tables(measurements, comparisons, options.table)
        else:
            show = print_records if options.as_json else print_tables
            show(measurements, comparisons)
        write_files(measurements, comparisons, options)
    return EXIT_DROPPED if comparisons.drops else 0


def _measure(stack: ExitStack, options: EvalOptions) -> list[Measurement]:
    """Measure all systems. Models and libraries are imported only if they are measured."""
    if options.run_files:
        from cli.evaluate.run_files import measure_run_files

        return measure_run_files(options)
    if options.image_vectors:
        from cli.evaluate.vector_files import measure_vector_files

        return measure_vector_files(options)
    from cli.evaluate.library_systems import measure_libraries

    return measure_libraries(stack, options)
