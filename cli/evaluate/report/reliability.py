"""The part of a report on the reliability of relevance: a diagram for each system, and a table of its bins."""

from collections.abc import Sequence

from cli.evaluate.report.markup import element, escaped, numbers_table
from search.evaluate.measurement import Measurement, VectorMeasurement
from search.evaluate.reliability import BINS, DEPTH, Reliability, ReliabilityBin, measure_reliability

__all__ = ["reliability_panel", "reliability_section"]

SIDE, LEFT, TOP, RIGHT = 240, 44, 22, 14
"""The side of the square of the diagram, and its margins, in SVG units."""
GAP, BARS, BOTTOM = 34, 56, 34
"""The heights of the labels below the square, of the bars of counts, and of the labels below these."""

_TITLE = "Reliability of relevance"


def reliability_section(systems: Sequence[Measurement]) -> str:
    """Return the diagrams of the systems with calibrated relevance, and a sentence on each of the others.

    Empty from picture to text, where search shows no pictures.
    """
    if systems[0].direction == "picture-to-text":
        return ""
    measured: list[tuple[str, Reliability]] = []
    without: dict[str, list[str]] = {}
    for system in systems:
        if system.exact is None:
            found = _measure(system)
            if isinstance(found, str):
                without.setdefault(found, []).append(system.name)
            else:
                measured.append((system.name, found))
    parts = [element("h3", _TITLE)]
    for reason, names in without.items():
        parts.append(element("p", escaped(f"{', '.join(names)}: no diagram, because {reason}"), class_="faint"))
    if measured:
        parts.append(element("p", escaped(_note(systems[0])), class_="faint"))
    parts += [part for name, reliability in measured for part in _of_system(name, reliability)]
    return "".join(parts)


def _measure(system: Measurement) -> Reliability | str:
    """Return the reliability of a system, or the reason why there is none."""
    if not isinstance(system, VectorMeasurement) or system.calibration is None:
        return (
            "the scores are not calibrated. Relevance exists for models that ship with a calibration, or got one in a "
            "search, and not for runs, files of vectors and templates."
        )
    return measure_reliability(system, system.calibration) or (
        "none of the queries is of a kind with calibrated relevance."
    )


def _note(system: Measurement) -> str:
    return (
        f"The first {DEPTH} results of each query, in bins of {1 / BINS:g} by their relevance. A point on the diagonal "
        "is reliable: as many pictures are right as the relevance says. Below it, relevance is too high. Lines are "
        f"{system.pooled.resampling.level:.0%} confidence intervals (Clopper-Pearson; results of one picture's queries "
        "depend on each other); bars are numbers of results. Only pictures that the data set names are right, so where "
        "others answer a query, too, the observed shares are too low."
    )


def _of_system(name: str, reliability: Reliability) -> tuple[str, str]:
    caption = (
        f" Expected calibration error {reliability.error:.3f}; {reliability.results:,} results of "
        f"{reliability.queries:,} queries"
    )
    if reliability.is_sample:
        caption += ", a random sample"
    if reliability.without_scale:
        caption += f"; {reliability.without_scale:,} queries are of a kind without calibrated relevance"
    label = element("b", escaped(f"{name}."))
    figure = element(
        "figure",
        element("figcaption", label, escaped(f"{caption}.")),
        reliability_panel(name, reliability.bins),
    )
    rows = [element("tr", *(element("td", escaped(cell)) for cell in _cells(each))) for each in reliability.bins]
    return figure, numbers_table(["relevance", "results", "mean relevance", "observed share", "interval"], rows)


def _cells(each: ReliabilityBin) -> list[str]:
    interval = f"{each.interval.low:.3f}-{each.interval.high:.3f}"
    return [
        f"{each.low:.1f}-{each.high:.1f}",
        f"{each.count:,}",
        f"{each.relevance:.3f}",
        f"{each.share:.3f}",
        interval,
    ]


def reliability_panel(name: str, bins: Sequence[ReliabilityBin]) -> str:
    """Draw the observed share over the mean relevance of each bin, with its interval, and below it the counts."""
    parts = [*_grid(), *(_point(each) for each in bins), *_bars(bins)]
    label = f"{name}: observed share of relevant pictures over relevance"
    box = f"0 0 {LEFT + SIDE + RIGHT} {TOP + SIDE + GAP + BARS + BOTTOM}"
    return element("svg", *parts, viewBox=box, role="img", class_="reliability", aria_label=label)


def _grid() -> list[str]:
    parts = []
    for step in range(6):
        share = step / 5
        parts.append(element("line", x1=_x(0), x2=_x(1), y1=_y(share), y2=_y(share), class_="grid"))
        parts.append(element("line", x1=_x(share), x2=_x(share), y1=_y(0), y2=_y(1), class_="grid"))
        text = f"{share:.1f}"
        parts.append(element("text", text, x=LEFT - 6, y=_y(share, 3.5), text_anchor="end"))
        parts.append(element("text", text, x=_x(share), y=_y(0, 14), text_anchor="middle"))
    parts.append(element("line", x1=_x(0), x2=_x(1), y1=_y(0), y2=_y(1), class_="diagonal"))
    parts.append(element("text", "observed share", x=LEFT, y=TOP - 9, class_="name"))
    parts.append(element("text", "relevance", x=_x(1), y=_y(0, 28), text_anchor="end", class_="name"))
    return parts


def _point(each: ReliabilityBin) -> str:
    x = _x(each.relevance)
    whisker = element("line", x1=x, x2=x, y1=_y(each.interval.low), y2=_y(each.interval.high), class_="whisker")
    dot = element("circle", cx=x, cy=_y(each.share), r=4, class_="dot")
    return element("g", whisker, dot, class_="s0")


def _bars(bins: Sequence[ReliabilityBin]) -> list[str]:
    """Draw the number of results of each bin; above each bar stands the number."""
    highest = max((each.count for each in bins), default=1)
    base = TOP + SIDE + GAP + BARS
    parts = [element("line", x1=_x(0), x2=_x(1), y1=base, y2=base, class_="axis")]
    for each in bins:
        height = max(1.0, (BARS - 12) * each.count / highest)
        left = LEFT + SIDE * each.low + 1
        width = SIDE * (each.high - each.low) - 2
        bar = element("rect", x=f"{left:.1f}", y=f"{base - height:.1f}", width=f"{width:.1f}", height=f"{height:.1f}",
                      class_="bar")  # fmt: skip
        text = element("text", _short(each.count), x=f"{left + width / 2:.1f}", y=f"{base - height - 3:.1f}",
                       text_anchor="middle")  # fmt: skip
        parts.append(element("g", bar, text, class_="s0"))
    parts.append(element("text", "number of results", x=LEFT, y=base + 15, class_="name"))
    return parts


def _short(count: int) -> str:
    """Return a number in at most four characters or so: `950`, `1.2k`, `34k`."""
    if count < 1_000:
        return str(count)
    thousands = count / 1_000
    return f"{thousands:.1f}k" if thousands < 10 else f"{thousands:.0f}k"


def _x(share: float) -> str:
    return f"{LEFT + SIDE * share:.1f}"


def _y(share: float, below: float = 0) -> str:
    return f"{TOP + SIDE * (1 - share) + below:.1f}"
