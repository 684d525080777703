"""Data set formats that other packages add."""

from pathlib import Path

import pytest

from core.errors import DatasetError, PluginError
from search.evaluate.datasets import FORMATS, open_dataset
from tests.support.distributions import install_plugin

SOURCE = """
from search.evaluate.datasets import DatasetBuilder, DatasetFormat
from search.evaluate.text_files import read_lines

def recognises(path):
    return True

def read(path, options):
    builder = DatasetBuilder(path, options.root or path.parent)
    for position, line in read_lines(path):
        image, text = line.split(",")
        builder.add_caption(builder.add_image(image, "", position), text, "en", position)
    return builder

FORMAT = DatasetFormat(recognises, read)
"""


@pytest.fixture(autouse=True)
def fresh_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the formats that are loaded by a test."""
    monkeypatch.setattr(FORMATS, "_loaded", {})


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    install_plugin(folder, monkeypatch, group="sightline.dataset_formats", name="words", target=target, source=SOURCE)


def test_installed_format_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "packages", monkeypatch, "captions_plugin:FORMAT")
    (tmp_path / "captions.words").write_text("a.jpg,a dog\na.jpg,a brown dog\n")
    dataset = open_dataset(tmp_path / "captions.words", format="words", check_files=False)
    assert dataset.images == ("a.jpg",)
    assert [caption.text for caption in dataset.captions] == ["a dog", "a brown dog"]
    assert FORMATS.names()[-1] == "words"


def test_installed_format_is_not_recognised_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "packages", monkeypatch, "captions_plugin:FORMAT")
    (tmp_path / "captions.words").write_text("a.jpg,a dog\n")
    with pytest.raises(DatasetError, match="not a data set in a known format"):
        open_dataset(tmp_path / "captions.words")


def test_unknown_format_lists_installed_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "packages", monkeypatch, "captions_plugin:FORMAT")
    with pytest.raises(DatasetError, match=r"Unknown format 'xml'\. Choose from: .*classes, words\."):
        open_dataset(tmp_path, format="xml")


def test_plugin_of_another_type_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "packages", monkeypatch, "captions_plugin:read")
    with pytest.raises(PluginError, match="words"):
        open_dataset(tmp_path, format="words")


@pytest.mark.parametrize("name", FORMATS.built_in())
def test_built_in_formats_can_be_loaded(name: str) -> None:
    assert FORMATS.get(name) is not None
