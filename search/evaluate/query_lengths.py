"""Slices of an evaluation by the length of the queries.

The length of a text is its number of words: parts between blanks that contain a letter or a digit. Chinese, Japanese,
Thai and some other scripts have no blanks between words, and without a dictionary their words cannot be counted. The
length of a text that is mostly in such a script is its number of letters and digits, and it is in slices of its own.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from search.evaluate.datasets.base import Dataset
from search.evaluate.evaluation import Evaluation, finite

__all__ = ["LengthSlice", "length_slices", "text_length"]

Unit: TypeAlias = Literal["words", "characters"]

STARTS: Mapping[Unit, Sequence[int]] = {"words": (1, 4, 8, 13), "characters": (1, 7, 15, 25)}
"""The shortest length in each slice."""

_UNSPACED = re.compile(
    r"[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\uff66-\uff9d\U00020000-\U0003ffff]"
)
"""Characters of scripts without blanks between words: Thai, Lao, Tibetan, Burmese, Khmer, Japanese and Chinese."""

_LETTER = re.compile(r"[^\W_]")
"""A letter or a digit."""


@dataclass(frozen=True)
class LengthSlice:
    """The evaluation of the queries of `low` to `high` words or characters; `high` is None for the longest."""

    unit: Unit
    low: int
    high: int | None
    evaluation: Evaluation

    @property
    def label(self) -> str:
        """The lengths with their unit: `4-7 words`, `13+ words`."""
        return f"{self.low}{'+' if self.high is None else f'-{self.high}'} {self.unit}"

    def as_dict(self) -> dict[str, object]:
        """Return a JSON object. Numbers that are not finite become None."""
        evaluation = self.evaluation
        bounds = {} if evaluation.depth is None else {"lower_bounds": _finite(evaluation.bounds)}
        return {
            "unit": self.unit,
            "from": self.low,
            "to": self.high,
            "queries": len(evaluation.queries),
            **_finite(evaluation.scores),
            "intervals": {name: [finite(i.low), finite(i.high)] for name, i in evaluation.intervals.items()},
            **bounds,
        }


def length_slices(evaluation: Evaluation, dataset: Dataset) -> list[LengthSlice]:
    """Return the slices that have queries, the shortest first.

    Empty if all queries are in one slice, if they are pictures or classes, or if their texts are not known.
    """
    if evaluation.subject.direction == "picture-to-text" or dataset.task == "classification":
        return []
    texts = {caption.id: caption.text for caption in dataset.captions}
    rows: dict[tuple[Unit, int], list[int]] = {}
    for row, query in enumerate(evaluation.queries):
        if text := texts.get(query, ""):
            unit, length = text_length(text)
            rows.setdefault((unit, max(start for start in STARTS[unit] if start <= length)), []).append(row)
    if len(rows) < 2:
        return []
    keys = [(unit, start) for unit, starts in STARTS.items() for start in starts if (unit, start) in rows]
    return [LengthSlice(unit, low, _end(unit, low), evaluation.part(rows[unit, low])) for unit, low in keys]


def text_length(text: str) -> tuple[Unit, int]:
    """Return the unit of the length of a text, and the length; at least 1."""
    unspaced = len(_UNSPACED.findall(text))
    if unspaced:
        letters = sum(unicodedata.category(char)[0] in "LN" for char in text)
        if unspaced * 2 > letters:
            return "characters", max(1, letters)
    return "words", max(1, sum(_LETTER.search(part) is not None for part in text.split()))


def _finite(numbers: Mapping[str, float]) -> dict[str, float | None]:
    return {name: finite(number) for name, number in numbers.items()}


def _end(unit: Unit, low: int) -> int | None:
    """Return the longest length in the slice that starts at `low`."""
    return next((start - 1 for start in STARTS[unit] if start > low), None)
