"""The part of a report on short and long queries, and the cells of values with their intervals."""

from collections.abc import Sequence

from cli.evaluate.formatting import format_score, format_score_interval, metric_label
from cli.evaluate.report.markup import element, escaped, numbers_table
from search.evaluate.evaluation import Evaluation
from search.evaluate.measurement import Measurement
from search.evaluate.query_lengths import LengthSlice

__all__ = ["length_section", "value_cells"]

_NOTE = (
    "Words are the parts between blanks that contain a letter or a digit. Scripts without blanks between words "
    "(Chinese, Japanese, Thai) are counted in letters and digits. The slices have different pictures, so their values "
    "differ for more reasons than length. The differences are not tested."
)


def length_section(systems: Sequence[Measurement]) -> str:
    """Return a table of the values by the length of the query; empty if all queries are of about one length."""
    if not systems[0].by_length:
        return ""
    head = ["length", "queries", *(metric_label(metric.name) for metric in systems[0].pooled.metrics)]
    rows = []
    for system in systems:
        if len(systems) > 1:
            rows.append(element("tr", element("td", escaped(system.name), colspan=len(head)), class_="system"))
        rows += map(_row, system.by_length)
    return (
        element("h3", "By the length of the query")
        + element("p", escaped(_NOTE), class_="faint")
        + (numbers_table(head, rows))
    )


def value_cells(evaluation: Evaluation) -> list[str]:
    """Return a cell for each metric: its value, and below it the interval."""
    cells = []
    for metric in evaluation.metrics:
        value = escaped(format_score(evaluation, metric.name))
        interval = escaped(format_score_interval(evaluation, metric.name))
        cells.append(element("td", value, element("small", interval)))
    return cells


def _row(part: LengthSlice) -> str:
    names = [element("td", escaped(part.label)), element("td", f"{len(part.evaluation.queries):,}")]
    return element("tr", *names, *value_cells(part.evaluation))
