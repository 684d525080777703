"""The options of a search, the same for every kind of query."""

import math
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from core.errors import InvalidQuery
from search.filters import Filters

__all__ = ["DEFAULT_OPTIONS", "LongTexts", "SearchOptions", "Sort"]

Sort: TypeAlias = Literal["relevance", "date"]
"""The order of the hits: best first, or newest first."""

LongTexts: TypeAlias = Literal["split", "truncate"]
"""How to embed a text that is longer than the model's context: `split` averages the vectors of its sentences,
`truncate` embeds the beginning only."""


@dataclass(frozen=True)
class SearchOptions:
    """Which hits to return, in which order, and how to embed the query. Raises `InvalidQuery` for invalid values."""

    k: int = 10
    """The maximum number of hits per page, at least 1."""
    min_score: float | None = None
    """Return only hits with at least this cosine similarity."""
    filters: Filters = field(default_factory=Filters)
    """Rank only the pictures that match. Filters apply before ranking, so they never reduce the number of hits."""
    relevant: bool = False
    """Return only hits that are probably right. Requires a model that is calibrated for this kind of query."""
    sort: Sort = "relevance"
    """`date` sorts all hits that are relevant or reach `min_score`, newest first; with neither, only the `k` best."""
    cursor: str | None = None
    """The `next_cursor` of an answer to the same query: return the page after it."""
    diverse: float | None = None
    """Rerank for diversity with this lambda, from 0 (difference only) to 1 (similarity only). Returns a single page."""
    explain: bool = False
    """Add to each hit its cosine similarity to each part of the query."""
    collapse_duplicates: bool = True
    """Return only the best hit of each group of near-duplicates."""
    every_frame: bool = False
    """Return each page or moment of a file as a hit of its own, near-duplicates too, instead of the best one."""
    text_weight: float = 0.0
    """Rank by the score plus this weight, 0 to 1, times the share of the query's words that stand in the picture."""
    exact: bool = False
    """Compare every picture, even if the library is so large that it has an approximate index."""
    long_texts: LongTexts = "split"
    prompt_ensemble: str | None = None
    """Average each text over the prompt templates of this language (`search/prompt_templates.py`)."""

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("sort", self.sort, get_args(Sort)),
            ("long_texts", self.long_texts, get_args(LongTexts)),
        ):
            if value not in choices:
                raise InvalidQuery(f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}.")
        if self.k < 1:
            raise InvalidQuery(f"k must be at least 1, not {self.k}.")
        if self.min_score is not None and not math.isfinite(self.min_score):
            raise InvalidQuery(f"{self.min_score} is not a score. Cosine similarities are between -1 and 1.")
        if not (math.isfinite(self.text_weight) and 0 <= self.text_weight <= 1):
            raise InvalidQuery(f"The weight of text in pictures must be from 0 to 1, not {self.text_weight:g}.")
        if self.diverse is not None and not (math.isfinite(self.diverse) and 0 <= self.diverse <= 1):
            raise InvalidQuery(
                f"The balance between similarity and diversity must be from 0 to 1, not {self.diverse:g}."
            )
        if self.cursor is not None and self.diverse is not None:
            raise InvalidQuery(
                "A diverse answer has one page only. Increase the number of hits instead of using a cursor."
            )


DEFAULT_OPTIONS = SearchOptions()
