"""English names of words of other languages, which `mini` adds to their vectors."""

import gzip
import hashlib
import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelUnavailable
from encoders.mini.encoder import TRANSLATIONS, VERSIONS, WEIGHTS, MiniEncoder
from encoders.mini.translations import Translations, write_translations
from search.query_cache import QueryCache

NAMES = {
    "hund": {"dog": 75, "hound": 25},
    "eau": {"water": 99},
    "狗": {"dog": 100},
    "كلب": {"dog": 100},
    "zlata rybka": {"goldfish": 100},
}


@pytest.fixture
def translations(tmp_path: Path) -> Translations:
    write_translations(tmp_path / TRANSLATIONS, NAMES)
    return Translations(tmp_path / TRANSLATIONS)


@pytest.mark.parametrize("text", ["Hund", "ein Hund", " Der  HUND! "])
def test_weights_of_names_sum_to_one(translations: Translations, text: str) -> None:
    assert translations.find(text) == {"dog": 0.75, "hound": 0.25}


@pytest.mark.parametrize("text", ["l'eau", "L’EAU", "eau"])
def test_article_with_an_apostrophe_is_ignored(translations: Translations, text: str) -> None:
    assert translations.find(text) == {"water": 1.0}


@pytest.mark.parametrize("text", ["狗", "一只狗", "كلب", "الكلب"])
def test_words_without_spaces_before_them_are_found(translations: Translations, text: str) -> None:
    assert translations.find(text) == {"dog": 1.0}


def test_names_of_two_words_are_found_without_their_accents(translations: Translations) -> None:
    assert translations.find("zlatá rybka") == {"goldfish": 1.0}


@pytest.mark.parametrize(
    "text",
    ["", " ", "ein", "?!", "dog", "Hunde", "un", "ein Hund am Strand", "ein ein Hund", "75 dog", "Hund\tdog", "\n"],
)
def test_other_texts_have_no_translation(translations: Translations, text: str) -> None:
    assert translations.find(text) == {}


def test_every_word_of_a_file_is_found_and_nothing_else(tmp_path: Path) -> None:
    """Words that begin with each other, in several scripts, and the first and last one, next to texts between them."""
    words = ["1", "a", "a b", "aa", "ab", "ab c", "b", "ž", "ж", "ب", "狗", "狗 狗", "\U00020000"]
    write_translations(tmp_path / TRANSLATIONS, {word: {f"name {row}": 100} for row, word in enumerate(words)})
    found = Translations(tmp_path / TRANSLATIONS)
    for row, word in enumerate(words):
        assert found._names(word) == {f"name {row}": 1.0}, word
    for other in ("", "0", "a a", "aaa", "abc", "b a", "name 1", "100 name 1", "猫", "\U00020001"):
        assert found._names(other) == {}, other


def test_file_without_words_translates_nothing(tmp_path: Path) -> None:
    write_translations(tmp_path / TRANSLATIONS, {})
    assert Translations(tmp_path / TRANSLATIONS).find("Hund") == {}


@pytest.mark.parametrize("keep", [0, 5, 40, -1], ids=["nothing", "header", "half", "all but a byte"])
def test_damaged_file_is_named(tmp_path: Path, keep: int) -> None:
    """A truncated file raised EOFError, which a terminal takes for the end of its input."""
    file = tmp_path / TRANSLATIONS
    write_translations(file, NAMES)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(ModelUnavailable, match=TRANSLATIONS):
        Translations(file).find("Hund")


def test_changed_bytes_are_noticed(tmp_path: Path) -> None:
    file = tmp_path / TRANSLATIONS
    write_translations(file, NAMES)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(ModelUnavailable, match=TRANSLATIONS):
        Translations(file).find("Hund")


