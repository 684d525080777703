"""Hits as text and as JSON."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from cli.output import print_json
from cli.results import hit_line, hit_record, shown_date
from core.metadata import Area, DateSource, Person
from search.results import Hit
from store.queries import ContentRecord

PATHS = (Path("/p/a.jpg"), Path("/p/b.jpg"), Path("/q/a.jpg"))
TAKEN = datetime(2021, 5, 4, 12, 30)  # noqa: DTZ001 (cameras know no zone)


def hit(paths: tuple[Path, ...] = PATHS) -> Hit:
    return Hit(2, ContentRecord(7, paths, 640, 480, "JPEG", 12345, TAKEN, "Fuji X100", "23 mm", 52.5, 13.25), 0.31415)


def test_hit_line_contains_details() -> None:
    assert hit_line(hit()) == "  2  0.314  /p/a.jpg  (640×480, 2021-05-04, Fuji X100, 2 more copies)"
    assert hit_line(hit(PATHS[:2])).endswith("1 more copy)")


def test_a_date_that_only_the_name_has_is_marked() -> None:
    dated = hit(PATHS[:1])
    for source, text in ((DateSource.NAME, "2021-05-04 by its name"), (DateSource.ORIGINAL, "2021-05-04")):
        record = replace(dated.record, date_source=source)
        assert hit_line(replace(dated, record=record)).endswith(f"(640×480, {text}, Fuji X100)")
    assert shown_date(replace(dated.record, taken_at=None)) == ""


def test_people_are_in_the_record_with_their_areas() -> None:
    people = (Person("Anna", Area(0.1, 0.2, 0.3, 0.4)), Person("Ben"))
    record = hit_record(replace(hit(), record=replace(hit().record, people=people, city="Rome")))
    assert record["city"] == "Rome"
    assert record["people"] == [
        {"name": "Anna", "area": {"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.4}},
        {"name": "Ben", "area": None},
    ]


def test_hit_line_escapes_control_characters() -> None:
    """A path in JSON stays unchanged."""
    path = Path("/p/\x1b[31mred\n\t\x9b.jpg")
    assert hit_line(hit((path,))).startswith(r"  2  0.314  /p/\x1b[31mred\x0a\x09\x9b.jpg  (")
    assert hit_record(hit((path,)))["path"] == path


def test_json_encodes_any_name(capfd: pytest.CaptureFixture[str]) -> None:
    names = ["\x1b\x7f\x9b\n.jpg", "é.jpg", "\udcff.jpg"]
    for name in names:
        print_json({"path": Path(name)})
    records = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [record["path"] for record in records] == [*names[:2], r"\xff.jpg"]
    assert [record.get("path_b64") for record in records] == [None, None, "/y5qcGc="]


def test_hit_record_contains_all_fields() -> None:
    assert hit_record(hit()) == {
        "rank": 2,
        "path": Path("/p/a.jpg"),
        "score": 0.31415,
        "relevance": None,
        "is_relevant": None,
        "id": 7,
        "frame": None,
        "width": 640,
        "height": 480,
        "format": "JPEG",
        "size": 12345,
        "taken_at": TAKEN,
        "utc_offset": None,
        "date_source": None,
        "camera": "Fuji X100",
        "lens": "23 mm",
        "latitude": 52.5,
        "longitude": 13.25,
        "sublocation": None,
        "city": None,
        "region": None,
        "country": None,
        "people": [],
        "duration": None,
        "text_match": None,
        "texts": [],
        "copies": [Path("/p/b.jpg"), Path("/q/a.jpg")],
        "companions": [],
        "stack": [],
    }
