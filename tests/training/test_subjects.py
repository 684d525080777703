"""Subjects of scenes as queries."""

from pathlib import Path

import numpy as np
import pytest

from encoders.mini.tokenizer import Tokenizer
from examples.scenes import Subject
from training.subjects import SubjectSampler
from training.tokenizer import train_tokenizer

SCENES = [
    [Subject("tractor", "red"), Subject("windmill")],
    [Subject("tractor", "blue")],
    [Subject("tractor", "red"), Subject("tractor", "blue")],
    [Subject("lighthouse")],
]


@pytest.fixture
def tokenizer(tmp_path: Path) -> Tokenizer:
    train_tokenizer(
        ["a red blue tractor", "a windmill", "a lighthouse", "ein roter Leuchtturm", "un phare"] * 3,
        283,
        tmp_path / "tokenizer.model",
    )
    return Tokenizer(tmp_path / "tokenizer.model")


def test_scenes_that_show_a_subject(tokenizer: Tokenizer) -> None:
    sampler = SubjectSampler(SCENES, tokenizer)
    # Columns in the order of their labels: blue tractor, lighthouse, red tractor, tractor, windmill.
    np.testing.assert_array_equal(sampler.shown, [[0, 0, 1, 1, 1], [1, 0, 0, 1, 0], [1, 0, 1, 1, 0], [0, 1, 0, 0, 0]])
    # A red tractor is neither a blue tractor nor the absence of one.
    np.testing.assert_array_equal(sampler.known, [[0, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1]])


def test_only_subjects_of_the_batch_are_drawn(tokenizer: Tokenizer) -> None:
    sampler = SubjectSampler(SCENES, tokenizer)
    drawn = sampler.draw(np.array([3, 1]), 10, np.random.default_rng(0))
    assert len(drawn.texts) == 3
    assert sorted(drawn.shown.T.tolist()) == [[0, 1], [0, 1], [1, 0]]  # blue tractor and tractor; lighthouse
    assert drawn.known.all()


def test_a_batch_without_scenes_has_no_subjects(tokenizer: Tokenizer) -> None:
    drawn = SubjectSampler(SCENES, tokenizer).draw(np.array([], np.int64), 10, np.random.default_rng(0))
    assert (drawn.texts, drawn.shown.shape, drawn.known.shape) == ([], (0, 0), (0, 0))


def test_texts_name_the_subject_in_each_language(tokenizer: Tokenizer) -> None:
    sampler = SubjectSampler([[Subject("lighthouse")]], tokenizer)
    rng = np.random.default_rng(0)
    drawn = {tuple(sampler.draw(np.array([0]), 1, rng).texts[0]) for _ in range(200)}
    assert {tuple(tokenizer(text)) for text in ("a lighthouse", "lighthouse", "ein Leuchtturm", "un phare")} <= drawn


def test_every_subject_without_its_colour_has_a_whole_name() -> None:
    from examples.curated import GALLERY
    from training.subjects import _names

    kinds = {subject.kind for entry in GALLERY for subject in entry.scene.subjects}
    names = [name for kind in sorted(kinds) for name in _names(Subject(kind))]
    # What a template without its colour looks like: "an and white cow", "eine -weiße Kuh", "白相间的灯塔".
    assert not [name for name in names if " and white" in name or " et blanc" in name or " -" in name or "相间" in name]
    assert {"a cow", "a lighthouse", "a tractor"} <= set(names)
