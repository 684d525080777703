"""Captions in six languages: the tables are complete, and adjectives agree with nouns."""

import pytest

from examples.scenes import Scene, Subject, captions, random_scene
from examples.scenes.grammar import LANGUAGES
from examples.scenes.kinds import SUBJECTS
from examples.scenes.light import LIGHTS
from examples.scenes.places import SETTINGS

CODES = ["en", "zh", "de", "fr", "cs", "ar"]


@pytest.mark.parametrize("code", CODES)
def test_tables_are_complete(code: str) -> None:
    language = LANGUAGES[code]
    assert set(language.nouns) == set(SUBJECTS)
    assert set(language.places) == set(SETTINGS)
    assert set(language.times) == {*LIGHTS, "evening"}
    for kind, subject in SUBJECTS.items():
        assert ("{}" in language.nouns[kind].noun) == bool(subject.colours), kind
    for name, setting in SETTINGS.items():
        place = language.places[name]
        assert bool(place.water) == ("water" in setting.layers), name
        assert bool(place.wall) == ("wall" in setting.layers), name


@pytest.mark.parametrize("seed", range(10_000, 10_030))
def test_every_language_has_three_different_tidy_captions(seed: int) -> None:
    texts = captions(random_scene(seed))
    assert list(texts) == CODES
    for code, lines in texts.items():
        assert len(set(lines)) == 3
        for line in lines:
            assert line == " ".join(line.split())
            assert "{" not in line
            assert "," not in line or code not in ("zh", "ar"), "a Latin comma in a script that has its own"


SCENE = Scene("beach", "sunset", (Subject("car", "red"), Subject("cat", "white"), Subject("balloon", "orange")), 1)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "en",
            "A red car is parked on the beach at sunset, with a white cat nearby "
            "and an orange hot-air balloon in the sky.",
        ),
        ("zh", "日落时分，一辆红色汽车停在海滩上，旁边有一只白色的猫，天空中有一个橙色热气球。"),
        (
            "de",
            "Ein rotes Auto steht bei Sonnenuntergang am Strand, daneben eine weiße Katze, "
            "am Himmel ein orangefarbener Heißluftballon.",
        ),
        (
            "fr",
            "Au coucher du soleil, une voiture rouge est garée sur la plage, avec un chat blanc à côté "
            "et une montgolfière orange dans le ciel.",
        ),
        (
            "cs",
            "Při západu slunce stojí na pláži červené auto, vedle je bílá kočka "
            "a na obloze je oranžový horkovzdušný balon.",
        ),
        ("ar", "تقف سيارة حمراء على الشاطئ عند غروب الشمس، وبالجوار قطة بيضاء، وفي السماء منطاد برتقالي."),
    ],
)
def test_sentences_of_grammars(code: str, sentence: str) -> None:
    assert captions(SCENE)[code][0] == sentence


@pytest.mark.parametrize(
    ("code", "kind", "colour", "phrase"),
    [
        ("en", "umbrella_walker", "orange", "a person with an orange umbrella"),
        ("de", "umbrella_walker", "blue", "eine Person mit blauem Regenschirm"),
        ("de", "vase", "red", "eine Vase mit roten Blumen"),
        ("fr", "house", "white", "une maison blanche"),
        ("fr", "vase", "purple", "un vase de fleurs violettes"),
        ("fr", "vase", "orange", "un vase de fleurs orange"),
        ("fr", "fish_school", "blue", "un banc de poissons bleus"),
        ("cs", "umbrella_walker", "green", "člověk se zeleným deštníkem"),
        ("cs", "umbrella_walker", "blue", "člověk s modrým deštníkem"),
        ("cs", "cow", "black", "černobílá kráva"),
        ("cs", "woman", "yellow", "žena ve žlutých šatech"),
        ("zh", "cow", "black", "一头黑白相间的奶牛"),
        ("ar", "bus", "blue", "حافلة زرقاء"),
        ("ar", "child", "orange", "طفل يرتدي قميصًا برتقاليًا"),
        ("ar", "fish_school", "yellow", "سرب من الأسماك الصفراء"),
    ],
)
def test_adjectives_agree_with_nouns(code: str, kind: str, colour: str, phrase: str) -> None:
    assert LANGUAGES[code].phrase(kind, colour) == phrase


def test_flying_floating_and_hanging_subjects_have_their_own_phrases() -> None:
    boat = Scene("beach", "day", (Subject("ship", "red"),), 1)
    clock = Scene("kitchen", "night", (Subject("clock", "red"), Subject("apple", "green")), 1)
    assert captions(boat)["en"][1] == "A red steamship on the sea off the beach"
    assert captions(clock)["cs"][0] == "Večer visí na zdi v kuchyni červené nástěnné hodiny, dole je zelené jablko."