def test_equal_translations_give_equal_files_in_any_order(tmp_path: Path) -> None:
    write_translations(tmp_path / "a.gz", NAMES)
    write_translations(tmp_path / "b.gz", dict(reversed(NAMES.items())))
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def with_translations(folder: Path, names: dict[str, dict[str, int]]) -> MiniEncoder:
    """Return the newest version with other translations."""
    folder.mkdir()
    for file in WEIGHTS.iterdir():
        if file.name not in {TRANSLATIONS, "model.json"}:
            (folder / file.name).symlink_to(file)
    write_translations(folder / TRANSLATIONS, names)
    digest = hashlib.sha256((folder / TRANSLATIONS).read_bytes()).hexdigest()
    card = json.loads((WEIGHTS / "model.json").read_text(encoding="utf-8")) | {"translations": digest}
    (folder / "model.json").write_text(json.dumps(card), encoding="utf-8")
    return MiniEncoder(folder)


@pytest.fixture
def mini(tmp_path: Path) -> MiniEncoder:
    return with_translations(tmp_path / "mini", {"hund": {"dog": 60, "cat": 40}})


def unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / np.linalg.norm(vector))


def test_word_gets_the_mean_of_its_vector_and_those_of_its_names(mini: MiniEncoder) -> None:
    (found,) = mini.encode_texts(["ein Hund"])
    own, dog, cat = mini.encode_untranslated(["ein Hund", "dog", "cat"])
    np.testing.assert_allclose(found, unit(own + unit(0.6 * dog + 0.4 * cat)), atol=1e-6)
    assert own @ found < 0.999


def test_other_texts_and_texts_for_patches_are_those_of_the_text_tower(mini: MiniEncoder) -> None:
    texts = ["dog", "ein Hund am Strand", ""]
    np.testing.assert_array_equal(mini.encode_texts(texts), mini.encode_untranslated(texts))
    words = ["Hund", *texts]
    np.testing.assert_array_equal(mini.encode_patch_texts(words), mini.encode_untranslated(words))
    assert mini.encode_patch_texts([]).shape == (0, 256)


def test_pictures_and_their_space_do_not_depend_on_translations(mini: MiniEncoder) -> None:
    assert mini.space == MiniEncoder().space


def test_cached_vectors_of_other_translations_are_not_used(mini: MiniEncoder, tmp_path: Path) -> None:
    cache = QueryCache(tmp_path)
    (before,) = cache.texts(mini, ["Hund"])
    again = with_translations(tmp_path / "again", {"hund": {"house": 100}})
    (after,) = cache.texts(again, ["Hund"])
    assert before @ after < 0.99
    np.testing.assert_array_equal(after, again.encode_texts(["Hund"])[0])
    np.testing.assert_array_equal(cache.texts(mini, ["Hund"])[0], before)


def test_cache_of_a_version_without_translations_stays_valid(tmp_path: Path) -> None:
    old = MiniEncoder(VERSIONS[-1])
    assert old.text_version == ""
    key = hashlib.sha256(f"{old.space.fingerprint}\0dog".encode()).digest()  # as earlier releases wrote it
    from search.query_cache import _key

    assert _key(old, "dog") == key


def test_shipped_translations_match_the_card() -> None:
    content = (WEIGHTS / TRANSLATIONS).read_bytes()
    assert MiniEncoder().text_version == hashlib.sha256(content).hexdigest()
    lines = gzip.decompress(content).decode().strip("\n").split("\n")
    assert len(lines) > 40_000
    assert len({line.partition("\t")[0] for line in lines}) == len(lines)
    assert [line.encode() for line in lines] == sorted(line.encode() for line in lines)  # as the bisection needs
    found = Translations(WEIGHTS / TRANSLATIONS)
    for word in ("Hund", "l'arbre", "voda", "一棵树", "الشجرة"):
        assert set(found.find(word)) & {"dog", "tree", "water"}, word
    for english in ("dog", "man", "sad", "couples"):
        assert found.find(english) == {}, english


def test_licences_of_translations_are_installed_with_them() -> None:
    """WordNet's copyright notice must be on all copies."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (file,) = (name for name in project["license-files"] if name.startswith("encoders/mini/"))
    text = (WEIGHTS.parent / Path(file).name).read_text(encoding="utf-8")
    for notice in (TRANSLATIONS, "Copyright 2006 by Princeton University", "WOLF", "Arabic WordNet", "Wiktionary"):
        assert notice in text
    for licence in ("LicenseRef-WordNet-3.0", "CECILL-C", "CC-BY-SA-3.0"):
        assert licence in project["license"].split(" AND ")
