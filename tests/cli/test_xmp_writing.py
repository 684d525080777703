"""`sightline write-xmp`."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from encoders.fake import FakeEncoder
from indexer import index
from pictures.metadata.xmp import read_xmp
from store import Library

Sightline = Callable[..., Any]


@pytest.fixture
def said(sightline: Sightline, filled: Path, album: Path) -> Path:
    """Tag and rate two pictures; return their folder."""
    sightline("tag", album / "red.png", "trips/Rome")
    sightline("tag", album / "red.png", album / "more", "warm")
    sightline("rate", "4", album / "red.png")
    return album


def test_what_is_written_is_printed(sightline: Sightline, said: Path) -> None:
    planned = sightline("write-xmp", said, "--dry-run")
    assert (planned.code, planned.err) == (0, "")
    lines = [f"{said / 'red.png.xmp'}  +trips/Rome  +warm  ★★★★", f"{said / 'more' / 'yellow.png.xmp'}  +warm"]
    assert planned.lines == [*lines, "Would write 2 sidecars: 2 new, 0 changed."]
    assert not list(said.rglob("*.xmp"))
    done = sightline("write-xmp", said)
    assert (done.code, done.err, done.lines) == (0, "", [*lines, "Wrote 2 sidecars: 2 new, 0 changed."])
    again = sightline("write-xmp", said)
    assert (again.code, again.lines) == (0, ["Wrote 0 sidecars: 0 new, 0 changed, 2 unchanged."])


def test_what_is_taken_back_is_printed(sightline: Sightline, said: Path) -> None:
    sightline("write-xmp", said)
    sightline("untag", said / "red.png", "trips/Rome")
    sightline("rate", "file", said / "red.png")
    done = sightline("write-xmp", said / "red.png")
    assert done.lines == [f"{said / 'red.png.xmp'}  -trips/Rome  no rating", "Wrote 1 sidecar: 0 new, 1 changed."]


def test_other_programs_come_first(sightline: Sightline, said: Path) -> None:
    path = said / "red.xmp"
    path.write_text(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="2"/></rdf:RDF>'
    )
    done = sightline("write-xmp", said / "red.png")
    assert done.code == 0
    assert done.err == f"sightline: {path} keeps the rating of another program: ★★.\n"
    assert done.lines == [
        f"{path}  +trips/Rome  +warm",
        "Wrote 1 sidecar: 0 new, 1 changed.",
        "What other programs wrote is kept beside it: NAME.xmp.bak.",
        "--replace-ratings replaces the ratings of other programs by yours.",
    ]
    assert sightline("write-xmp", said / "red.png", "--replace-ratings").lines[0] == f"{path}  ★★★★"


def test_faults_are_reported_and_change_the_exit_code(sightline: Sightline, said: Path) -> None:
    (said / "red.xmp").write_text("hello")
    sightline("tag", said / "more", "a\uffff")
    done = sightline("write-xmp", said)
    assert done.code == 1
    assert done.err.splitlines() == [
        f"sightline: {said / 'red.xmp'} is left as it is: it is not XML: syntax error: line 1, column 0.",
        rf"sightline: The tag 'a\uffff' of {said / 'more' / 'yellow.png'} has a character that XML does not allow.",
    ]
    assert done.lines[-1] == "Wrote 1 sidecar: 1 new, 0 changed, 1 left as they are."
    records = sightline("write-xmp", said, "--json").records
    assert [(Path(each["path"]).name, each["result"]) for each in records] == [
        ("red.png", "refused"),
        ("yellow.png", "unchanged"),
    ]
    assert records[0]["reason"].startswith("it is not XML")
    assert (records[1]["unwritable"], records[1]["sidecar"]) == (["a\uffff"], str(said / "more" / "yellow.png.xmp"))


def test_nothing_to_write_and_nothing_selected_are_told_apart(sightline: Sightline, said: Path) -> None:
    nothing = sightline("write-xmp", said / "blue.png")
    assert nothing.code == 1
    assert nothing.lines == ["Nothing to write: none of the 1 selected pictures has a tag or a rating of yours."]
    assert sightline("write-xmp").code == 2
    assert sightline("write-xmp", said / "none.png").code == 2


def test_copies_elsewhere_are_written_only_if_they_are_selected(sightline: Sightline, filled: Path, said: Path) -> None:
    shutil.copy(said / "red.png", said / "more" / "copy.png")
    with Library.open(filled) as opened:
        index(opened, [said], FakeEncoder())
    for selection in (("write-xmp", said / "red.png"), ("write-xmp", "--in", said / "more", "--tag", "trips/Rome")):
        assert len(sightline(*selection, "--dry-run", "--json").records) == 1
    assert len(sightline("write-xmp", "--tag", "trips/Rome", "--dry-run", "--json").records) == 2


def test_names_that_are_not_utf8_are_exact_in_json(
    sightline: Sightline, filled: Path, said: Path, paint: Callable[..., Path]
) -> None:
    path = paint(said / os.fsdecode(b"\xff.png"), "purple")
    with Library.open(filled) as opened:
        index(opened, [said], FakeEncoder())
    sightline("tag", path, "new")
    (record,) = sightline("write-xmp", path, "--json").records
    assert record["path"].endswith(r"\xff.png")
    assert "path_b64" in record
    assert read_xmp(path.with_name(path.name + ".xmp").read_bytes()).keywords == ("new",)
