"""The evaluation of the exported files."""

import numpy as np
import pytest

from encoders.mini.encoder import MiniEncoder
from training.corpora import LANGUAGES
from training.evaluate import across_languages, evaluate, scene_gallery


def test_captions_find_unseen_scenes_far_above_chance() -> None:
    encoder = MiniEncoder()
    found = evaluate(scene_gallery(30, encoder), encoder)
    for lang in LANGUAGES:
        assert len(found[lang].queries) == 90  # three captions of each
        assert found[lang].scores["recall@5"] > 0.5, lang  # chance is 5/30


def test_sentences_match_across_languages() -> None:
    left = np.array([[1, 0], [0, 1]], np.float32)
    right = np.array([[0.6, 0.8], [0.8, 0.6]], np.float32)
    # each sentence is nearer to the other's translation: cosines 0.6 of its own, 0.8 of the wrong one
    assert across_languages(left, right) == pytest.approx((0.6, 0.0))
    assert across_languages(left, left) == (1.0, 1.0)
