"""Rendered scenes as training pictures."""

from training.corpora import LANGUAGES
from training.scenes import scene_captions, scene_pictures


def test_every_scene_has_captions_in_every_language_under_its_own_name() -> None:
    captions = scene_captions(3, first=70_000)
    pictures = list(scene_pictures(3, first=70_000))
    names = ["scene-70000", "scene-70001", "scene-70002"]
    assert [name for name, _ in pictures] == names
    assert {(c.image, c.lang) for c in captions} == {(name, lang) for name in names for lang in LANGUAGES}
    assert all(caption.text for caption in captions)
    assert {image.mode for _, image in pictures} == {"RGB"}
