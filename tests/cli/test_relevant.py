"""`--relevant`, and relevance in the output."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.results import hit_line, hit_record
from encoders.mini.encoder import MiniEncoder
from indexer import index
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
    found = sightline("search", "a snowman in the snow", "--relevant", "--json", "--library", winter)
    assert found.code == 0
    assert all(record["relevance"] >= 0.5 for record in found.records)
    everything = sightline("search", "a snowman in the snow", "--json", "--library", winter).records
    assert [record for record in everything if record["relevance"] >= 0.5] == found.records
    assert len(found.records) < len(everything)
    for form in ([], ["--json"], ["--paths"], ["-0"]):
        nothing = sightline("search", "two men in suits in an office", "--relevant", *form, "--library", winter)
        assert (nothing.code, nothing.out, nothing.err) == (1, b"", "")


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


@pytest.mark.parametrize(("relevance", "line"), [(None, "0.314  /p"), (0.5, "0.314  /p"), (0.49, "0.314? /p")])
def test_doubtful_hit_has_question_mark(relevance: float | None, line: str) -> None:
    record = ContentRecord(7, (Path("/p"),), 640, 480, "JPEG", 12345, None, None, None, None, None)
    hit = Hit(2, record, 0.31415, relevance)
    assert hit_line(hit) == f"  2  {line}  (640×480)"
    assert hit_record(hit)["relevance"] == relevance
