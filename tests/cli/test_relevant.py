"""`--relevant`, and relevance in the output."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.results import hit_line, hit_record, write_csv
from core.settings import MODELS_VARIABLE
from encoders.mini.encoder import MiniEncoder
from indexer import index
from search import background_calibration
from search.relevance import Calibration
from search.results import Hit
from store import Library
from store.queries import ContentRecord

Sightline = Callable[..., Any]
GALLERY = Path(__file__).parents[2] / "examples" / "gallery"


@pytest.fixture(scope="module")
def winter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a library of ten winter scenes."""
    path = tmp_path_factory.mktemp("winter") / "library"
    with Library.open(path, create=True) as library:
        index(library, [GALLERY / "winter"], MiniEncoder())
    return path


def test_relevant_without_hits_exits_with_1(sightline: Sightline, winter: Path) -> None:
    found = sightline(
        "search",
        "a snowman with a red scarf and a brown dog in a snowy field",
        "--relevant",
        "--json",
        "--library",
        winter,
    )
    assert found.code == 0
    everything = sightline(
        "search", "a snowman with a red scarf and a brown dog in a snowy field", "--json", "--library", winter
    ).records
    assert found.records == everything[: len(found.records)]
    assert found.records[-1]["relevance"] > everything[len(found.records)]["relevance"]
    assert len(found.records) < len(everything)
    for form in ([], ["--json"], ["--paths"], ["-0"]):
        nothing = sightline("search", "two men in suits in an office", "--relevant", *form, "--library", winter)
        assert (nothing.code, nothing.out) == (1, b"")
        assert nothing.err == "sightline: nothing was found with --relevant\n"


def test_answer_whose_hits_are_all_probably_wrong_is_reported(sightline: Sightline, winter: Path) -> None:
    nothing = sightline("search", "two men in suits in an office", "-k", "3", "--library", winter)
    assert (nothing.code, len(nothing.lines)) == (0, 3)
    assert all("? " in line for line in nothing.lines)
    assert nothing.err == "sightline: probably no picture matches; these are the nearest ones\n"
    later = sightline("search", "two men in suits in an office", "-k", "3", "--page", "start", "--library", winter)
    cursor = later.err.split()[-1]
    options = ("-k", "3", "--page", cursor, "--library", winter)
    assert "probably" not in sightline("search", "two men in suits in an office", *options).err
    assert sightline("search", "two men in suits in an office", "--json", "--library", winter).err == ""
    there = "a snowman with a red scarf and a brown dog in a snowy field"
    assert sightline("search", there, "--library", winter).err == ""


def test_similar_relevant(sightline: Sightline, winter: Path, tmp_path: Path) -> None:
    picture = next((GALLERY / "winter").glob("*.jpg"))
    assert sightline("similar", picture, "--relevant", "--library", winter).code == 0
    from PIL import Image

    Image.new("RGB", (64, 64), "magenta").save(tmp_path / "plain.png")
    assert sightline("similar", tmp_path / "plain.png", "--relevant", "--library", winter).code == 1


def test_relevant_requires_calibrated_model(sightline: Sightline, filled: Path) -> None:
    answer = sightline("search", "red", "--relevant")
    assert (answer.code, answer.out) == (2, b"")
    message, hint = answer.err.splitlines()
    assert "the model fake" in message
    assert "--min-score" in hint
    assert [record["relevance"] for record in sightline("search", "red", "--json").records] == [None] * 4


def test_a_failed_calibration_is_reported_once_with_its_reason(
    sightline: Sightline, filled: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object) -> Calibration:
        raise RuntimeError("out of memory")

    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    monkeypatch.setattr(background_calibration, "NO_WEIGHTS", "")  # so that `fake` counts as a model with weights
    monkeypatch.setattr(background_calibration, "fit_calibration", fail)
    first, second = sightline("search", "red", "--paths"), sightline("search", "red", "--paths")
    assert first.err.splitlines() == [
        "sightline: calibrating the relevance of fake, once; this can take a minute",
        "sightline: the relevance of fake could not be calibrated (RuntimeError: out of memory). Results are only "
        "ranked. `sightline status` shows how to try again.",
    ]
    assert (second.err, second.out) == ("", first.out)
    (space,) = sightline("status", "--json").record["spaces"]
    assert (space["calibrating"], space["calibration_failure"]) == (False, "RuntimeError: out of memory")
    assert "relevance could not be calibrated" in sightline("status").text
    assert f"RuntimeError: out of memory (delete {space['calibration_file']} to try again)" in sightline("status").text
    Path(space["calibration_file"]).unlink()
    assert sightline("search", "red", "--paths").err == first.err


def test_relevant_names_the_kind_of_query_without_a_scale(
    sightline: Sightline, winter: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = MiniEncoder().calibration
    assert shipped is not None
    content = json.loads(shipped.read_text())
    content["scales"].pop("word", None)
    (tmp_path / "calibration.json").write_text(json.dumps(content))
    monkeypatch.setattr(MiniEncoder, "calibration", tmp_path / "calibration.json")
    answer = sightline("search", "snow", "--relevant", "--library", winter)
    assert (answer.code, answer.out) == (2, b"")
    assert "not calibrated for single words as queries to the model mini" in answer.err
    assert "--min-score" in answer.err
    assert {record["relevance"] for record in sightline("search", "snow", "--json", "--library", winter).records} == {
        None
    }
    (tmp_path / "lines.txt").write_text("a snowman with a red scarf in a snowy field\nsnow\n")
    batch = sightline("search", "--queries", tmp_path / "lines.txt", "--relevant", "--library", winter)
    assert batch.code == 2
    assert "Line 2: Relevance is not calibrated for single words" in batch.err
    assert batch.out.count(b"\n") == 1  # the first line has been answered


@pytest.mark.parametrize(
    ("relevance", "is_relevant", "line"),
    [(None, None, "0.314  /p"), (0.7, True, "0.314  /p"), (0.4, None, "0.314  /p"), (0.2, False, "0.314? /p")],
)
def test_only_a_probably_wrong_hit_has_a_question_mark(
    relevance: float | None, is_relevant: bool | None, line: str, tmp_path: Path
) -> None:
    record = ContentRecord(7, (Path("/p"),), 640, 480, "JPEG", 12345, None, None, None, None, None)
    hit = Hit(2, record, 0.31415, relevance, is_relevant)
    assert hit_line(hit) == f"  2  {line}  (640×480)"
    assert (hit_record(hit)["relevance"], hit_record(hit)["is_relevant"]) == (relevance, is_relevant)
    write_csv(tmp_path / "hits.csv", [hit])
    with (tmp_path / "hits.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["is_relevant"] == {None: "", True: "true", False: "false"}[is_relevant]
