"""The texts of the page in six languages."""

import json
import re
from pathlib import Path

import pytest

from tests.support.errors import EXAMPLES
from web.errors import problem_name
from web.page import STATIC_FOLDER

LANGUAGES = {
    # The plural forms of CLDR for whole numbers below a million.
    "en": {"one", "other"},
    "de": {"one", "other"},
    "fr": {"one", "other"},
    "cs": {"one", "few", "other"},
    "zh": {"other"},
    "ar": {"zero", "one", "two", "few", "many", "other"},
}

Words = dict[str, str | dict[str, str]]


def words(code: str) -> Words:
    read: Words = json.loads((STATIC_FOLDER / "i18n" / f"{code}.json").read_text(encoding="utf-8"))
    return read


def values(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def forms(said: str | dict[str, str]) -> list[str]:
    return [said] if isinstance(said, str) else list(said.values())


def used() -> set[str]:
    """Return the keys that the page names; keys such as `field_...` are composed at run time."""
    found = set(re.findall(r'data-t(?:-label|-placeholder)?="(\w+)"', (STATIC_FOLDER / "index.html").read_text()))
    for script in (STATIC_FOLDER / "js").rglob("*.js"):
        text = script.read_text()
        for call in re.findall(r"\bt\(([^`)]*)", text):
            found |= set(re.findall(r'"(\w+)"', call.split("{")[0]))
        found |= set(re.findall(r'"((?:fact|field)_\w+)"', text))
    return found


def test_all_languages_have_a_file() -> None:
    assert {path.stem for path in (STATIC_FOLDER / "i18n").iterdir()} == set(LANGUAGES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_translation_has_the_same_keys_and_placeholders(code: str) -> None:
    english, spoken = words("en"), words(code)
    assert list(spoken) == list(english)
    for key, said in english.items():
        wanted = set().union(*map(values, forms(said)))
        assert all(form.strip() and values(form) <= wanted for form in forms(spoken[key])), key
        assert isinstance(said, str) == isinstance(spoken[key], str), key
        if isinstance(said, str):
            assert set().union(*map(values, forms(spoken[key]))) == wanted, key


@pytest.mark.parametrize(("code", "needed"), LANGUAGES.items())
def test_translations_have_all_plural_forms(code: str, needed: set[str]) -> None:
    for key, said in words(code).items():
        assert isinstance(said, str) or set(said) >= needed, key


def test_every_text_of_the_page_has_a_key_and_every_key_is_used() -> None:
    known = set(words("en"))
    assert len(used()) > 60
    assert used() <= known
    prefixes = (
        "date_",
        "dup_",
        "fact_",
        "group_",
        "source_",
        "frame_",
        "field_",
        "col_",
        "job_",
        "look_",
        "as_",
        "theme_",
        "example_",
        "help_",
        "key_",
        "phase_",
        "problem_",
        "reason_",
        "view_",
        "notice_",
        "legend_",
    )
    assert {key for key in known - used() if not key.startswith(prefixes)} == set()


def test_problem_texts_belong_to_problems_of_the_server() -> None:
    others = {"Unreachable", "TokenNeeded", "InternalError", "RequestEntityTooLarge"}  # not exceptions of the library
    web_titles = {"PictureNotUploaded", "Busy", "NoRoom", "NotAllowed", "NotThere"}
    titles = {problem_name(error) for error in EXAMPLES.values()} | web_titles | others
    data = {key.removeprefix("problem_") for key in words("en") if key.startswith("problem_")}
    assert len(data) > 20
    assert data <= titles


def test_every_notice_has_a_text() -> None:
    found: set[str] = set()
    for folder in ("search", "web"):
        for file in (STATIC_FOLDER.parents[1] / folder).rglob("*.py"):
            found |= set(re.findall(r'\bNotice\(\s*f?"(\w+?)(?:\{[\w.]+\})?"', file.read_text()))
    expected = (found - {"weak_language_"}) | {"weak_language_installed", "weak_language_available"}
    assert len(expected) > 15
    assert {key.removeprefix("notice_") for key in words("en") if key.startswith("notice_")} == expected


def test_page_loads_nothing_from_other_hosts() -> None:
    for file in Path(STATIC_FOLDER).rglob("*"):
        if file.is_file() and file.suffix != ".png":
            found = set(re.findall(r"https?://[^\s\"'<>)]+", file.read_text()))
            assert found <= {"http://www.w3.org/2000/svg"}, file
            assert "style=" not in file.read_text(), f"{file}: the content security policy allows no inline style"
