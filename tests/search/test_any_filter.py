"""Any condition selects the same contents as plain Python, row by row."""
# ruff: noqa: DTZ001  (cameras know no time zone)

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from encoders.fake import FakeEncoder
from store import Library
from store.catalog.collation import fold
from store.catalog.tables import (
    Content,
    ContentTag,
    Embedding,
    Picture,
    PictureState,
    PictureTag,
    Root,
    Sidecar,
    Tag,
    TagSource,
)
from store.filters.conditions import And, Box, Circle, Condition, FieldTest, Not, Op, Or
from store.filters.selection import candidate_ids, selected_ids
from store.spaces.embeddings import searchable_ids
from store.spaces.registry import StoredSpace, activate, register
from tests.support.examples import EXAMPLES_FACTOR

CAMERAS = (None, "FUJIFILM X100V", "Leica Straße", "LEICA STRASSE", "100%_sure", "cafe\u0301", "[x]")
LENSES = (None, "50mm F2", "a*b")
TITLES = (None, "", "A day, at sea", "שלום", "100%_", "naïve")
TAGS = ("beach", "Beach/Night", "beach0", "a,b", 'say "hi"', "ÉTÉ", "people/Anna")
FOLDERS = (b"", b"sea/", b"sea/deep/", b"seaside/", b"100%_/", b"n\xfcl/")
ROOTS = (b"/photos", b"/photos-two")
DATES = (
    None,
    datetime(2022, 12, 31, 23, 59, 59),
    datetime(2023, 1, 1),
    datetime(2023, 7, 15, 6, 30, 0, 5),
    datetime(2024, 2, 29, 12),
)
PLACES = (
    (None, None),
    (0.0, 179.9),
    (0.0, -179.9),
    (48.137, 11.575),
    (-33.86, 151.2),
    (89.9, 10.0),
    (89.9, -170.0),
    (-90.0, 0.0),
)


@dataclass(frozen=True)
class File:
    """One present file with all its metadata."""

    content_id: int
    path: bytes
    facts: dict[str, object]
    tags: tuple[str, ...]


def number(rng: np.random.Generator, *choices: object) -> object:
    return choices[int(rng.integers(len(choices)))]


def fill(connection: Connection, stored: StoredSpace) -> None:
    """Add 400 contents with zero to three files each, in every state, with and without a vector."""
    rng = np.random.default_rng(7)
    for root_id, path in enumerate(ROOTS, start=1):
        connection.execute(insert(Root).values(id=root_id, path=path, added_at=datetime(2026, 1, 1)))
    for tag_id, name in enumerate(TAGS, start=1):
        connection.execute(insert(Tag).values(id=tag_id, key=fold(name), name=name))
    for content_id in range(1, 401):
        latitude, longitude = PLACES[int(rng.integers(len(PLACES)))]
        document = rng.random() < 0.05
        size = (0, 0) if document else (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        values = {
            "id": content_id,
            "digest": content_id.to_bytes(32),
            "size": 0 if document else int(rng.integers(1, 5)),
            "format": "" if document else number(rng, "JPEG", "PNG"),
            "width": size[0],
            "height": size[1],
            "taken_at": number(rng, *DATES),
            "camera": number(rng, *CAMERAS),
            "lens": number(rng, *LENSES),
            "latitude": latitude,
            "longitude": longitude,
            "iso": number(rng, None, 100, 800, 3200),
            "aperture": number(rng, None, 1.8, 2.8),
            "rating": number(rng, None, -1, 0, 3, 5),
            "title": number(rng, *TITLES),
        }
        connection.execute(insert(Content).values(values))
        if rng.random() < 0.9:
            connection.execute(insert(Embedding).values(space_id=stored.id, content_id=content_id, vector=b""))
        for tag_id in range(1, len(TAGS) + 1):
            if rng.random() < 0.1:
                connection.execute(
                    insert(ContentTag).values(tag_id=tag_id, content_id=content_id, source=number(rng, *TagSource))
                )
        for copy in range(int(rng.integers(0, 4))):
            picture_id = content_id * 4 + copy
            connection.execute(
                insert(Picture).values(
                    id=picture_id,
                    root_id=number(rng, 1, 2),
                    relpath=FOLDERS[int(rng.integers(len(FOLDERS)))] + b"%d.jpg" % picture_id,
                    size=1,
                    mtime_ns=1,
                    content_id=content_id,
                    state=number(
                        rng, PictureState.PRESENT, PictureState.PRESENT, PictureState.PRESENT, PictureState.MISSING
                    ),
                )
            )
            if rng.random() < 0.3:
                sidecar = {"rating": number(rng, None, 0, 1, 5), "title": number(rng, *TITLES)}
                connection.execute(insert(Sidecar).values(picture_id=picture_id, **sidecar))
                connection.execute(insert(PictureTag).values(picture_id=picture_id, tag_id=int(rng.integers(1, 8))))


def read_back(connection: Connection, stored: StoredSpace) -> list[File]:
    """Read all files with plain statements."""
    embedded = set(connection.execute(select(Embedding.content_id).where(Embedding.space_id == stored.id)).scalars())
    contents = {row.id: row._asdict() for row in connection.execute(select(Content.__table__))}
    roots = {row.id: row.path for row in connection.execute(select(Root.__table__))}
    sidecars = {row.picture_id: row for row in connection.execute(select(Sidecar.__table__))}
    names = {row.id: row.name for row in connection.execute(select(Tag.__table__))}
    said = [(row.content_id, names[row.tag_id]) for row in connection.execute(select(ContentTag.__table__))]
    beside = [(row.picture_id, names[row.tag_id]) for row in connection.execute(select(PictureTag.__table__))]
    files = []
    for row in connection.execute(select(Picture.__table__).where(Picture.state == PictureState.PRESENT)):
        if row.content_id not in embedded:
            continue
        facts, sidecar = dict(contents[row.content_id]), sidecars.get(row.id)
        if sidecar is not None and sidecar.rating is not None:
            facts["rating"] = sidecar.rating
        if sidecar is not None and sidecar.title is not None:
            facts["title"] = sidecar.title
        tags = [name for content_id, name in said if content_id == row.content_id]
        tags += [name for picture_id, name in beside if picture_id == row.id]
        files.append(File(row.content_id, roots[row.root_id] + b"/" + row.relpath, facts, tuple(tags)))
    return files


@pytest.fixture(scope="module")
def world(
    empty_library: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Library, StoredSpace, list[File]]]:
    import shutil

    path = tmp_path_factory.mktemp("filters") / "library"
    shutil.copytree(empty_library, path)
    with Library.open(path) as library:
        with library.transaction() as connection:
            stored = register(connection, FakeEncoder().space)
            activate(connection, stored)
            fill(connection, stored)
        with library.read() as connection:
            files = read_back(connection, stored)
        yield library, stored, files


