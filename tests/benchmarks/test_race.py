"""The pure parts of the race: its options, generated photos and the figures of the table."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.race import __main__ as race
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


@pytest.mark.parametrize("options", [["--only", "sightline"], ["--rclip", "env/bin/python"]])
def test_rclip_is_not_installed_where_it_is_not_needed(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path is that of the folder in which the race is started: its programs run in others."""
    monkeypatch.setattr(race, "_install_rclip", None)
    expected = Path(sys.executable) if "--only" in options else Path.cwd() / "env" / "bin" / "python"
    assert race._rclip_python(race._options(options), tmp_path) == expected


def test_8_bits_without_sightline_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        race._options(["--only", "rclip", "--int8"])
    assert "--int8 adds Sightline in 8 bits" in capsys.readouterr().err
