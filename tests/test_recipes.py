"""The commands of docs/recipes.md, on small stand-ins of the data sets with the same layout."""

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from cli.main import main
from core.errors import ModelUnavailable
from encoders import registry

PAGE = Path(__file__).parent.parent / "docs" / "recipes.md"
COLOURS = {"red": (220, 20, 20), "green": (20, 160, 40), "blue": (30, 40, 220), "yellow": (240, 220, 30)}


def recipes() -> dict[str, list[str]]:
    """Return the commands of each section."""
    sections = re.split(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {
        title: re.findall(r"^    (sightline .+)$", text, re.MULTILINE)
        for title, text in zip(sections[1::2], sections[2::2], strict=True)
    }


def paint(path: str, colour: str) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32), COLOURS[colour]).save(path)
    return path


def unsplash() -> None:
    np.save("features.npy", np.eye(4, 512, dtype=np.float16) + np.float16(0.1))
    ids = ["XMyPniM9LF0", "rDLBArZUl1c", "cNDGZ2sQ3Bo", "iuZ_D1eoq9k"]
    Path("photo_ids.csv").write_text("\n".join(["photo_id", *ids]) + "\n")
    for name, colour in zip(ids, COLOURS, strict=True):
        paint(f"photos/{name}.jpg", colour)


def posters() -> None:
    rows = [f"{number},{colour}.jpg,a {colour} poster" for number, colour in enumerate(COLOURS)]
    Path("movies.csv").write_text("\n".join(["id,poster,overview", *rows]) + "\n")
    for colour in COLOURS:
        paint(f"posters/{colour}.jpg", colour)


def karpathy() -> None:
    for name, folder in (("flickr30k", "flickr30k-images"), ("coco", "coco/val2014")):
        images = [
            {
                "filename": f"{colour}.jpg", "split": "train" if colour == "red" else "test",
                "sentences": [{"raw": f"a {colour} picture {number}"} for number in range(5)],
                **({"filepath": "val2014"} if name == "coco" else {}),
            }
            for colour in COLOURS
        ]  # fmt: skip
        Path(f"dataset_{name}.json").write_text(json.dumps({"images": images, "dataset": name}))
        for colour in COLOURS:
            paint(f"{folder}/{colour}.jpg", colour)


def crossmodal() -> None:
    lines = []
    for colour in COLOURS:
        paint(f"images/{colour}.jpg", colour)
        lines.append({"image/key": colour, **{lang: {"caption": [colour]} for lang in ("cs", "de", "en")}})
    Path("captions.jsonl").write_text("\n".join(map(json.dumps, lines)))


def imagenet() -> None:
    names = {"n01440764": "red", "n01443537": "green", "n01484850": "blue", "n01491361": "yellow", "n01494475": "red"}
    mapping = "\n".join(f"{code} {colour} thing, another name" for code, colour in names.items())
    for code, colour in names.items():
        for split in ("train", "val"):
            paint(f"imagenet/{split}/{code}/ILSVRC2012_{split}_{code}.JPEG", colour)
    Path("imagenet/LOC_synset_mapping.txt").write_text(mapping)


def clip_retrieval() -> None:
    paths = [paint(f"pictures/{number:09}.jpg", colour) for number, colour in enumerate(COLOURS)]
    for kind in ("img", "text"):
        Path(f"clip_output/{kind}_emb").mkdir(parents=True)
        np.save(f"clip_output/{kind}_emb/{kind}_emb_0.npy", np.eye(4, 768, dtype=np.float16))
    Path("clip_output/metadata").mkdir()
    captions = [f"a {colour} thing" for colour in COLOURS]
    table = pa.table({"image_path": [str(Path(path).absolute()) for path in paths], "caption": captions})
    parquet.write_table(table, "clip_output/metadata/metadata_0.parquet")


def img2dataset() -> None:
    for number, colour in enumerate(COLOURS):
        name = f"laion/0000{number // 2}/{number // 2:05}{number:04}"
        paint(f"{name}.jpg", colour)
        Path(f"{name}.txt").write_text(f"a {colour} picture")
        Path(f"{name}.json").write_text(json.dumps({"caption": f"a {colour} picture", "key": str(number)}))


STAND_INS: dict[str, Callable[[], None]] = {
    "Unsplash Lite": unsplash,
    "TMDB posters": posters,
    "Flickr30k and COCO": karpathy,
    "Crossmodal-3600": crossmodal,
    "ImageNet, zero-shot": imagenet,
    "Folders of clip-retrieval": clip_retrieval,
    "Folders of img2dataset": img2dataset,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    try:
        registry.load(registry.DEFAULT_MODEL)
    except ModelUnavailable as exc:
        pytest.skip(str(exc))
    monkeypatch.chdir(tmp_path)
    yield tmp_path


@pytest.mark.parametrize("title", STAND_INS)
def test_commands_of_a_recipe_work(
    title: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    STAND_INS[title]()
    commands = recipes()[title]
    assert commands
    for command in commands:
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        assert (stopped.value.code, command) == (0, command), printed.err
        assert printed.out or "index" in command


def test_every_section_has_a_stand_in() -> None:
    assert list(recipes()) == list(STAND_INS)
