"""Step 8: the relevance of a score of the exported files, and how often its verdicts are right.

    python -m training.calibrate --data DIR [--weights DIR] [--docs docs/relevance.md]

Fits a calibration (`search/relevance.py`) to one half of the queries, prints the tables of docs/relevance.md, measured
with the other half, and writes `calibration.json` next to the weights. A kind of query without reliable verdicts gets
no scale. Embeddings are kept in `runs/calibration`, by the space of the encoder. Nothing of torch is imported.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.mini.encoder import CALIBRATION, WEIGHTS, MiniEncoder
from search.logistic import fit
from search.relevance import Calibration, Kind, Scale
from training import verdicts
from training.questions import FIT, Asked, Embeddings, Questions

__all__ = ["Fitted", "best_cut", "calibrate", "fit_best", "fit_pairs", "main", "with_limits"]

Floats = NDArray[np.floating]

MAX_MISSED = 0.02
"""The share of answered queries whose best hit may be called unlikely, in the half to fit. Among queries that were not
fitted to, it is larger."""
MAX_WORDS_MISSED = 0.015
"""The same for single words: at most 0.05 of others were missed in four of five random splits of the words to fit (in
85 of 100; with 0.02 in 77), when phrases chose the limits of words as well."""
MIN_FOUND = 0.1
"""A kind of query gets no scale if fewer of its queries have a likely hit."""


@dataclass(frozen=True)
class Fitted:
    """The queries of one kind that a scale is fitted to."""

    kind: Kind
    answered: Sequence[Asked]
    unanswered: Sequence[Asked]
    max_missed: float = MAX_MISSED
    reads_tokens: bool = False
    """Whether the scale reads the number of tokens."""
    limited_by: Sequence[Asked] = ()
    """The answered queries that choose the limits; by default all of them."""


def calibrate(asked: verdicts.AllAsked, mean: Floats) -> dict[Kind, Scale]:
    """Return the scale of each kind of query for which reliable verdicts exist."""
    words = [asked.everyday, asked.phrases]
    pairs = (
        # Captions leave things out, so that likely hits seem worse than they are where no photo was looked at.
        Fitted("word", words, [asked.unanswered], MAX_WORDS_MISSED, reads_tokens=True, limited_by=[asked.everyday]),
        Fitted("phrase", words, [asked.unanswered]),
        Fitted("picture", [asked.pictures], asked.other_pictures),
    )
    scales: dict[Kind, Scale] = {}
    for fitted in pairs:
        answered, unanswered = (_rows(side, fitted.kind, FIT) for side in (fitted.answered, fitted.unanswered))
        found = fit_pairs(answered, unanswered, mean, reads_tokens=fitted.reads_tokens)
        limited_by = _rows(fitted.limited_by or fitted.answered, fitted.kind, FIT)
        scale = with_limits(found, limited_by, mean, fitted.max_missed) if limited_by else None
        if scale is not None:
            scales[fitted.kind] = scale
    sentences = fit_best(asked, mean)
    limit = _unlikely(sentences, [asked.captions.half(FIT)], mean, MAX_MISSED)
    scales["sentence"] = replace(sentences, unlikely=min(sentences.likely, limit))
    return scales


def fit_pairs(
    answered: Sequence[Asked], unanswered: Sequence[Asked], mean: Floats, *, reads_tokens: bool = False
) -> Scale:
    """Fit a scale to all pairs of a query and a picture.

    Queries with and without an answer weigh a half each, and each query weighs the same within its half.
    """
    features, right, weights = [], [], []
    for side in (answered, unanswered):
        number = sum(len(asked.scores) for asked in side)
        for asked in side:
            features.append(_features(asked, mean, reads_tokens=reads_tokens))
            right.append(asked.right.ravel().astype(float))
            weights.append(np.full(asked.scores.size, 0.5 / number / asked.scores.shape[1]))
    return _scale(np.concatenate(features), np.concatenate(right), np.concatenate(weights))


def fit_best(asked: verdicts.AllAsked, mean: Floats) -> Scale:
    """Fit a scale to the best hits of sentences without an answer, and to the own pictures of captions.

    The captions of a picture are used if the picture is among their ten best hits. Which other pictures are right is
    unknown. Both classes have the same weight, and so has each gallery within a class.
    """
    features, right, weights = [], [], []
    for sentences, owners in ((asked.captions, asked.owners), (asked.scene_captions, asked.scene_owners)):
        own = np.take_along_axis(sentences.scores, owners[:, None], 1)  # (N, 1)
        found = ((sentences.scores > own).sum(1) < 10) & (sentences.halves == FIT)
        features.append(np.column_stack([own[found, 0], sentences.vectors[found] @ mean]))
        right.append(np.ones(found.sum()))
        weights.append(np.full(found.sum(), 0.25 / found.sum()))
    for sentences in asked.sentences_elsewhere:
        half = sentences.half(FIT)
        features.append(np.column_stack([half.scores.max(1), half.vectors @ mean]))
        right.append(np.zeros(len(half.scores)))
        weights.append(np.full(len(half.scores), 0.5 / len(asked.sentences_elsewhere) / len(half.scores)))
    return _scale(np.concatenate(features), np.concatenate(right), np.concatenate(weights))


def with_limits(scale: Scale, answered: Sequence[Asked], mean: Floats, max_missed: float = MAX_MISSED) -> Scale | None:
    """Return the scale with the limits of its verdicts.

    None if no limit gives likely hits of the precision needed to enough queries.
    """
    relevance = np.concatenate([verdicts.relevance_of(asked, scale, mean) for asked in answered])
    right = np.concatenate([asked.right for asked in answered])
    cut = best_cut(relevance, right)
    if cut is None or (relevance >= cut).any(1).mean() < MIN_FOUND:
        return None
    return replace(scale, likely=cut, unlikely=min(cut, _unlikely(scale, answered, mean, max_missed)))


def best_cut(relevance: Floats, right: NDArray[np.bool_], precision: float = verdicts.NEEDED_PRECISION) -> float | None:
    """Return the lowest limit for `relevance` (N, P) at which the likely hits have the macro `precision`, if any."""
    for limit in verdicts.LIMITS.tolist():
        if verdicts.macro_precision(relevance >= limit, right) >= precision:
            return float(limit)
    return None


def main() -> None:
    """Fit and write the calibration, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="the folder of the weights [the newest ones]")
    parser.add_argument("--out", type=Path, help="[calibration.json in that folder]")
    parser.add_argument("--docs", type=Path, help="a document whose tables are replaced")
    parser.add_argument("--work", type=Path, default=Path("runs/calibration"))
    options = parser.parse_args()
    encoder = MiniEncoder(options.weights)
    questions = Questions(options.data, Embeddings(encoder, options.work))
    mean = np.round(questions.background(), 4)
    asked = verdicts.AllAsked.of(questions)
    known: dict[Kind, Asked] = {"word": asked.everyday, "phrase": asked.phrases, "picture": asked.pictures}
    scales = verdicts.with_precision(calibrate(asked, mean), known, mean)
    calibration = Calibration(encoder.space.weights, mean.astype(np.float32), scales)
    out = options.out or options.weights / CALIBRATION
    calibration.write(out)
    tables = list(verdicts.tables(asked, Calibration.read(out)))
    print(*tables, sep="\n")
    if options.docs:
        text = options.docs.read_text(encoding="utf-8")
        options.docs.write_text(verdicts.replace_tables(text, tables), encoding="utf-8")


