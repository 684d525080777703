"""Comparisons of systems: with the first system, of an approximate index with exact search, and with a baseline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cli.evaluate.formatting import format_language, format_number, format_task, metric_label
from cli.evaluate.published import PublishedTable
from search.evaluate.baseline import compare_with_baseline, significant_drops
from search.evaluate.compare import Comparison, compare_all
from search.evaluate.evaluation import Evaluation
from search.evaluate.measurement import Measurement, group_by_task

__all__ = ["ComparisonReport", "SystemComparison", "compare_measurements"]


@dataclass(frozen=True)
class SystemComparison:
    """The comparisons of one system with another, or with the baseline, by all metrics in all languages."""

    title: str
    comparisons: Sequence[Comparison]
    left: Measurement | None = None
    right: Measurement | None = None
    """None for a baseline, which contains no vectors."""


@dataclass(frozen=True)
class ComparisonReport:
    """All comparisons. The p-values of all systems are corrected together, and separately those of the baseline."""

    systems: Sequence[SystemComparison] = ()
    baseline: SystemComparison | None = None
    published: PublishedTable = field(default_factory=PublishedTable)
    """Published results of other models, which are shown, but not tested."""

    @property
    def all(self) -> list[SystemComparison]:
        """The comparisons of systems, then that with the baseline."""
        return [*self.systems, *([self.baseline] if self.baseline else [])]

    @property
    def drops(self) -> list[Comparison]:
        """The metrics that are significantly worse than in the baseline."""
        return significant_drops(self.baseline.comparisons) if self.baseline else []

    @property
    def verdicts(self) -> list[str]:
        """Sentences on the systems, over all languages, and on the baseline."""
        return [*self._system_verdicts(), *self._baseline_verdicts()]

    def records(self, evaluation: Evaluation) -> dict[str, object]:
        """Return the additions to an evaluation's JSON object.

        These are `comparisons` of systems and with the `baseline`, and `published` results.
        """
        kinds = {"comparisons": self.systems, "baseline": [self.baseline] if self.baseline else []}
        compared: dict[str, object] = {
            key: [c.as_dict() for each in compared for c in each.comparisons if c.right == evaluation.subject]
            for key, compared in kinds.items()
            if compared
        }
        published = [
            {"system": each.model, "source": each.source, **each.scores} for each in self.published.of(evaluation)
        ]
        return {**compared, **({"published": published} if published else {})}

    def _system_verdicts(self) -> Iterator[str]:
        for compared in self.systems:
            pooled = compared.comparisons[-1].right.lang
            for comparison in compared.comparisons:
                subject = comparison.right
                if subject.lang == pooled:
                    task = format_task(compared.right) if compared.right else ""
                    yield f"{subject.space}{task}, {format_language(pooled)}: {comparison.verdict}"

    def _baseline_verdicts(self) -> Iterator[str]:
        if self.baseline is None:
            return
        for drop in self.drops:
            name = drop.metric.name
            before, now = format_number(name, drop.left_score), format_number(name, drop.right_score)
            task = f"{drop.right.dataset} {drop.right.lang}"
            yield f"DROPPED: {task} {metric_label(name)} from {before} to {now} (p = {drop.adjusted_p:.2g})"
        rose = sum(comparison.better == "right" for comparison in self.baseline.comparisons)
        count = len(self.baseline.comparisons)
        yield (
            f"Of {count} metrics compared with the baseline, {len(self.drops)} dropped and {rose} rose. "
            "All other differences may be noise."
        )


def compare_measurements(
    measurements: Sequence[Measurement],
    baseline: Sequence[Evaluation] | None,
    published: PublishedTable | None = None,
) -> ComparisonReport:
    """Compare all systems on the same task, and everything with the baseline.

    Raises `EvaluationError` when the baseline has other data, and `IncomparableEvaluations` when it has other queries.
    """
    against_baseline = None if baseline is None else _compare_with_baseline(measurements, baseline)
    return ComparisonReport(_compare_systems(measurements), against_baseline, published or PublishedTable())


def _compare_systems(measurements: Sequence[Measurement]) -> list[SystemComparison]:
    groups = group_by_task(measurements)
    pairs = [(each.exact or group[0], each) for group in groups for each in group if each is not group[0]]
    results = iter(
        compare_all([pair for left, right in pairs for pair in zip(left.evaluations, right.evaluations, strict=True)])
    )
    compared = []
    for left, right in pairs:
        count = len(left.evaluations) * len(left.pooled.metrics)
        its_results = [next(results) for _ in range(count)]
        depth = its_results[0].depth if its_results else None
        cut = f", both cut at {depth:,} results" if depth else ""
        title = f"{right.name} compared with {left.name}{format_task(right)}{cut}"
        compared.append(SystemComparison(title, its_results, left, right))
    return compared


def _compare_with_baseline(measurements: Sequence[Measurement], baseline: Sequence[Evaluation]) -> SystemComparison:
    evaluations = [evaluation for each in measurements for evaluation in each.evaluations]
    return SystemComparison("Compared with the baseline", compare_with_baseline(evaluations, baseline))
