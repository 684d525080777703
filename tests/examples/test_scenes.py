"""Scenes are determined by their seed and consistent, and their masks cover the painted subjects."""

import numpy as np
import pytest

from examples.scenes import Scene, Subject, masks, random_scene, render
from examples.scenes.compose import fits
from examples.scenes.kinds import SUBJECTS
from examples.scenes.light import LIGHTS
from examples.scenes.places import SETTINGS


def test_a_seed_determines_scene_and_pixels() -> None:
    assert random_scene(10_007) == random_scene(10_007)
    first, second = render(random_scene(10_007), 96, 72), render(random_scene(10_007), 96, 72)
    assert first.mode == "RGB"
    assert first.size == (96, 72)
    assert first.tobytes() == second.tobytes()


def test_seeds_give_different_scenes() -> None:
    scenes = {(s.setting, s.time, s.subjects) for s in map(random_scene, range(10_000, 10_200))}
    assert len(scenes) > 180


@pytest.mark.parametrize("seed", range(10_000, 10_040))
def test_random_scenes_are_consistent(seed: int) -> None:
    scene = random_scene(seed)
    assert scene.time in SETTINGS[scene.setting].times
    for subject in scene.subjects:
        assert fits(subject.kind, scene.setting, scene.time)
        colours = SUBJECTS[subject.kind].colours
        assert subject.colour in (colours or (None,))
    assert len({s.kind for s in scene.subjects}) == len(scene.subjects)


def test_every_setting_can_be_painted_in_all_of_its_lights() -> None:
    for name, setting in SETTINGS.items():
        for time in sorted(set(setting.times)):
            pixels = np.asarray(render(Scene(name, time, (), 3), 48, 36))
            assert pixels.std() > 4, (name, time)
            assert not (pixels == 0).all(axis=-1).any(), f"unpainted pixels in {name} at {time}"


def test_every_kind_a_setting_names_exists_and_has_a_layer_there() -> None:
    for name, setting in SETTINGS.items():
        assert set(setting.times) <= set(LIGHTS)
        for kind in setting.kinds:
            assert SUBJECTS[kind].layer in setting.layers, (name, kind)


def test_a_mask_covers_the_pixels_that_its_subject_changes() -> None:
    bare = Scene("sea", "day", (), 5)
    scene = Scene("sea", "day", (Subject("sailing_boat", "red"),), 5)
    mask = np.asarray(masks(scene, 192, 144)["red sailing boat"]) > 127
    without, with_boat = (np.asarray(render(s, 192, 144), dtype=int) for s in (bare, scene))
    changed = np.abs(with_boat - without).max(axis=-1) > 60
    assert 500 < mask.sum() < 192 * 144 / 3
    assert changed[mask].mean() > 0.8
    assert (changed & mask).sum() > 0.85 * changed.sum()  # the wake changes pixels, too


def test_subjects_in_front_are_cut_out_of_masks_behind() -> None:
    scene = Scene("railway", "day", (Subject("train", "red"), Subject("tree")), 2)
    seen = masks(scene, 192, 144)
    assert set(seen) == {"red train", "tree"}
    both = np.asarray(seen["red train"], dtype=int) + np.asarray(seen["tree"], dtype=int)
    assert both.max() <= 255
