"""How often the verdicts of a calibration are right: the tables of docs/relevance.md."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.relevance import KINDS, Calibration, Kind, Scale
from training.corpora import LANGUAGES
from training.questions import MEASURE, Asked, Questions, outdoors

__all__ = [
    "LIMITS",
    "MANY",
    "NEEDED_PRECISION",
    "AllAsked",
    "Judged",
    "has_many",
    "macro_precision",
    "macro_recall",
    "relevance_of",
    "replace_tables",
    "tables",
    "with_precision",
]

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]

NEEDED_PRECISION = 0.75
"""The macro precision of the likely hits to which their limit is set."""
LIMITS = np.arange(1, 1000) / 1000
"""The limits that are tried."""
MANY = 10
"""Pictures. A query with this many right ones must not be told that there is nothing."""


_TITLES = {"found": "with a likely hit", "precision": "precision", "recall": "recall", "missed": "told nothing"}


@dataclass(frozen=True)
class AllAsked:
    """All queries of a calibration, by kind and gallery."""

    everyday: Asked
    phrases: Asked
    unanswered: Asked
    words_elsewhere: Asked
    pictures: Asked
    other_pictures: Sequence[Asked]
    captions: Asked
    owners: NDArray[np.integer]
    """(N,): the column of the picture of each caption."""
    scene_captions: Asked
    scene_owners: NDArray[np.integer]
    sentences_elsewhere: Sequence[Asked]
    """Captions as queries to galleries that do not contain their picture."""

    @classmethod
    def of(cls, questions: Questions) -> "AllAsked":
        """Embed and score all queries."""
        everyday = questions.words("everyday_words.json", "everyday words")
        houses = questions.collection("houses")
        captions, owners = questions.photo_captions()
        scene_captions, scene_owners = questions.scene_captions()
        return cls(
            everyday=everyday,
            phrases=questions.words("phrases.json", "phrases"),
            unanswered=questions.unanswered(),
            words_elsewhere=outdoors(everyday, "everyday_words.json").to("everyday words to houses", houses),
            pictures=questions.pictures(),
            other_pictures=questions.other_pictures(),
            captions=captions,
            owners=owners,
            scene_captions=scene_captions,
            scene_owners=scene_owners,
            sentences_elsewhere=[
                captions.to("photo captions to houses", houses),
                captions.to("photo captions to scenes", questions.scenes),
                scene_captions.to("scene captions to photos", questions.photos),
                scene_captions.to("scene captions to houses", houses),
            ],
        )


def relevance_of(asked: Asked, scale: Scale, mean: Floats) -> Floats:
    """Return the relevance (N, P) of every picture for every query, on one scale."""
    offsets = scale.tilt * (asked.vectors @ mean) + (scale.tokens or 0) * asked.log_tokens + scale.constant  # (N,)
    logits = scale.slope * asked.scores + offsets[:, None]
    return np.asarray(1 / (1 + np.exp(-logits)))


def macro_precision(likely: Bools, right: Bools) -> float:
    """Return the mean share of right hits among the likely ones (N, P), over queries with a likely hit; else 0."""
    found = likely.sum(1)
    shares = (likely & right).sum(1)[found > 0] / found[found > 0]
    return float(shares.mean()) if len(shares) else 0.0


def macro_recall(likely: Bools, right: Bools) -> float:
    """Return the mean share of likely hits among the right pictures (N, P), over queries with a right one."""
    some = right.any(1)
    return float(((likely & right).sum(1)[some] / right.sum(1)[some]).mean())


def has_many(asked: Asked) -> Bools:
    """Return which queries (N,) must not be told that there is nothing; with unknown answers, all of them."""
    return np.ones(len(asked.scores), bool) if asked.counts is None else asked.right.sum(1) >= MANY


@dataclass(frozen=True)
class Judged:
    """Queries with the verdicts of a calibration. A kind without a scale gets none."""

    asked: Asked
    relevance: Floats
    """(N, P)."""
    likely: Bools
    """(N, P)."""
    nothing: Bools
    """(N,): whether even the best hit is unlikely."""

    @classmethod
    def of(cls, asked: Asked, scales: Mapping[Kind, Scale], mean: Floats) -> "Judged":
        """Judge all pictures."""
        relevance, likely = np.full(asked.scores.shape, 0.5), np.zeros(asked.scores.shape, bool)
        nothing = np.zeros(len(likely), bool)
        for kind, scale in scales.items():
            rows = asked.kinds == kind
            relevance[rows] = relevance_of(asked.only(rows), scale, mean)
            likely[rows] = relevance[rows] >= scale.likely
            nothing[rows] = relevance[rows].max(1) < scale.unlikely
        return cls(asked, relevance, likely, nothing)

    def only(self, rows: Bools) -> "Judged":
        """Return some of the queries."""
        return Judged(self.asked.only(rows), self.relevance[rows], self.likely[rows], self.nothing[rows])

    @property
    def precision(self) -> float:
        """The macro precision of the likely hits."""
        return macro_precision(self.likely, self.asked.right)

    @property
    def found(self) -> float:
        """The share of queries with a likely hit."""
        return float(self.likely.any(1).mean())

    @property
    def recall(self) -> float:
        """The macro recall of the likely hits."""
        return macro_recall(self.likely, self.asked.right)

    @property
    def missed(self) -> float:
        """The share of queries with many right pictures that are told that there is nothing."""
        return float(self.nothing[has_many(self.asked)].mean())

    def best_recall(self, precision: float) -> float:
        """Return the highest recall of any limit with at least this precision."""
        found = [
            macro_recall(self.relevance >= limit, self.asked.right)
            for limit in LIMITS.tolist()
            if macro_precision(self.relevance >= limit, self.asked.right) >= precision
        ]
        return max(found, default=0.0)


def with_precision(scales: Mapping[Kind, Scale], known: Mapping[Kind, Asked], mean: Floats) -> dict[Kind, Scale]:
    """Return the scales with the precision measured on queries with `known` answers, in the half not fitted to."""
    measured = dict(scales)
    for kind in scales.keys() & known.keys():
        rows = (known[kind].kinds == kind) & (known[kind].halves == MEASURE)
        measured[kind] = replace(scales[kind], precision=Judged.of(known[kind].only(rows), scales, mean).precision)
    return measured


def tables(asked: AllAsked, calibration: Calibration) -> Iterator[str]:
    """Yield the lines of the tables of docs/relevance.md, in its order."""

    def judge(one: Asked) -> Judged:
        return Judged.of(one.half(MEASURE), calibration.scales, calibration.background)

    known = [judge(one) for one in (asked.everyday, asked.phrases, asked.pictures)]
    yield from _scales(calibration)
    yield from _known([known[0], judge(asked.everyday.by_captions()), *known[1:]])
    yield from _languages(known[0])
    yield from _nothing([judge(one) for one in _galleries(asked)])
    yield from _odds(known)


def replace_tables(text: str, lines: Iterable[str]) -> str:
    """Return a Markdown text with each of its tables replaced by the one of `lines` with the same first line.

    Raises `ValueError` for a table that the text does not contain.
    """
    for table in "\n".join(lines).strip().split("\n\n"):
        start = text.find(table.partition("\n")[0])
        if start < 0:
            raise ValueError(f"no such table: {table.partition(chr(10))[0]}")
        end = text.find("\n\n", start)
        text = text[:start] + table + (text[end:] if end >= 0 else "\n")
    return text


def _galleries(asked: AllAsked) -> Iterator[Asked]:
    """Yield queries with an answer, then those without, to one gallery each."""
    yield replace(asked.captions, name="photo captions to photos")
    yield replace(asked.scene_captions, name="scene captions to scenes")
    yield from (asked.unanswered, asked.words_elsewhere)
    yield from (one.taken_out() for one in (asked.everyday, asked.phrases, asked.pictures))
    yield from (*asked.sentences_elsewhere, *asked.other_pictures)


def _scales(calibration: Calibration) -> Iterator[str]:
    yield "| kind | slope | tilt | tokens | constant | likely from | unlikely below | precision of likely hits |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for kind in KINDS:
        scale = calibration.scales.get(kind)
        if scale is None:
            yield f"| {kind} | - | - | - | - | - | - | - |"
            continue
        precision = "-" if scale.precision is None else f"{scale.precision:.3f}"
        numbers = (scale.slope, scale.tilt, scale.tokens or 0, scale.constant, scale.likely, scale.unlikely)
        yield f"| {kind} | {' | '.join(f'{number:.3f}' for number in numbers)} | {precision} |"
    yield ""


def _known(known: Sequence[Judged]) -> Iterator[str]:
    yield "| query | n | with a likely hit | precision | recall | best recall | precision, one caption | told nothing |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for judged in known:
        counts = judged.asked.counts
        loose = macro_precision(judged.likely, judged.asked.right if counts is None else counts >= 1)
        numbers = (judged.found, judged.precision, judged.recall, judged.best_recall(NEEDED_PRECISION), loose)
        cells = " | ".join(f"{number:.3f}" for number in numbers)
        many = int(has_many(judged.asked).sum())
        yield f"| {judged.asked.name} | {len(judged.likely)} | {cells} | {judged.missed:.3f} of {many} |"
    yield ""


def _languages(words: Judged) -> Iterator[str]:
    langs = [lang for lang in LANGUAGES if lang in words.asked.langs]
    parts = [words.only(words.asked.langs == lang) for lang in langs]
    yield f"| everyday words | {' | '.join(langs)} |"
    yield f"| --- | {' | '.join('---:' for _ in langs)} |"
    for name in ("found", "precision", "recall", "missed"):
        yield f"| {_TITLES[name]} | {' | '.join(f'{getattr(part, name):.3f}' for part in parts)} |"
    yield ""


def _nothing(galleries: Sequence[Judged]) -> Iterator[str]:
    yield "| query | n | told nothing | with a likely hit |"
    yield "| --- | ---: | ---: | ---: |"
    for judged in galleries:
        yield f"| {judged.asked.name} | {len(judged.likely)} | {judged.nothing.mean():.3f} | {judged.found:.3f} |"
    yield ""


def _odds(known: Sequence[Judged]) -> Iterator[str]:
    """Yield the mean relevance and the share of right pictures, in five steps of relevance."""
    yield "| relevance | 0 to 0.2 | to 0.4 | to 0.6 | to 0.8 | to 1 |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for judged in known:
        step = np.minimum((judged.relevance * 5).astype(int), 4).ravel()
        number = np.bincount(step, minlength=5)
        for title, values in (("mean relevance", judged.relevance), ("share right", judged.asked.right)):
            total = np.bincount(step, values.ravel().astype(float), minlength=5)
            cells = (f"{part / whole:.2f}" if whole else "-" for part, whole in zip(total, number, strict=True))
            yield f"| {judged.asked.name}: {title} | {' | '.join(cells)} |"
