from hashlib import sha256
from pathlib import Path

import pytest

import encoders.background
from encoders.background import LANGUAGES, background

FOLDER = Path(encoders.background.__file__).parent
LICENCES = {
    "public-domain",
    "CC0-1.0",
    *(f"CC-BY-{version}" for version in ("1.0", "2.0", "3.0", "4.0")),
    *(f"CC-BY-SA-{version}" for version in ("2.0", "3.0", "4.0")),
}
CONTENT = background()


def test_the_folder_takes_at_most_one_megabyte() -> None:
    files = [file for file in FOLDER.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert sum(file.stat().st_size for file in files) <= 1_000_000


def test_every_photo_is_listed_once() -> None:
    listed = [photo.file for photo in CONTENT.photos]
    assert sorted(listed) == sorted(file.name for file in (FOLDER / "photos").iterdir())


@pytest.mark.parametrize("photo", CONTENT.photos, ids=lambda photo: photo.file)
def test_a_photo_opens_and_names_its_origin(photo: encoders.background.BackgroundPhoto) -> None:
    image = photo.open()
    assert image.mode == "RGB"
    assert max(image.size) <= 264
    assert not image.getexif()
    assert photo.licence in LICENCES
    assert photo.author
    assert photo.title
    assert photo.source


def test_every_text_is_in_every_language() -> None:
    texts = [
        *CONTENT.words.values(),
        *CONTENT.absent_words,
        *CONTENT.absent_phrases,
        *CONTENT.absent_sentences,
        *(text for photo in CONTENT.photos for text in (photo.sentences, photo.phrases)),
    ]
    for text in texts:
        assert tuple(text) == LANGUAGES
        assert all(text.values())


def test_every_word_names_a_photo_and_every_named_word_is_listed() -> None:
    assert {word for photo in CONTENT.photos for word in photo.words} == set(CONTENT.words)
    assert {word for photo in CONTENT.photos for word in photo.unclear} <= set(CONTENT.words)


def test_absent_words_name_no_photo() -> None:
    assert not {word["en"] for word in CONTENT.absent_words} & set(CONTENT.words)


def test_changed_photos_have_a_new_version() -> None:
    """Spaces in 8 bits name the version: the order counts, because every second photo sets their steps."""
    digest = sha256()
    for photo in CONTENT.photos:
        digest.update((FOLDER / "photos" / photo.file).read_bytes())
    versions = {1: "ea3e9154d7054493a3dd445ec762925c553fabda415e5e0731f755b0130fa724"}
    assert versions[CONTENT.version] == digest.hexdigest()
