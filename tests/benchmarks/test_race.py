"""The pure parts of the race: generated photos and the figures of the table."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.race.photos import photo_files, render, write_race_photos
from benchmarks.race.rounds import Figures


def test_the_same_seed_renders_the_same_picture() -> None:
    photos = photo_files()
    first, again, other = (np.asarray(render(seed, (64, 48), photos)) for seed in (3, 3, 4))
    assert first.shape == (48, 64, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_file_has_content_of_its_own(tmp_path: Path) -> None:
    total = write_race_photos(tmp_path / "photos", 5, (64, 48), masters=2)
    files = sorted((tmp_path / "photos").iterdir())
    assert len({file.read_bytes() for file in files}) == 5
    assert total == sum(file.stat().st_size for file in files)


def test_figures_of_three_rounds() -> None:
    figures = Figures("index", "sightline", 120, (12.0, 10.0, 15.0), (20.0, 21.0, 22.0))
    assert figures.median == 12.0
    assert figures.spread == 5.0
    assert figures.rate == pytest.approx(10.0)
