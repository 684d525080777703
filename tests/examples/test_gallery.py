"""The gallery on disk equals the generated one, and is varied, small and separate from the training scenes."""

import json
from datetime import datetime

import numpy as np
import pytest
from PIL import ExifTags, Image

from examples.curated import GALLERY, Entry
from examples.make_gallery import FOLDER, caption_lines
from examples.scenes import render
from examples.scenes.kinds import SUBJECTS
from examples.scenes.places import SETTINGS

TRAINING_SEEDS_START = 10_000
SIZE_LIMIT_BYTES = 4_000_000


@pytest.mark.parametrize("entry", GALLERY[::17], ids=lambda entry: entry.image)
def test_gallery_pictures_equal_the_painted_scenes(entry: Entry) -> None:
    with Image.open(FOLDER / entry.image) as stored:
        assert stored.size == entry.size
        difference = np.abs(np.asarray(stored, dtype=int) - np.asarray(render(entry.scene, *entry.size), dtype=int))
    assert difference.mean() < 4, "run python -m examples.make_gallery"


def test_gallery_captions_equal_the_generated_ones() -> None:
    assert (FOLDER / "captions.jsonl").read_text(encoding="utf-8").splitlines() == list(caption_lines())


def test_the_gallery_has_exactly_the_listed_pictures() -> None:
    stored = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.jpg")}
    assert stored == {entry.image for entry in GALLERY}
    assert len(GALLERY) == 100
    captioned = {json.loads(line)["image"] for line in caption_lines()}
    assert captioned == stored


def test_the_gallery_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= SIZE_LIMIT_BYTES


def test_scenes_are_valid_and_apart_from_the_training_seeds() -> None:
    seeds = [entry.scene.seed for entry in GALLERY]
    assert len(set(seeds)) == len(seeds)
    assert max(seeds) < TRAINING_SEEDS_START
    for entry in GALLERY:
        for subject in entry.scene.subjects:
            kind = SUBJECTS[subject.kind]
            assert kind.layer in SETTINGS[entry.scene.setting].layers, entry.image
            assert subject.colour in (kind.colours or (None,)), entry.image


def test_every_setting_and_nearly_every_subject_appears() -> None:
    assert {entry.scene.setting for entry in GALLERY} == set(SETTINGS)
    shown = {subject.kind for entry in GALLERY for subject in entry.scene.subjects}
    assert len(shown) > 0.9 * len(SUBJECTS)


def test_no_two_gallery_pictures_are_near_duplicates() -> None:
    small = []
    for entry in GALLERY:
        with Image.open(FOLDER / entry.image) as image:
            small.append(np.asarray(image.convert("RGB").resize((16, 12)), dtype=float).ravel())
    stack = np.stack(small)  # (pictures, 576)
    apart = np.abs(stack[:, None] - stack[None]).mean(axis=-1) + 255 * np.eye(len(stack))
    first, second = np.unravel_index(apart.argmin(), apart.shape)
    assert apart.min() > 6, (GALLERY[int(first)].image, GALLERY[int(second)].image)


def test_exif_has_dates_and_some_cameras_and_positions() -> None:
    dates, cameras, positions = set(), set(), 0
    for entry in GALLERY:
        with Image.open(FOLDER / entry.image) as image:
            exif = image.getexif()
            taken = exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal]
            dates.add(datetime.strptime(taken, "%Y:%m:%d %H:%M:%S").year)  # noqa: DTZ007 - EXIF has no time zone
            cameras.add(exif.get(ExifTags.Base.Model))
            positions += bool(exif.get_ifd(ExifTags.IFD.GPSInfo))
    assert dates == set(range(2019, 2027))
    assert len(cameras) > 3
    assert None in cameras
    assert 20 < positions < 60
