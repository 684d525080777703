"""Highlights of unusual pictures and files: they succeed, or fail with a message of one line."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from cli.commands.highlight import highlight as verb
from core.errors import InvalidQuery, SightlineError
from encoders.fake import FakeEncoder
from encoders.preprocess import Preprocess
from search.highlight import highlight
from search.highlight.overlay import blend, highlight_panels, render_figure
from search.highlight.patch_similarity import PatchSimilarityEngine

ENGINES = [PatchSimilarityEngine(FakeEncoder()), PatchSimilarityEngine(FakeEncoder())]
ENGINES[1].encoder.preprocess = Preprocess(size=8, mean=(0, 0, 0), std=(1, 1, 1), fit="crop")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(verb, [*map(str, arguments), "--model", "fake"])


@pytest.mark.parametrize("engine", ENGINES, ids=["squash", "crop"])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 1), (1, 4000), (4000, 1), (7, 5000)])
def test_tiny_and_narrow_pictures_are_highlighted(size: tuple[int, int], engine: PatchSimilarityEngine) -> None:
    image = Image.new("RGB", size, "red")
    (found,) = highlight(image, "red", engine)
    assert found.map.shape == (size[1], size[0])
    assert found.mask.all()
    assert found.regions[0].box == (0, 0, *size)
    assert blend(image, found.map, found.mask).size == size
    assert render_figure([highlight_panels(image, [found])], "meaning").width > 14


def test_a_file_of_an_extreme_shape_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (1, 4000)).save(tmp_path / "line.png")
    with pytest.raises(InvalidQuery, match="aspect ratio"):
        highlight(tmp_path / "line.png", "red", ENGINES[0])


def pictures_of_every_kind() -> Iterator[tuple[str, Image.Image]]:
    red = Image.new("RGB", (32, 24), "red")
    yield "grey", Image.new("L", (32, 24), 200)
    yield "bits", Image.new("1", (32, 24), 1)
    yield "alpha", red.convert("RGBA")
    yield "grey and alpha", Image.new("LA", (32, 24), (200, 255))
    yield "palette", red.convert("P")
    yield "deep", Image.fromarray(np.full((24, 32), 40_000, np.uint16))


@pytest.mark.parametrize(("kind", "image"), list(pictures_of_every_kind()))
def test_pictures_of_every_mode_are_highlighted(tmp_path: Path, kind: str, image: Image.Image) -> None:
    image.save(tmp_path / "picture.png")
    (found,) = highlight(tmp_path / "picture.png", "red", ENGINES[0])
    assert found.map.shape == (24, 32)
    assert found.score > 0.5  # a light grey has red in it, too


@pytest.mark.parametrize("damage", ["empty", "noise", "cut", "text"])
def test_files_that_are_not_pictures_are_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "broken.png"
    Image.effect_noise((64, 64), 90).save(path)
    whole = path.read_bytes()
    path.write_bytes(
        {"empty": b"", "noise": os.urandom(999), "cut": whole[: len(whole) // 2], "text": b"hello"}[damage]
    )
    with pytest.raises(InvalidQuery, match=r"broken\.png"):
        highlight(path, "red", ENGINES[0])
    result = run(path, "red", "-o", tmp_path / "out.png")
    assert isinstance(result.exception, SightlineError)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("prompt", ["red " * 5000, "\0", "\ud800", "😀", "red\nblue", "-" * 300])
def test_prompts_in_any_script_are_accepted(prompt: str) -> None:
    (found,) = highlight(Image.new("RGB", (9, 9), "red"), prompt, ENGINES[0])
    assert found.map.shape == (9, 9)


@pytest.fixture
def red(tmp_path: Path) -> Path:
    Image.new("RGB", (8, 8), "red").save(tmp_path / "red.png")
    return tmp_path / "red.png"


@pytest.mark.parametrize("option", ["-o", "--mask"])
def test_unwritable_output_paths_are_reported(tmp_path: Path, red: Path, option: str) -> None:
    (tmp_path / "folder.png").mkdir()
    for place, message in (
        (tmp_path / "folder.png", "it is a folder"),
        (tmp_path / "none" / "out.png", "No such file"),
        (red / "out.png", "Not a directory"),
        (tmp_path / f"{'x' * 300}.png", "File name too long"),
    ):
        result = run(red, "red", option, place)
        assert result.exit_code != 0
        assert message in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "red.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_reported(tmp_path: Path, red: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    result = run(red, "red", "-o", tmp_path / "closed" / "out.png")
    assert "Permission denied" in result.output


def test_an_existing_file_is_replaced_completely(tmp_path: Path, red: Path) -> None:
    (tmp_path / "out.png").write_bytes(b"old")
    assert run(red, "red", "-o", tmp_path / "out.png").exit_code == 0
    with Image.open(tmp_path / "out.png") as written:
        written.load()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.png", "red.png"]
