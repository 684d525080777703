"""`sightline eval --image-vectors --text-vectors`: vectors made elsewhere by one command, without a library."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

Sightline = Callable[..., Any]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Forty pictures with two captions each, in the order of the file; `better.npy` is nearer to the pictures."""
    random = np.random.default_rng(0)
    images = random.normal(size=(40, 16)).astype(np.float32)
    np.save(tmp_path / "img.npy", images)
    for name, noise in (("txt", 1.5), ("better", 0.7)):
        texts = np.repeat(images, 2, axis=0) + random.normal(0, noise, (80, 16))
        np.save(tmp_path / f"{name}.npy", texts.astype(np.float16))
    lines = [{"image": f"p{99 - row // 2}.jpg", "caption": f"text {row}", "lang": "en"} for row in range(80)]
    (tmp_path / "captions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path


def plain_numpy(folder: Path, texts: str) -> float:
    images, captions = (np.load(folder / name).astype(np.float64) for name in ("img.npy", f"{texts}.npy"))
    images, captions = (side / np.linalg.norm(side, axis=1)[:, None] for side in (images, captions))
    return float(((captions @ images.T).argmax(axis=1) == np.arange(80) // 2).mean())


def test_data_set_and_pairs_give_the_numbers_of_numpy(sightline: Sightline, files: Path) -> None:
    arguments = ("eval", "--image-vectors", files / "img.npy", "--text-vectors", files / "txt.npy", "--json")
    answer = sightline(*arguments, files / "captions.jsonl")
    record = answer.record
    assert record["recall@1"] == plain_numpy(files, "txt")
    assert (record["queries"], record["pictures"], record["clusters"], record["space"]) == (80, 40, 40, "img")
    assert "img.npy: row 0 is p99.jpg, row 39 is p60.jpg" in answer.err
    assert "txt.npy: vectors of length" in answer.err
    for pairs in (["--pairs"], ["--pairs", "--captions-per-image", "2"]):
        of_pairs = sightline(*arguments, *pairs).record
        same = ("mrr", "recall@1", "recall@10", "median_rank", "intervals", "queries", "pictures", "clusters")
        assert {key: of_pairs[key] for key in same} == {key: record[key] for key in same}


def test_vectors_of_all_languages_serve_for_one(sightline: Sightline, files: Path) -> None:
    """Pictures are first named in another order by the German captions, which are those of odd rows, backwards."""
    rows = [*range(0, 80, 2), *range(79, 0, -2)]
    lines = [{"image": f"p{row // 2}.jpg", "caption": f"text {row}", "lang": "de" if row % 2 else "en"} for row in rows]
    (files / "two.jsonl").write_text("\n".join(map(json.dumps, lines)))
    texts = np.load(files / "txt.npy")[rows]
    np.save(files / "all.npy", texts)
    np.save(files / "german.npy", texts[40:])
    arguments = ("eval", files / "two.jsonl", "--image-vectors", files / "img.npy", "--json", "--metrics", "R@1,mrr")
    german, english, _ = sightline(*arguments, "--text-vectors", files / "all.npy").records
    assert (german["lang"], english["lang"]) == ("de", "en")
    assert german["recall@1"] != english["recall@1"]
    only = sightline(*arguments, "--text-vectors", files / "all.npy", "--lang", "de").record
    assert {**only, "space": ""} == {**german, "space": ""}
    # With vectors of the German captions only, the pictures are in the order of these captions.
    np.save(files / "img.npy", np.load(files / "img.npy")[::-1])
    assert sightline(*arguments, "--text-vectors", files / "german.npy", "--lang", "de").record["mrr"] == only["mrr"]
    np.save(files / "some.npy", texts[:50])
    answer = sightline(*arguments, "--text-vectors", files / "some.npy", "--lang", "de")
    assert "50 vectors, but two has 40 captions in de, and 80 in all languages. Without ids there is one" in answer.err


def test_two_models_are_compared_and_write_their_runs(sightline: Sightline, files: Path) -> None:
    arguments: list[str | Path] = ["eval", files / "captions.jsonl", "--direction", "both"]
    for name in ("txt", "better"):
        arguments += ["--image-vectors", f"{name}={files / 'img.npy'}"]
        arguments += ["--text-vectors", f"{name}={files / (name + '.npy')}"]
    outputs = ("--run", files / "out.run", "--qrels", files / "out.qrels", "--metrics", "R@1,map", "--json")
    records = sightline(*arguments, *outputs).records
    assert [(record["space"], record["direction"]) for record in records] == [
        ("txt", "text-to-picture"), ("txt", "picture-to-text"), ("better", "text-to-picture"),
        ("better", "picture-to-text"),
    ]  # fmt: skip
    assert records[2]["recall@1"] == plain_numpy(files, "better")
    assert {one["better"] for one in records[2]["comparisons"]} == {"right"}
    for record in records:  # each run has the numbers of its record
        run = files / f"out-{record['space']}-{record['direction']}.run"
        qrels = files / f"out-{record['direction']}.qrels"
        again = sightline("eval", "--run-file", run, "--qrels", qrels, "--metrics", "R@1,map", "--json").record
        assert (again["recall@1"], again["map"]) == (record["recall@1"], record["map"])
        assert run.read_text().split()[5] == record["space"]
    assert not (files / "out.run").exists()


def test_approximate_index_of_vectors(sightline: Sightline, files: Path) -> None:
    arguments = ("eval", "--image-vectors", files / "img.npy", "--text-vectors", files / "txt.npy", "--pairs")
    exact, flat = sightline(*arguments, "--index", "Flat", "--depth", "5", "--json").records
    assert (flat["space"], flat["depth"], flat["recall@5"]) == ("img Flat", 5, exact["recall@5"])


def test_report_without_files_shows_captions_and_ids(sightline: Sightline, files: Path) -> None:
    arguments = ("eval", "--image-vectors", files / "img.npy", "--text-vectors", files / "txt.npy")
    assert sightline(*arguments, files / "captions.jsonl", "--html", files / "r.html").code == 0
    page = ET.fromstring((files / "r.html").read_text().partition("\n")[2])
    queries = [block for block in page.iter("div") if block.get("class") == "query"]
    assert len(queries) == 12
    for block in queries:
        assert "".join(next(block.iter("q")).itertext()).startswith("text ")
        items = ["".join(item.itertext()) for item in block.iter("div") if "item" in (item.get("class") or "").split()]
        assert len(items) == 6
        assert all("text " in item and ".jpg" in item for item in items)  # a caption of the picture, and its id


def test_report_with_many_pictures_is_small(sightline: Sightline, files: Path) -> None:
    """Noise does not compress: at their full size, the thumbnails of 40 pictures have more than 0.5 MB."""
    random = np.random.default_rng(0)
    for number in range(60, 100):
        Image.fromarray(random.integers(0, 255, (300, 400, 3), np.uint8)).save(files / f"p{number}.jpg")
    arguments: list[str | Path] = ["eval", files / "captions.jsonl", "--direction", "both", "--html", files / "r.html"]
    for name in ("txt", "better"):
        arguments += ["--image-vectors", f"{name}={files / 'img.npy'}"]
        arguments += ["--text-vectors", f"{name}={files / (name + '.npy')}"]
    assert sightline(*arguments).code == 0
    size = (files / "r.html").stat().st_size
    assert 300_000 < size < 3_000_000
    page = ET.fromstring((files / "r.html").read_text().partition("\n")[2])
    embedded = [symbol.attrib["id"] for symbol in page.iter("symbol")]
    shown = {use.attrib["href"] for use in page.iter("use")}
    assert {f"#{name}" for name in embedded} == shown
    assert len(embedded) == len(set(embedded)) <= 40


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--image-vectors", "img.npy", "captions.jsonl"], "Each --image-vectors needs a --text-vectors"),
        (["--pairs"], "Each --image-vectors needs a --text-vectors"),
        (["--image-vectors", "img.npy", "--text-vectors", "txt.npy"], "Name one DATASET that lists the captions"),
        (["--image-vectors", "img.npy", "--text-vectors", "txt.npy", "--pairs", "captions.jsonl"], "is instead of"),
        (["--image-vectors", "img.npy", "--text-vectors", "txt.npy", "--pairs", "--captions-per-image", "5"],
         "40 vectors of pictures with 5 captions each need 200 vectors of captions, but there are 80"),
        (["--image-vectors", "img.npy", "--text-vectors", "img.npy", "captions.jsonl"],
         "img.npy: 40 vectors, but"),
        (["--image-vectors", "none.npy", "--text-vectors", "txt.npy", "captions.jsonl"], "none.npy: no such file"),
        (["--image-vectors", "captions.jsonl", "--text-vectors", "txt.npy", "--pairs"], "not a .npy file of vectors"),
        (["--image-vectors", "img.npy", "--text-vectors", "txt.npy", "--pairs", "--space", "mini"], "--space"),
        (["captions.jsonl", "--image-ids", "ids.txt"], "--image-ids needs --image-vectors"),
        (["captions.jsonl", "--captions-per-image", "5"], "--captions-per-image needs --pairs"),
        (["--image-vectors", "nan.npy", "--text-vectors", "txt.npy", "--pairs"],
         "nan.npy: the vector in row 7 (from 0) is not finite (NaN or infinity)"),
    ],
)  # fmt: skip
def test_mistakes_are_named(
    sightline: Sightline, files: Path, arguments: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = np.load(files / "img.npy")
    vectors[7, 3] = np.nan
    np.save(files / "nan.npy", vectors)
    monkeypatch.chdir(files)
    answer = sightline("eval", *arguments)
    assert (answer.code, answer.out) == (2, b"")
    assert complaint in answer.err
    assert "Traceback" not in answer.err


def test_names_that_agree_in_part_are_refused(sightline: Sightline, files: Path) -> None:
    """In the order of the files, the model `b` would get the captions of `a`."""
    img, txt = files / "img.npy", files / "txt.npy"
    images, texts = ["--image-vectors", f"a={img}", "--image-vectors", f"b={img}"], ["--text-vectors", f"b={txt}"]
    answer = sightline("eval", "--pairs", *images, *texts, "--text-vectors", f"c={txt}")
    assert answer.code == 2
    assert "share b, but not their other names" in answer.err
