"""The targets of patches, worked out by hand for two scenes with three subjects."""

import numpy as np

from examples.scenes import Subject
from training.masked_scenes import MaskedScenes, mask_scenes, phrases

ROW = np.array([0, 1])
MARKED = MaskedScenes(
    count=2,
    owners=np.array([0, 0, 1]),
    subjects=[Subject("car", "red"), Subject("tree"), Subject("car", "blue")],
    cover=np.array([[[1, 0], [0, 0]], [[0, 0.5], [0, 0]], [[0, 0], [0.25, 0]]], np.float32),
)


def test_patch_targets_are_coverage_fractions() -> None:
    cover, known = MARKED.answers(ROW, [Subject("car", "red"), Subject("tree")])
    np.testing.assert_array_equal(cover[0], MARKED.cover[:2])
    assert cover[1].max() == 0
    assert known.tolist() == [[True, True], [False, True]]  # is a blue car a red one?


def test_queries_without_a_colour_match_any_colour() -> None:
    cover, known = MARKED.answers(ROW, [Subject("car")])
    np.testing.assert_array_equal(cover[:, 0], MARKED.cover[[0, 2]])
    assert known.all()


def test_rows_select_scenes_in_any_order() -> None:
    cover, _ = MARKED.answers(np.array([1, 0]), [Subject("tree")])
    assert cover[0].max() == 0
    assert cover[1].max() == 0.5
    assert MARKED.shown(np.array([1])) == [Subject("car", "blue")]


def test_masks_cover_their_subjects() -> None:
    marked = mask_scenes(3, 6, first=10_000)
    assert marked.cover.shape[1:] == (6, 6)
    assert len(marked.owners) == len(marked.subjects) == len(marked.cover)
    assert set(marked.owners.tolist()) == {0, 1, 2}
    assert (marked.cover.max((1, 2)) > 0).all()
    assert marked.cover.max() <= 1


def test_subject_names_in_six_languages() -> None:
    names = phrases(Subject("car", "red"))
    assert len(names) == 12
    assert {"a red car", "red car", "ein rotes Auto", "rotes Auto"} <= set(names)