def fits(name: str, pattern: str) -> bool:
    """Match a pattern by trying every split, independently of `store.catalog.collation.matches`."""
    name, pattern = fold(name), fold(pattern)
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(fits(name[start:], pattern[1:]) for start in range(len(name) + 1))
    return bool(name) and pattern[0] in ("?", name[0]) and fits(name[1:], pattern[1:])


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Compute the distance from the angle between two vectors, not with haversines."""

    def vector(point: tuple[float, float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        north, east = map(math.radians, point)
        return np.array([math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)])

    a, b = vector(one), vector(other)
    return 6_371_008.8 * math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))


def value_of(file: File, field: str) -> object:
    facts = file.facts
    taken = facts["taken_at"]
    if field in ("year", "month", "minute"):
        if not isinstance(taken, datetime):
            return None
        return {"year": taken.year, "month": taken.month, "minute": taken.hour * 60 + taken.minute}[field]
    width, height = facts["width"], facts["height"]
    assert isinstance(width, int)
    assert isinstance(height, int)
    if field == "orientation":
        return None if not width else "landscape" if width > height else "portrait" if width < height else "square"
    if field == "pixels":
        return width * height or None
    if field == "path":
        return file.path.decode(errors="replace")
    if field == "name":
        return file.path.rpartition(b"/")[2].decode(errors="replace")
    if field == "id":
        return file.content_id
    value = facts["size"] if field == "bytes" else facts[field]
    return None if field in ("rating", "width", "height", "bytes", "format") and not value else value


def holds(file: File, condition: Condition) -> bool:
    """Evaluate a condition in plain Python."""
    if isinstance(condition, And):
        return all(holds(file, part) for part in condition.conditions)
    if isinstance(condition, Or):
        return any(holds(file, part) for part in condition.conditions)
    if isinstance(condition, Not):
        return not holds(file, condition.condition)
    field, op, value = condition.field, condition.op, condition.value
    if op is Op.NE:
        return not holds(file, FieldTest(field, Op.EQ, value))
    if field == "tag":
        return holds_tag(file, op, value)
    if field == "folder":
        assert isinstance(value, Path)
        return Path(os.fsdecode(file.path)).is_relative_to(value)
    if field == "position":
        return holds_position(file, value)
    known = value_of(file, field)
    if op is Op.EXISTS or known is None:
        return known is not None
    if isinstance(known, str) and field not in ("format", "orientation"):
        known = fold(known)
        value = tuple(fold(str(each)) for each in value) if isinstance(value, tuple) else fold(str(value))
    if op is Op.IN:
        assert isinstance(value, tuple)
        return known in value
    if op is Op.LIKE:
        return fits(str(known), str(value))
    compared = {
        Op.EQ: lambda a, b: a == b,
        Op.LT: lambda a, b: a < b,
        Op.LE: lambda a, b: a <= b,
        Op.GT: lambda a, b: a > b,
        Op.GE: lambda a, b: a >= b,
    }
    return bool(compared[op](known, value))


def holds_tag(file: File, op: Op, value: object) -> bool:
    if op is Op.EXISTS:
        return bool(file.tags)
    if op is Op.LIKE:
        return any(fits(tag, str(value)) for tag in file.tags)
    return any(fold(tag) == fold(str(value)) or fold(tag).startswith(fold(str(value)) + "/") for tag in file.tags)


def holds_position(file: File, value: object) -> bool:
    latitude, longitude = file.facts["latitude"], file.facts["longitude"]
    if latitude is None or value is None:
        return latitude is not None
    assert isinstance(latitude, float)
    assert isinstance(longitude, float)
    assert isinstance(value, tuple)
    (area,) = value
    if isinstance(area, Circle):
        return metres((latitude, longitude), (area.latitude, area.longitude)) <= area.metres
    assert isinstance(area, Box)
    turned = (longitude - area.west) % 360 <= (area.east - area.west) % 360
    return area.south <= latitude <= area.north and turned


SHAPES = ["landscape", "portrait", "square"]
PLACED = [Path("/"), Path("/photos"), Path("/photos/sea"), Path("/photos/100%_")]
ORDERED = st.sampled_from([Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE])
PATTERNS = st.sampled_from(
    ["*x100*", "*", "?*", "leica strasse", "100%_*", "100%*", "*[x]*", "*É", "", "*a*a*", "a*b", "*,*", "CAFÉ", "cafe"]
)


def numbers(field: str, *values: float) -> st.SearchStrategy[Condition]:
    value = st.sampled_from(values)
    return st.one_of(
        st.builds(FieldTest, st.just(field), ORDERED, value),
        st.builds(FieldTest, st.just(field), st.just(Op.IN), st.lists(value, max_size=3).map(tuple)),
        st.just(FieldTest(field, Op.EXISTS)),
    )


def texts(field: str, *values: str) -> st.SearchStrategy[Condition]:
    value = st.sampled_from(values)
    return st.one_of(
        st.builds(FieldTest, st.just(field), st.sampled_from([Op.EQ, Op.NE]), value | st.text(max_size=2)),
        st.builds(FieldTest, st.just(field), st.just(Op.LIKE), PATTERNS | st.text("a*?_%é[/", max_size=4)),
        st.just(FieldTest(field, Op.EXISTS)),
    )


tests = st.one_of(
    numbers("iso", 100, 800, 3200),
    numbers("aperture", 1.8, 2.0),
    numbers("rating", -1, 3, 4, 5),
    numbers("year", 2022, 2023),
    numbers("month", 1, 2, 12),
    numbers("minute", 0, 390, 1439),
    numbers("width", 1, 2),
    numbers("pixels", 1, 4, 6),
    numbers("bytes", 1, 3),
    numbers("latitude", 0, -33.86),
    texts("camera", *(name for name in CAMERAS if name)),
    texts("lens", *(name for name in LENSES if name)),
    texts("title", *(name for name in TITLES if name)),
    texts("name", "10.jpg", "9.JPG"),
    texts("path", "/photos/sea/9.jpg"),
    texts("tag", *TAGS, "people", "été"),
    st.builds(FieldTest, st.just("path"), st.just(Op.LIKE), st.sampled_from(["*/sea/*", "/photos/*", "*/100%_/*"])),
    st.builds(FieldTest, st.just("taken_at"), ORDERED, st.sampled_from([date for date in DATES if date]).flatmap(
        lambda date: st.sampled_from([date, date + timedelta(microseconds=1)])
    )),
    st.builds(FieldTest, st.just("orientation"), st.just(Op.IN), st.lists(st.sampled_from(SHAPES)).map(tuple)),
    st.builds(FieldTest, st.just("format"), st.sampled_from([Op.EQ, Op.NE]), st.sampled_from(["JPEG", "PNG"])),
    st.builds(FieldTest, st.just("folder"), st.just(Op.EQ), st.sampled_from(PLACED)),
    st.builds(FieldTest, st.just("id"), st.just(Op.IN), st.lists(st.integers(0, 500)).map(tuple)),
    st.builds(
        lambda *numbers: FieldTest("position", Op.IN, (Circle(*numbers),)),
        st.sampled_from([48.0, 0.0, 89.95, -90.0]),
        st.sampled_from([11.5, 180.0, -180.0, 10.0]),
        st.sampled_from([0.0, 12_000.0, 25_000.0, 5e6, 3e7]),
    ),
    st.builds(
        lambda south, north, west, east: FieldTest("position", Op.IN, (Box(south, west, north, east),)),
        st.sampled_from([-90.0, -1.0, 48.137]),
        st.sampled_from([90.0, 0.0, 48.137]),
        st.sampled_from([-180.0, 179.0, 11.575]),
        st.sampled_from([-179.0, 11.575, 179.95]),
    ),
    st.just(FieldTest("position", Op.EXISTS)),
)  # fmt: skip
conditions: st.SearchStrategy[Condition] = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@settings(
    max_examples=100 * EXAMPLES_FACTOR,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(conditions)
def test_any_condition_equals_brute_force(world: tuple[Library, StoredSpace, list[File]], condition: Condition) -> None:
    library, stored, files = world
    expected = sorted({file.content_id for file in files if holds(file, condition)})
    assert selected_ids(library, stored, condition).tolist() == expected
    candidates = candidate_ids(library, stored, condition)
    with library.read() as connection:
        assert np.intersect1d(candidates, searchable_ids(connection, stored)).tolist() == expected
        assert candidates.tolist() == sorted(set(candidates.tolist()))
