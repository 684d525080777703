"""The part of a report on published results of other models."""

from cli.evaluate.formatting import format_language, format_number, metric_label
from cli.evaluate.notes import published_note
from cli.evaluate.published import PublishedTable
from cli.evaluate.report.markup import element, escaped, numbers_table
from search.evaluate.measurement import Measurement

__all__ = ["published_table"]


def published_table(measurement: Measurement, published: PublishedTable) -> str:
    """Return a table of the published results on the task of a measurement; empty without results."""
    sources = published.sources(measurement.evaluations)
    if not sources:
        return ""
    metrics = [metric.name for metric in measurement.pooled.metrics]
    rows = []
    for evaluation in measurement.evaluations:
        for result in published.of(evaluation):
            values = [format_number(name, result.scores[name]) if name in result.scores else "" for name in metrics]
            cells = [result.model, format_language(evaluation.subject.lang), *values]
            rows.append(element("tr", *(element("td", escaped(cell)) for cell in cells)))
    head = ["system", "language", *map(metric_label, metrics)]
    note = element("p", escaped(published_note(sources)), class_="faint")
    return element("h3", "Published results") + note + numbers_table(head, rows)
