"""`sightline highlight` and `search --highlight`: output, files and errors."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from encoders.fake import FakeEncoder
from indexer import index
from store import Library

Sightline = Callable[..., Any]

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    """Return a picture of 160 x 80 pixels whose left half is red and right half black."""
    image = Image.new("RGB", (160, 80))
    image.paste(Image.new("RGB", (80, 80), "red"), (0, 0))
    image.save(tmp_path / "halves.png")
    return tmp_path / "halves.png"


FAKE = ("--model", "fake")


def test_highlight_prints_boxes_and_missing_prompts(sightline: Sightline, halves: Path) -> None:
    answer = sightline("highlight", halves, "a red thing", "blue", *FAKE)
    assert answer.code == 0
    found, missing = answer.lines
    assert found.startswith("1.000  a red thing  (")
    assert missing == "0.000? blue  (not found)"


def test_nothing_found_exits_with_1(sightline: Sightline, halves: Path) -> None:
    assert sightline("highlight", halves, "blue", *FAKE).code == 1


def test_json_agrees_with_mask(sightline: Sightline, halves: Path, tmp_path: Path) -> None:
    answer = sightline("highlight", halves, "red", *FAKE, "--json", "--mask", tmp_path / "mask.png")
    record = answer.record
    assert {key: record[key] for key in ("prompt", "engine", "model", "threshold")} == {
        "prompt": "red",
        "engine": "relevance",
        "model": "fake",
        "threshold": 0.5,
    }
    decoded = coco.decode(record["segmentation"])
    with Image.open(tmp_path / "mask.png") as mask:
        assert mask.size == (160, 80)
        np.testing.assert_array_equal(np.asarray(mask), decoded > 0)
    (box,) = record["boxes"]
    assert coco.toBbox(record["segmentation"]).tolist() == box
    assert record["area"] == pytest.approx(decoded.mean(), abs=1e-6)
    assert decoded[:, :60].all()
    assert not decoded[:, 120:].any()


def test_bare_requires_out(sightline: Sightline, halves: Path) -> None:
    answer = sightline("highlight", halves, "red", *FAKE, "--bare")
    assert (answer.code, answer.out) == (2, b"")
    assert "--bare requires -o" in answer.err


def test_overlays_are_written(sightline: Sightline, halves: Path, tmp_path: Path) -> None:
    sightline("highlight", halves, "red", "blue", *FAKE, "-o", tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as figure:
        assert figure.size == (14 + 2 * (320 + 14), 14 + 160 + 30 + 22 + 14 + 12 + 22 + 14)
    sightline("highlight", halves, "red", "blue", *FAKE, "--bare", "-o", tmp_path / "bare.png")
    for name in ("bare-1.png", "bare-2.png"):
        with Image.open(tmp_path / name) as overlay:
            assert overlay.size == (160, 80)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare-1.png", "bare-2.png", "figure.png", "halves.png"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_overlay_and_mask_of_rotated_photo_are_upright(sightline: Sightline, tmp_path: Path, orientation: int) -> None:
    upright = Image.new("RGB", (60, 120))
    upright.paste(Image.new("RGB", (30, 30), "red"), (0, 0))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the Image.Transpose that inverts each orientation
    stored = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    out, mask = tmp_path / "out.png", tmp_path / "mask.png"
    answer = sightline(
        "highlight", tmp_path / "turned.jpg", "red", *FAKE, "--bare", "-o", out, "--mask", mask, "--json"
    )
    (x, y), *_ = answer.record["peaks"]
    assert x < 30
    assert y < 30
    with Image.open(out) as overlay, Image.open(mask) as found:
        assert overlay.size == found.size == (60, 120)
        assert np.asarray(found)[:15, :15].all()
        assert not np.asarray(found)[80:].any()


def test_words_are_attributed(sightline: Sightline, halves: Path, tmp_path: Path) -> None:
    answer = sightline("highlight", halves, "a red thing", *FAKE, "--words", "--json", "-o", tmp_path / "w.png")
    words = answer.record["words"]
    assert [(word["text"], word["start"]) for word in words] == [("a", 0), ("red", 2), ("thing", 6)]
    assert words[1]["weight"] > 0.9 > abs(words[0]["weight"]) + abs(words[2]["weight"])
    with Image.open(tmp_path / "w.png") as figure:
        assert figure.height == 14 + 2 * (160 + 30 + 22 + 14) + 12 + 22 + 14
    assert "red +0.9" in sightline("highlight", halves, "a red thing", *FAKE, "--words").lines[1]


def test_default_model_is_that_of_library(
    sightline: Sightline, halves: Path, library: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*arguments: str | Path) -> str:
        return str(sightline("highlight", halves, "red", "--json", *arguments).record["model"])

    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(library.path))
    monkeypatch.setenv("SIGHTLINE_MODELS", str(album / "none"))
    assert asked() == "mini"  # nothing is indexed
    index(library, [album], FakeEncoder())
    assert asked() == "fake"
    assert asked("--engine", "relevance") == "fake"
    assert asked("--model", "mini") == "mini"
    assert asked("--library", album / "none") == "mini"
    monkeypatch.setattr(FakeEncoder, "has_patch_features", False)
    assert asked() == "mini"


def test_image_prompt_with_mask_or_crop(sightline: Sightline, halves: Path, tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), "red").save(tmp_path / "red.png")
    answer = sightline("highlight", halves, *FAKE, "--image-prompt", tmp_path / "red.png", "--json")
    assert answer.code == 0
    assert answer.record["prompt"] == "like red.png"
    mask = np.zeros((80, 160), np.uint8)
    mask[20:60, 20:60] = 255
    Image.fromarray(mask).save(tmp_path / "where.png")
    by_mask = sightline(
        "highlight", halves, *FAKE, "--image-prompt", halves, "--image-mask", tmp_path / "where.png", "--json"
    )
    by_box = sightline("highlight", halves, *FAKE, "--image-prompt", halves, "--image-crop", "20,20,40,40", "--json")
    assert by_mask.record == by_box.record
    assert by_mask.record["peaks"][0][0] < 80


def test_segmenter_highlights_prompt(sightline: Sightline, halves: Path, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from tests.support.tiny_clipseg import tiny_clipseg

    folder = tiny_clipseg(tmp_path / "tiny")
    answer = sightline(
        "highlight", halves, "red", "--segmenter", folder, "--json", "--threshold", "0", "--device", "cpu"
    )
    assert (answer.code, answer.record["engine"], answer.record["area"]) == (0, "segment", 1.0)
    assert "Loading" not in answer.err
    long = sightline("highlight", halves, "red " * 100, "--segmenter", folder, "--threshold", "otsu", "--device", "cpu")
    assert "reads only the first 77 tokens" in long.err


def test_missing_segmenter_names_pull_command(
    sightline: Sightline, halves: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path / "models"))
    answer = sightline("highlight", halves, "red", "--engine", "segment")
    assert answer.code == 2
    assert "models pull CIDAS/clipseg-rd64-refined" in answer.err
    assert sightline("highlight", halves, "red", *FAKE).code == 0  # `auto` needs no segmenter


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give a prompt"),
        (["   "], "The prompt is empty"),
        (["red", "-o", "out.jpg"], ".png"),
        (["red", "--mask", "mask"], ".png"),
        (["red", "--threshold", "1.5"], "from 0 to 1"),
        (["red", "--threshold", "nan"], "from 0 to 1"),
        (["red", "--image-crop", "1,2,3"], "LEFT,TOP,WIDTH,HEIGHT"),
        (["red", "--image-crop", "1,2,3,4"], "--image-prompt"),
        (["--image-prompt", "none.png"], "No such file"),
        (["--model", "nothing", "red"], "Unknown model 'nothing'"),
    ],
)
def test_invalid_arguments_exit_with_2(sightline: Sightline, halves: Path, arguments: list[str], message: str) -> None:
    answer = sightline("highlight", halves, *arguments)
    assert answer.code == 2
    assert message in answer.err
    assert answer.out == b""


def test_search_writes_overlay_of_each_hit(sightline: Sightline, filled: Path, tmp_path: Path, album: Path) -> None:
    answer = sightline("search", "red", "-k", "2", "--highlight", tmp_path / "deep" / "overlays", "--json")
    assert answer.code == 0
    names = sorted(path.name for path in (tmp_path / "deep" / "overlays").iterdir())
    assert names == [f"{record['rank']:03}-{Path(record['path']).stem}.png" for record in answer.records]
    (album / "red.png").unlink()
    gone = sightline("search", "red", "-k", "1", "--highlight", tmp_path / "again")
    assert gone.code == 0
    assert "; it has no overlay" in gone.err
    assert list((tmp_path / "again").iterdir()) == []


def test_similar_writes_overlay_of_each_hit(sightline: Sightline, filled: Path, tmp_path: Path, album: Path) -> None:
    answer = sightline("similar", album / "red.png", "-k", "2", "--highlight", tmp_path / "o", "--paths")
    assert answer.code == 0
    expected = [f"{rank:03}-{Path(path).stem}.png" for rank, path in enumerate(answer.lines, 1)]
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == expected


def test_overlay_has_panel_for_each_query_part(sightline: Sightline, filled: Path, tmp_path: Path) -> None:
    sightline("search", "red + blue", "-k", "1", "--highlight", tmp_path / "o")
    (path,) = (tmp_path / "o").iterdir()
    with Image.open(path) as figure:
        assert figure.width == 14 + 3 * (320 + 14)  # the whole query, and each of its parts


def test_overlay_name_keeps_bytes_of_picture_name(sightline: Sightline, library: Any, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    name = os.fsencode(folder) + b"/caf\xe9" + b"x" * 200 + b".png"
    Image.new("RGB", (8, 8), "red").save(tmp_path / "plain.png")
    (tmp_path / "plain.png").rename(os.fsdecode(name))
    index(library, [folder], FakeEncoder())
    answer = sightline("--library", library.path, "search", "red", "--highlight", tmp_path / "o", "--json")
    assert answer.code == 0
    (path,) = (tmp_path / "o").iterdir()
    written = os.fsencode(path.name)
    assert written.startswith(b"001-caf\xe9xxx")
    assert len(written) < 140
    assert json.loads(answer.lines[0])["rank"] == 1


def test_overlays_of_hits_load_model_once(
    sightline: Sightline, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from encoders import registry

    loaded, load_for_space = [], registry.load_for_space

    def counted(*arguments: Any) -> Any:
        loaded.append(arguments)
        return load_for_space(*arguments)

    monkeypatch.setattr(registry, "load_for_space", counted)
    assert sightline("search", "red", "--highlight", tmp_path / "o").code == 0
    assert len(loaded) == 1
