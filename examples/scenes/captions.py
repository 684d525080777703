"""Captions of a scene in every language."""

from examples.scenes.grammar import LANGUAGES, Language
from examples.scenes.grammar.phrase import Other, Parts
from examples.scenes.kinds import SUBJECTS
from examples.scenes.places import SETTINGS
from examples.scenes.scene import Scene, Subject

__all__ = ["captions"]

_TIMELESS = ("underwater", "space")
_ALOFT = ("sky", "horizon")


def captions(scene: Scene) -> dict[str, list[str]]:
    """Three captions per language (en, zh, de, fr, cs, ar): a sentence, a phrase, and keywords."""
    return {code: _captions(scene, language) for code, language in LANGUAGES.items()}


def _captions(scene: Scene, language: Language) -> list[str]:
    main, *rest = scene.subjects
    place = _place(scene, main, language)
    time, time_name = language.times.get(_time(scene), ("", ""))
    parts = Parts(
        subject=language.phrase(main.kind, main.colour),
        verb=language.nouns[main.kind].verb,
        place=place,
        time=time,
        others=tuple(Other(_where(s, main, scene), language.phrase(s.kind, s.colour)) for s in rest),
    )
    phrases = [language.phrase(s.kind, s.colour) for s in scene.subjects]
    keywords = [
        *(language.bare(s.kind, s.colour) for s in scene.subjects),
        language.places[scene.setting].name,
        time_name,
    ]
    return [
        language.sentence(parts),
        language.short(phrases, place),
        language.comma.join(filter(None, keywords)),
    ]


def _time(scene: Scene) -> str:
    """The name of the time to speak of; by day it is not mentioned indoors, nor is any time under water or in space."""
    if SETTINGS[scene.setting].lamplit:
        return "evening" if scene.time == "night" else ""
    return "" if scene.setting in _TIMELESS else scene.time


def _place(scene: Scene, subject: Subject, language: Language) -> str:
    place, layer = language.places[scene.setting], SUBJECTS[subject.kind].layer
    if layer in _ALOFT:
        return place.over
    if layer in ("water", "wall"):
        return place.water if layer == "water" else place.wall
    return place.at


def _where(subject: Subject, main: Subject, scene: Scene) -> str:
    layer, main_layer = SUBJECTS[subject.kind].layer, SUBJECTS[main.kind].layer
    if scene.setting in _TIMELESS:
        return "near"
    if layer in _ALOFT:
        return "sky" if main_layer not in _ALOFT else "near"
    if layer == "wall":
        return "wall"
    return "below" if main_layer in (*_ALOFT, "wall") else "near"
