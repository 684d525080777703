"""How the systems compare: with the first of them, an approximate index with exact search, all with a baseline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cli.evaluate.formatting import direction_words, label, number_words
from cli.evaluate.measure import Measured, together
from search.evaluate.baseline import compare_with_baseline, falls
from search.evaluate.compare import Comparison, compare_all
from search.evaluate.evaluation import Evaluation

__all__ = ["Standing", "Standings", "stand"]


@dataclass(frozen=True)
class Standing:
    """One system against what it is held against, in every language."""

    title: str
    comparisons: Sequence[Comparison]
    left: Measured | None = None
    right: Measured | None = None
    """None for a baseline, of which there are no vectors."""


@dataclass(frozen=True)
class Standings:
    """Everything that was compared. The p of all systems are corrected together, and those of the baseline."""

    systems: Sequence[Standing] = ()
    baseline: Standing | None = None

    @property
    def all(self) -> list[Standing]:
        """The systems, then the baseline."""
        return [*self.systems, *([self.baseline] if self.baseline else [])]

    @property
    def fallen(self) -> list[Comparison]:
        """What is worse than in the baseline, by more than noise."""
        return falls(self.baseline.comparisons) if self.baseline else []

    @property
    def verdicts(self) -> list[str]:
        """In words: the systems over all languages, and what became of the baseline."""
        return [*self._of_systems(), *self._of_baseline()]

    def records(self, evaluation: Evaluation) -> dict[str, object]:
        """What to add to an evaluation's JSON object: `comparisons` with another system, with the `baseline`."""
        kinds = {"comparisons": self.systems, "baseline": [self.baseline] if self.baseline else []}
        return {
            key: [c.as_dict() for standing in standings for c in standing.comparisons if c.right == evaluation.subject]
            for key, standings in kinds.items()
            if standings
        }

    def _of_systems(self) -> Iterator[str]:
        for standing in self.systems:
            pooled = standing.comparisons[-1].right.lang
            for comparison in standing.comparisons:
                subject = comparison.right
                if subject.lang == pooled:
                    yield f"{subject.space}, {direction_words(subject.direction)}, {pooled}: {comparison.verdict}"

    def _of_baseline(self) -> Iterator[str]:
        if self.baseline is None:
            return
        for fall in self.fallen:
            name = fall.metric.name
            before, now = number_words(name, fall.left_score), number_words(name, fall.right_score)
            place = f"{fall.right.dataset} {fall.right.lang}"
            yield f"FELL: {place} {label(name)} from {before} to {now} (p = {fall.adjusted_p:.2g})"
        rose = sum(comparison.better == "right" for comparison in self.baseline.comparisons)
        count = len(self.baseline.comparisons)
        fell = len(self.fallen)
        yield f"Of {count} measures held to the baseline, {fell} fell and {rose} rose; the rest may be noise."


def stand(measured: Sequence[Measured], baseline: Sequence[Evaluation] | None) -> Standings:
    """Compares all that can be compared.

    Raises `EvaluationError` when the baseline is of other data, and `Incomparable` when it is of other queries.
    """
    return Standings(_systems(measured), None if baseline is None else _baseline(measured, baseline))


def _systems(measured: Sequence[Measured]) -> list[Standing]:
    groups = together(measured)
    pairs = [(each.exact or group[0], each) for group in groups for each in group if each is not group[0]]
    found = iter(
        compare_all([pair for left, right in pairs for pair in zip(left.evaluations, right.evaluations, strict=True)])
    )
    standings = []
    for left, right in pairs:
        count = len(left.evaluations) * len(left.pooled.metrics)
        title = f"{right.name} against {left.name}, {direction_words(right.direction)}"
        standings.append(Standing(title, [next(found) for _ in range(count)], left, right))
    return standings


def _baseline(measured: Sequence[Measured], baseline: Sequence[Evaluation]) -> Standing:
    evaluations = [evaluation for each in measured for evaluation in each.evaluations]
    return Standing("Against the baseline", compare_with_baseline(evaluations, baseline))
