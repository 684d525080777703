"""Language detection of queries."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from search import language
from search.language import detect_language
from tests.support.imports import imported_modules


@pytest.fixture(autouse=True)
def unloaded_model() -> Iterator[None]:
    language._load_model.cache_clear()
    yield
    language._load_model.cache_clear()


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


def test_scripts_are_detected_without_fasttext(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fasttext", None)
    assert detect_language("雪地里的狗") == "zh"
    assert detect_language("ein Hund spielt im Schnee") is None


@pytest.mark.parametrize("content", [b"", b"not a model", None], ids=["empty", "garbage", "missing"])
def test_unusable_model_file_detects_no_language(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "lid.176.ftz"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(language, "MODEL_FILE", file)
    assert detect_language("ein Hund spielt im Schnee") is None


def test_model_file_is_the_published_one() -> None:
    digest = hashlib.sha256(language.MODEL_FILE.read_bytes()).hexdigest()
    assert digest in (language.MODEL_FILE.parent / "LICENSE.md").read_text(encoding="utf-8")


def test_detecting_by_script_loads_no_model() -> None:
    code = "from search.language import detect_language\nassert detect_language('雪の中の犬') == 'ja'"
    assert "fasttext" not in imported_modules(code)


def test_detection_imports_no_machine_learning_framework() -> None:
    code = "from search.language import detect_language\nassert detect_language('ein Hund spielt im Schnee') == 'de'"
    found = imported_modules(code)
    assert "fasttext" in found
    assert found & {"torch", "onnxruntime", "transformers", "requests"} == set()
