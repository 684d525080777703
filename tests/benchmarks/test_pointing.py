"""The pointing game, with pointers that always or never hit."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.pointing import Pointing, patch_pointer, pointing
from encoders.fake import FakeEncoder
from examples.scenes import Scene, Subject, masks

SIZE = (96, 72)
SCENES = [
    Scene("sea", "day", (Subject("sailing_boat", "red"),), 5),
    Scene("railway", "day", (Subject("train", "red"), Subject("tree")), 2),
]


class Oracle:
    """Points by the masks of the scenes, which it receives in order; with `sign` -1 it points away from the subject."""

    def __init__(self, sign: int = 1) -> None:
        self.sign = sign
        self.prompts: list[str] = []
        self._scenes = iter(SCENES)

    def __call__(self, image: Image.Image, prompts: Sequence[str]) -> NDArray[np.float32]:
        self.prompts += prompts
        scene = next(self._scenes)
        seen = masks(scene, *image.size)
        return np.stack([self.sign * np.asarray(seen[subject.label], np.float32) for subject in scene.subjects])


def test_pointing_with_the_masks_hits_every_subject() -> None:
    oracle = Oracle()
    result = pointing(oracle, SCENES, size=SIZE)
    assert oracle.prompts == ["a red sailing boat", "a red train", "a tree"]
    assert (result.rate, result.interval.low, result.interval.high, result.subjects) == (1.0, 1.0, 1.0, 3)
    assert result.kinds == {"sailing_boat": (1.0, 1), "train": (1.0, 1), "tree": (1.0, 1)}


def test_pointing_next_to_the_subject_hits_nothing() -> None:
    result = pointing(Oracle(-1), SCENES, size=SIZE)
    assert result.rate == 0
    shares = [np.mean(np.asarray(mask) > 127) for scene in SCENES for mask in masks(scene, *SIZE).values()]
    assert result.chance == pytest.approx(float(np.mean(shares)))


def test_prompts_are_in_the_language() -> None:
    oracle = Oracle()
    pointing(oracle, SCENES, lang="de", size=SIZE)
    assert oracle.prompts[1] == "ein roter Zug"


def test_the_point_is_the_middle_of_the_highest_patch() -> None:
    def left_of_it(_image: Image.Image, prompts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([np.eye(1, 2, dtype=np.float32)] * len(prompts))  # the left one of two cells

    mask = np.asarray(masks(SCENES[0], *SIZE)["red sailing boat"]) > 127
    assert pointing(left_of_it, SCENES[:1], size=SIZE).rate == float(mask[36, 24])


def test_a_model_with_patch_features_can_be_measured() -> None:
    class Half(FakeEncoder):
        has_patch_features = True

        def forward_patches(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.repeat(self.forward_images(pixels)[:, None, None], 4, axis=1)

    result = pointing(patch_pointer(Half()), SCENES, size=SIZE)
    assert isinstance(result, Pointing)
    assert result.subjects == 3
