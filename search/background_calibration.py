"""A calibration for a model that ships without one, made from the background photos (`encoders/background`).

Scores of the photos' own words, phrases and captions are compared with those of all other photos, by the logistic
regression that `search/relevance.py` applies. The photos are few, so the fit is regularised and its quality is
estimated by cross-validation over the texts. A kind of text whose verdicts are not reliable there gets no scale, and
neither do pictures: the set has too few pairs of similar photos to judge them.

A calibration is made once and kept in the folder of models (`search/kept_calibrations.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import DeviceUnavailable, ExtraMissing, ModelUnavailable, SightlineError
from encoders.background import LANGUAGES, Background, background
from encoders.base import Encoder, Vectors
from search.kept_calibrations import CalibrationOutcome, calibrating, keep, kept_outcome
from search.logistic import fit
from search.relevance import Calibration, Kind, Scale, calibration_of

__all__ = ["METHOD", "can_calibrate", "fit_calibration", "known_outcome", "make_calibration"]

NO_WEIGHTS = "none"
"""The digest of a model without weights."""
TEMPORARY = (DeviceUnavailable, ExtraMissing, MemoryError, ModelUnavailable, OSError)
"""Exceptions that are not kept: the same model may work later, or on another device."""
LONGEST_REASON = 300
"""Characters of the reason of a failure that are kept."""
METHOD = 1
"""The version of the method, raised with every change that can change a calibration."""
NEEDED_PRECISION = 0.85
"""The macro precision of the likely hits to which their limit is set."""
NEEDED_RECALL = 0.3
"""With less macro recall at that precision, a kind of text gets no scale."""
NOTHING_RATE = 0.05
"""The share of texts with an answer whose best answer may fall below the lower limit."""
LIMITS = np.arange(1, 1000) / 1000
"""The limits that are tried."""
FOLDS = 10
PENALTY = 1e-4
"""Weight of the squared coefficients of features with a standard deviation of one."""

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]
Texts = Mapping[str, str]


@dataclass(frozen=True)
class _Asked:
    """Texts of one kind and the scores of all photos."""

    scores: Floats
    """(N, P)."""
    tilts: Floats
    """(N,): the similarity of each text to the background."""
    right: Bools
    """(N, P)."""
    wrong: Bools
    """(N, P): what is neither right nor wrong is not used."""
    folds: NDArray[np.integer]
    """(N,): translations of one text are in the same fold."""

    def logits(self, scale: Scale) -> Floats:
        """Return the logits (N, P)."""
        return scale.slope * self.scores + (scale.tilt * self.tilts + scale.constant)[:, None]


def known_outcome(encoder: Encoder) -> CalibrationOutcome | None:
    """Return the calibration that ships with a model, or what came of making one; None if none was made yet."""
    if shipped := calibration_of(encoder):
        return CalibrationOutcome(shipped)
    return kept_outcome(encoder.space, _source(encoder)) if can_calibrate(encoder) else None


def can_calibrate(encoder: Encoder) -> bool:
    """Return whether a calibration can be kept for a model: not for one without weights."""
    return encoder.space.weights != NO_WEIGHTS


def make_calibration(encoder: Encoder) -> CalibrationOutcome:
    """Make and keep the calibration of `encoder`, or the reason why the model failed; known outcomes are returned.

    If another thread or process is making it, this waits for it. The texts are in the languages that the model is known
    to read; in English if these are unknown. This embeds 85 photos and some hundreds of texts per language.
    """
    with calibrating(encoder.space):
        if known := known_outcome(encoder):
            return known
        try:
            outcome = CalibrationOutcome(fit_calibration(encoder, _languages(encoder)))
        except Exception as exc:  # a plug-in can raise anything, and a search works without relevance
            outcome = CalibrationOutcome(None, _reason(exc))
            if isinstance(exc, TEMPORARY):
                return outcome
        keep(encoder.space, outcome, _source(encoder))
    return outcome


def _reason(exc: Exception) -> str:
    """Return an exception as one short line."""
    text = " ".join(str(exc).split())
    return f"{type(exc).__name__}: {text}"[:LONGEST_REASON].removesuffix(": ")


def _source(encoder: Encoder) -> list[object]:
    """Return what the calibration of a model is made from, apart from the model."""
    of_texts = [encoder.text_version] if encoder.text_version else []
    return [METHOD, background().version, *_languages(encoder), *of_texts]


def _languages(encoder: Encoder) -> tuple[str, ...]:
    """Return the languages that the model is known to read, as ISO 639-1 codes; English if these are unknown."""
    if encoder.languages is not None:
        return encoder.languages
    from encoders.model_info import describe_model  # only for models without a shipped calibration

    try:
        return describe_model(encoder.space.model).languages or ("en",)
    except SightlineError:
        return ("en",)


def fit_calibration(encoder: Encoder, languages: Sequence[str] = ("en",)) -> Calibration:
    """Return a calibration for `encoder` and texts in `languages`; a kind that cannot be trusted has no scale.

    Languages without texts in the set are ignored; if none remains, English is used. Raises `BadVectors` if the model
    returns unusable values.
    """
    content = background()
    used = tuple(language for language in LANGUAGES if language in languages) or ("en",)
    photos = encoder.encode_images([photo.open() for photo in content.photos])  # (P, D)
    mean = photos.mean(0)
    scales: dict[Kind, Scale] = {}
    for kind, (texts, right, wrong) in _questions(content).items():
        vectors = encoder.encode_texts([text[language] for text in texts for language in used])
        asked = _asked(vectors, photos, mean, np.repeat(right, len(used), 0), np.repeat(wrong, len(used), 0), len(used))
        if scale := _trusted_scale(asked):
            scales[kind] = scale
    return Calibration(encoder.space.weights, mean.astype(np.float32), scales)


def _questions(content: Background) -> Mapping[Kind, tuple[list[Texts], Bools, Bools]]:
    """Return the texts (N) of each kind, and which photos are right and wrong for them (N, P)."""
    count = len(content.photos)
    named = np.array([[word in photo.words for photo in content.photos] for word in content.words])
    unclear = np.array([[word in photo.unclear for photo in content.photos] for word in content.words])
    own = np.eye(count, dtype=bool)
    phrases = [photo.phrases for photo in content.photos]
    sentences = [photo.sentences for photo in content.photos]
    return {
        "word": _with_absent(list(content.words.values()), content.absent_words, named, ~named & ~unclear),
        "phrase": _with_absent(phrases, content.absent_phrases, own, ~own),
        "sentence": _with_absent(sentences, content.absent_sentences, own, ~own),
    }


def _with_absent(
    texts: list[Texts], absent: Sequence[Texts], right: Bools, wrong: Bools
) -> tuple[list[Texts], Bools, Bools]:
    none = np.zeros((len(absent), right.shape[1]), bool)
    return [*texts, *absent], np.concatenate([right, none]), np.concatenate([wrong, ~none])


def _asked(vectors: Vectors, photos: Vectors, mean: Floats, right: Bools, wrong: Bools, languages: int) -> _Asked:
    folds = np.arange(len(vectors)) // languages % FOLDS
    return _Asked(vectors @ photos.T, vectors @ mean, right, wrong, folds)


def _trusted_scale(asked: _Asked) -> Scale | None:
    """Return the scale of one kind of text with both limits; None if its verdicts are not reliable."""
    logits = np.zeros_like(asked.scores)
    for fold in range(FOLDS):
        held_out = asked.folds == fold
        logits[held_out] = asked.logits(_fitted(asked, ~held_out))[held_out]
    relevance = 1 / (1 + np.exp(-logits))
    scale = _fitted(asked, np.ones(len(asked.folds), bool))
    likely = _likely_limit(relevance, asked)
    if likely is None or scale.slope <= 0:
        return None
    best = np.where(asked.right, relevance, 0).max(1)[asked.right.any(1)]
    unlikely = min(likely, float(np.quantile(best, NOTHING_RATE)))
    return Scale(scale.slope, scale.tilt, scale.constant, likely, unlikely, _precision(relevance >= likely, asked))


def _fitted(asked: _Asked, rows: Bools) -> Scale:
    """Return the scale that separates right from wrong photos of some texts; every text has the same weight."""
    used = (asked.right | asked.wrong) & rows[:, None]
    features = np.column_stack([asked.scores[used], np.broadcast_to(asked.tilts[:, None], used.shape)[used]])
    weights = np.broadcast_to(1 / np.maximum(used.sum(1), 1)[:, None], used.shape)[used]
    center, spread = features.mean(0), np.maximum(features.std(0), 1e-9)
    slope, tilt, constant = fit(
        (features - center) / spread, asked.right[used].astype(float), weights / weights.sum(), PENALTY
    )
    slope, tilt = slope / spread[0], tilt / spread[1]
    return Scale(float(slope), float(tilt), float(constant - slope * center[0] - tilt * center[1]))


def _likely_limit(relevance: Floats, asked: _Asked) -> float | None:
    """Return the lowest limit with the needed precision, if the needed recall remains there."""
    for limit in LIMITS.tolist():
        likely = relevance >= limit
        if _recall(likely, asked) < NEEDED_RECALL:
            return None
        if _precision(likely, asked) >= NEEDED_PRECISION:
            return float(limit)
    return None


def _precision(likely: Bools, asked: _Asked) -> float:
    """Return the mean share of right photos among the likely ones, over texts with a likely photo."""
    counted = likely & (asked.right | asked.wrong)
    found = counted.sum(1)
    return float(np.mean((counted & asked.right).sum(1)[found > 0] / found[found > 0])) if found.any() else 0.0


def _recall(likely: Bools, asked: _Asked) -> float:
    """Return the mean share of likely photos among the right ones, over texts with a right photo."""
    some = asked.right.any(1)
    return float(np.mean((likely & asked.right).sum(1)[some] / asked.right.sum(1)[some]))
