"""Step 8: the relevance of a score of the exported files, and how well it separates answers from mere neighbours.

    python -m training.calibrate --data DIR

Fits a calibration (`search/relevance.py`) to each half of the queries and evaluates it on the other, prints the tables
of docs/relevance.md, then fits all of them and writes `calibration.json` next to the weights. Nothing of torch is
imported.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.mini.encoder import WEIGHTS, MiniEncoder
from search.relevance import RELEVANCE_THRESHOLD, Calibration, Kind, Scale
from training.corpora import LANGUAGES
from training.logistic import auc, fit
from training.questions import Questions, background, picture_questions, text_questions

__all__ = ["fit_scale", "main", "measured"]

Floats = NDArray[np.floating]


def fit_scale(asked: Sequence[Questions], mean: Floats, half: int | None = None) -> Scale:
    """Fit the scale that separates answered from unanswered queries, in one half of them or in both.

    Both classes have the same weight, and so has each kind of query within a class.
    """
    used = [(questions, _rows(questions, half)) for questions in asked if questions.use != "measure"]
    sides = [sum(questions.answered == side for questions, _ in used) for side in (False, True)]
    features, answered, weights = [], [], []
    for questions, rows in used:
        features.append(_features(questions, mean)[rows])
        answered.append(np.full(rows.sum(), float(questions.answered)))
        weights.append(np.full(rows.sum(), 0.5 / sides[questions.answered] / rows.sum()))
    slope, tilt, constant = fit(np.concatenate(features), np.concatenate(answered), np.concatenate(weights))
    return Scale(float(slope), float(tilt), float(constant))


def measured(asked: Sequence[Questions], mean: Floats) -> Mapping[str, Floats]:
    """Return the relevance (N,) of the best hit of each query, by a scale fitted to the other half."""
    scales = [fit_scale(asked, mean, half) for half in (0, 1)]
    found = {}
    for questions in asked:
        logits = [_features(questions, mean) @ [scale.slope, scale.tilt] + scale.constant for scale in scales]
        found[questions.name] = 1 / (1 + np.exp(-np.where(questions.halves == 0, logits[1], logits[0])))
    return found


def log_loss(asked: Sequence[Questions], relevance: Mapping[str, Floats]) -> float:
    """Return the mean negative log likelihood of the queries to fit; kinds and classes have the same weight."""
    likely, answered, weights = _fitted(asked, relevance)
    return -float(weights @ np.log(np.where(answered, likely, 1 - likely)))


def main() -> None:
    """Fit and write the calibration, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=WEIGHTS / "calibration.json")
    options = parser.parse_args()
    encoder = MiniEncoder()
    mean = np.round(background(options.data, encoder), 4)
    asked: dict[Kind, list[Questions]] = {
        "text": text_questions(options.data, encoder),
        "picture": picture_questions(options.data, encoder),
    }
    for questions in asked.values():
        _print(questions, measured(questions, mean))
        _print_odds(questions, measured(questions, mean))
        for name, vector in (("with", mean), ("without", np.zeros_like(mean))):
            print(f"log loss {name} the background: {log_loss(questions, measured(questions, vector)):.3f}")
    _print_pairs({questions.name: questions for questions in asked["text"]}, measured(asked["text"], mean))
    _print_collections(asked["picture"], measured(asked["picture"], mean))
    scales = {kind: fit_scale(questions, mean) for kind, questions in asked.items()}
    print(scales)
    Calibration(encoder.space.weights, mean.astype(np.float32), scales).write(options.out)


def _features(questions: Questions, mean: Floats) -> Floats:
    return np.column_stack([questions.scores, questions.vectors @ mean])  # (N, 2)


def _fitted(asked: Sequence[Questions], relevance: Mapping[str, Floats]) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Return the relevance, answer and weight (N,) of all queries to fit."""
    used = [questions for questions in asked if questions.use != "measure"]
    sides = [sum(questions.answered == side for questions in used) for side in (False, True)]
    lengths = [len(questions.scores) for questions in used]
    each = [0.5 / sides[questions.answered] / len(questions.scores) for questions in used]
    likely = np.concatenate([relevance[questions.name] for questions in used])
    return likely, np.repeat([questions.answered for questions in used], lengths), np.repeat(each, lengths)


def _rows(questions: Questions, half: int | None) -> NDArray[np.bool_]:
    return np.ones(len(questions.halves), bool) if half is None else questions.halves == half


def _print(asked: Sequence[Questions], relevance: Mapping[str, Floats]) -> None:
    """Print the error rate of each kind of query, overall and by language."""
    for questions in asked:
        if questions.use == "fit":
            continue
        wrong = (relevance[questions.name] >= RELEVANCE_THRESHOLD) != questions.answered
        cells = [f"{wrong.mean():.3f}"]
        cells += [f"{wrong[questions.langs == lang].mean():.3f}" for lang in LANGUAGES if lang in questions.langs]
        error = "nothing" if questions.answered else "found"
        print(f"| {questions.name} | {error} | {len(wrong)} |", " | ".join(cells), "|")


def _print_pairs(asked: dict[str, Questions], relevance: Mapping[str, Floats]) -> None:
    """Print how well the relevance of the best hit separates answered from unanswered queries, by language."""
    pairs = {
        "photo captions: photos, houses": ("photo captions, all", "photo captions to houses"),
        "photo captions: photos, scenes": ("photo captions, all", "photo captions to scenes"),
        "scene captions: scenes, photos": ("scene captions, all", "scene captions to photos"),
        "scene captions: scenes, houses": ("scene captions, all", "scene captions to houses"),
        "photo captions: own there, taken out": ("photo captions, all", "photo captions, own taken out"),
        "scene captions: own there, taken out": ("scene captions, all", "scene captions, own taken out"),
        "photo captions in English: topic there, taken out": ("photo captions, all", "topic taken out"),
        "short queries": ("short queries, answered", "short queries, unanswered"),
    }
    for name, (there, away) in pairs.items():
        shared = np.intersect1d(asked[there].langs, asked[away].langs)
        cells = []
        for langs in (shared.tolist(), *([lang] for lang in LANGUAGES if lang in shared)):
            yes, no = (relevance[side][np.isin(asked[side].langs, langs)] for side in (there, away))
            cells.append(f"{auc(yes, no):.3f}")
        print(f"| {name} |", " | ".join(cells), "|")


def _print_odds(asked: Sequence[Questions], relevance: Mapping[str, Floats]) -> None:
    """Print the mean relevance and the fraction of answered queries in five steps of relevance."""
    likely, answered, weights = _fitted(asked, relevance)
    step = np.minimum((likely * 5).astype(int), 4)
    total, mean, share = (np.bincount(step, weights * value) for value in (np.ones(len(step)), likely, answered))
    print("mean relevance:", np.round(mean / total, 2), "share answered:", np.round(share / total, 2))


def _print_collections(asked: Sequence[Questions], relevance: Mapping[str, Floats]) -> None:
    """Print the errors of each collection in its own gallery and in all others, and how well the two are separated."""
    for own in (questions for questions in asked if questions.answered):
        kind = own.name.split()[0]
        others = [found.name for found in asked if found.name.startswith(f"{kind} ") and not found.answered]
        yes, no = relevance[own.name], np.concatenate([relevance[name] for name in others])
        cells = ((yes < RELEVANCE_THRESHOLD).mean(), (no >= RELEVANCE_THRESHOLD).mean(), auc(yes, no))
        print(f"| {kind} |", " | ".join(f"{cell:.3f}" for cell in cells), "|")


if __name__ == "__main__":
    main()
