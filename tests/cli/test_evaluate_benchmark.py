"""`sightline eval` on folders of classes with the lists of CLIP_benchmark, and results in its layout."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Sightline = Callable[..., Any]

NAME = "{dataset}_{pretrained}_{model}_{language}_{task}.json"


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    """Six pictures of three classes, and vectors: the fourth picture is nearest to the wrong class."""
    for picture in ("auk/1.jpg", "auk/2.jpg", "auk/3.jpg", "dodo/1.jpg", "moa/1.jpg", "moa/2.jpg"):
        (tmp_path / "birds" / picture).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "birds" / picture).touch()
    classes = np.eye(3, dtype=np.float32)
    np.save(tmp_path / "classes.npy", classes)
    np.save(tmp_path / "pictures.npy", classes[[0, 0, 0, 2, 2, 2]] + 0.1)
    return tmp_path


def vectors(folder: Path) -> list[str | Path]:
    return ["--image-vectors", f"B/32={folder / 'pictures.npy'}", "--text-vectors", f"B/32={folder / 'classes.npy'}"]


def test_classification_is_written_as_clip_benchmark_does(sightline: Sightline, birds: Path) -> None:
    """Accuracy is 5 of 6, and the mean over classes (1 + 0 + 1) / 3."""
    output = ("--clip-benchmark", birds / NAME, "--direction", "picture-to-text", "--metrics", "acc1")
    assert sightline("eval", birds / "birds", *vectors(birds), *output, "--json").record["recall@1"] == 0.833333
    (file,) = birds.glob("*.json")
    assert file.name == "birds_32_B_en_zeroshot_classification.json"
    result = json.loads(file.read_text())
    assert result["metrics"] == pytest.approx({"acc1": 5 / 6, "acc5": None, "mean_per_class_recall": 2 / 3})
    assert (result["model"], result["pretrained"]) == ("B", "32")


def test_several_results_need_names_of_their_own(sightline: Sightline, birds: Path) -> None:
    arguments = ("eval", birds / "birds", *vectors(birds), "--direction", "picture-to-text")
    other = [str(argument).replace("B/32", "L/14") for argument in vectors(birds)]
    failed = sightline(*arguments, *other, "--clip-benchmark", birds / "all.json")
    assert failed.code == 2
    assert f"would contain several results. Name them: {NAME}" in failed.err
    assert not list(birds.glob("*.json"))
    failed = sightline(*arguments, "--clip-benchmark", birds / "{weights}.json")
    assert "in braces only dataset, model, pretrained, task, language are known" in failed.err
    failed = sightline("eval", birds / "birds", *vectors(birds), "--clip-benchmark", birds / "all.json")
    assert "needs --direction picture-to-text" in failed.err


def test_templates_and_names_are_read_from_files(sightline: Sightline, photos: Path, tmp_path: Path) -> None:
    """`{c}` is the class. The model of the tests knows colours: only the names in the file are colours."""
    table = tmp_path / "templates.json"
    table.write_text(json.dumps({"colors": ["{c}", "a {c} square"], "cars": ["{c}"]}))
    names = tmp_path / "names.txt"
    names.write_text("red\nblue\n")
    arguments = ("eval", photos, "--space", "fake", "--direction", "picture-to-text", "--metrics", "acc1", "--json")
    found = sightline(*arguments, "--template", table, "--class-names", names).record
    assert (found["recall@1"], found["candidates"]) == (1.0, 2)
    assert "there is no 'cars'" not in sightline(*arguments, "--template", table, "--class-names", names).err
    table.write_text(json.dumps({"cars": ["{c}"]}))
    assert "there is no 'colors'; it has cars" in sightline(*arguments, "--template", table).err
    table.write_text(json.dumps(["a square"]))
    assert "The template 'a square' has no {}" in sightline(*arguments, "--template", table).err


@pytest.fixture
def photos(tmp_path: Path, paint: Callable[..., Path]) -> Path:
    """Folders of classes with codes as names: n1 is red, n2 is blue."""
    paint(tmp_path / "colors" / "n1" / "1.png", "red")
    paint(tmp_path / "colors" / "n2" / "1.png", "blue")
    return tmp_path / "colors"