def _rows(side: Sequence[Asked], kind: Kind, half: int) -> list[Asked]:
    """Return the queries of one kind and half, without empty sets."""
    found = [asked.only((asked.kinds == kind) & (asked.halves == half)) for asked in side]
    return [asked for asked in found if len(asked.scores)]


def _unlikely(scale: Scale, answered: Sequence[Asked], mean: Floats, max_missed: float) -> float:
    """Return the limit below which the best hit of only few queries with an answer lies."""
    best = [verdicts.relevance_of(asked, scale, mean).max(1)[verdicts.has_many(asked)] for asked in answered]
    return float(np.floor(np.quantile(np.concatenate(best), max_missed) * 1000) / 1000)


def _features(asked: Asked, mean: Floats, *, reads_tokens: bool) -> Floats:
    """Return the score of each pair, the similarity of its query to the background, and its tokens: (N * P, 2 or 3)."""
    of_query = [asked.vectors @ mean, *([asked.log_tokens] if reads_tokens else [])]
    return np.column_stack([asked.scores.ravel(), *(np.repeat(each, asked.scores.shape[1]) for each in of_query)])


def _scale(features: Floats, right: Floats, weights: Floats) -> Scale:
    slope, tilt, *tokens, constant = (round(float(each), 3) for each in fit(features, right, weights / weights.sum()))
    return Scale(slope, tilt, constant, tokens=tokens[0] if tokens else None)


if __name__ == "__main__":
    main()
