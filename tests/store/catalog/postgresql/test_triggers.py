"""The triggers of PostgreSQL do what those of SQLite do."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Executable, Insert, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from store import Library
from store.catalog.change_feed import MAX_ROWS
from store.catalog.tables import (
    BLOCK_SIZE,
    Content,
    ContentBlock,
    ContentPlace,
    ContentTag,
    Embedding,
    FrameEmbedding,
    FrameRow,
    PersonRow,
    Picture,
    PictureTag,
    PlaceRow,
    Root,
    SpaceRow,
    Tag,
    VectorChange,
)

pytestmark = pytest.mark.servers

CONTENTS = [1, 2, 3, 4, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 5 * BLOCK_SIZE]
STATES = ["present", "missing", "failed", "paired"]
MOMENT = text("'2026-01-01'")


@pytest.fixture
def both(library: Library, tmp_path: Path) -> Iterator[tuple[Library, Library]]:
    """An empty library in each database."""
    with Library.open(tmp_path / "library", create=True) as on_sqlite:
        yield on_sqlite, library


def statements(rng: random.Random) -> Iterator[Executable]:
    """Yield statements that any catalogue could execute at this point, most of them of several rows."""
    for number in (1, 2):
        yield space_row(number)
        yield insert(Root).values(id=number, path=b"%d" % number, added_at=MOMENT)
        yield insert(Tag).values(id=number, key=str(number), name=str(number))
        yield insert(PlaceRow).values(id=number, city="c", country="c", country_code="CC")
    yield insert(Content).values([content_row(number) for number in CONTENTS])
    files = 0
    while True:
        some = rng.sample(CONTENTS, rng.randint(1, 4))
        files += 4
        new_files = [
            {
                "id": files + place,
                "root_id": rng.randint(1, 2),
                "relpath": b"%d/%d" % (place, files),
                "size": 1,
                "mtime_ns": 1,
                **PATHS,
                "state": rng.choice(STATES),
                "content_id": rng.choice([content, None]),
            }
            for place, content in enumerate(some)
        ]
        some_files = Picture.id % rng.randint(1, 7) == rng.randint(0, 2)
        choices: list[Executable] = [
            insert(Picture).values(new_files),
            update(Picture).where(some_files).values(state=rng.choice(STATES)),
            update(Picture).where(some_files).values(content_id=rng.choice([*CONTENTS, None])),
            update(Picture).where(some_files).values(content_id=None, state="failed"),
            update(Picture).where(some_files).values(size=Picture.size + 1),
            update(Picture).where(some_files).values(folder=rng.choice([b"a", b"b"])),
            delete(Picture).where(some_files),
            delete(Root).where(Root.id == (2 if rng.random() < 0.3 else 0)),
            delete(Content).where(
                Content.id.in_(some), ~select(Picture.id).where(Picture.content_id == Content.id).exists()
            ),
            update(Content).where(Content.id.in_(some)).values(camera=rng.choice(["a", "b", None])),
            update(Content).where(Content.id.in_(some)).values(title=rng.choice(["a", "b"])),
            missing(Embedding, {"space_id": rng.randint(1, 2)}, some, {"vector": b"\0\0"}),
            update(Embedding).where(Embedding.content_id.in_(some)).values(vector=rng.randbytes(2)),
            delete(Embedding).where(Embedding.content_id.in_(some), Embedding.space_id == rng.randint(1, 2)),
            missing(FrameRow, {"number": rng.randint(1, 2)}, some, {"kind": "page"}),
            delete(FrameRow).where(FrameRow.content_id.in_(some), FrameRow.number == 1),
            update(FrameEmbedding).values(vector=rng.randbytes(2)),
            missing(ContentTag, {"tag_id": rng.randint(1, 2), "source": "user"}, some, {}),
            update(ContentTag).where(ContentTag.tag_id == 1, ContentTag.content_id.in_(some)).values(
                probability=0.5
            ),
            delete(ContentTag).where(ContentTag.content_id.in_(some)),
            missing(PersonRow, {"key": rng.choice("ab")}, some, {"name": "A"}),
            update(PersonRow).where(PersonRow.content_id.in_(some)).values(name=rng.choice("AB")),
            missing(ContentPlace, {}, some, {"latitude": 1.0, "longitude": 1.0, "gazetteer": "g"}),
            update(ContentPlace).where(ContentPlace.content_id.in_(some)).values(
                place_id=rng.choice([1, 2, None])
            ),
            tags_of_files(some_files),
            delete(PictureTag).where(PictureTag.picture_id % 2 == rng.randint(0, 1)),
            frame_vectors(rng.randint(1, 2)),
            delete(SpaceRow).where(SpaceRow.id == (2 if rng.random() < 0.1 else 0)),
            insert(Content).values(content_row(rng.choice(CONTENTS))),
            insert(Content).values(content_row(rng.choice(CONTENTS))),
            space_row(2),
            insert(Root).values(id=2, path=b"2", added_at=MOMENT),
        ]  # fmt: skip
        yield rng.choice(choices)


PATHS = {"folder": b"", "path_key": "", "name_key": ""}


def space_row(number: int) -> Executable:
    return insert(SpaceRow).values(
        id=number,
        fingerprint=str(number),
        model="m",
        weights="w",
        dim=1,
        preprocessing={},
        dtype="float16",
        created_at=MOMENT,
    )


def content_row(number: int) -> dict[str, object]:
    return {"id": number, "digest": b"%032d" % number, "size": 1, "format": "PNG", "width": 1, "height": 1}


def missing(table: type, fixed: dict[str, object], contents: list[int], rest: dict[str, object]) -> Executable:
    """Insert a row for each of the contents that exists and has none yet."""
    columns = {**fixed, **rest}
    model = table.__table__  # type: ignore[attr-defined]
    is_there = [model.c[name] == value for name, value in fixed.items()]
    has_row = select(model.c.content_id).where(model.c.content_id == Content.id, *is_there).exists()
    conditions = [Content.id.in_(contents), ~has_row]
    if "space_id" in fixed:
        conditions.append(select(SpaceRow.id).where(SpaceRow.id == fixed["space_id"]).exists())
    values = [text(_quoted(value)) for value in columns.values()]
    rows = select(Content.id, *values).where(*conditions).order_by(Content.id)
    return insert(model).from_select(["content_id", *columns], rows)


def _quoted(value: object) -> str:
    if isinstance(value, bytes):
        return "digest"  # bytes of any length, and a literal that is the same in both
    return f"'{value}'" if isinstance(value, str) else repr(value)


def tags_of_files(files: object) -> Executable:
    has_tag = select(PictureTag.picture_id).where(PictureTag.picture_id == Picture.id).exists()
    rows = select(Picture.id, text("1")).where(files, ~has_tag)  # type: ignore[arg-type]
    return insert(PictureTag).from_select(["picture_id", "tag_id"], rows)


def frame_vectors(space: int) -> Executable:
    known = FrameEmbedding.content_id == FrameRow.content_id, FrameEmbedding.number == FrameRow.number
    rows = select(text(str(space)), FrameRow.content_id, FrameRow.number, Content.digest).where(
        select(SpaceRow.id).where(SpaceRow.id == space).exists(),
        Content.id == FrameRow.content_id,
        ~select(FrameEmbedding.number).where(*known, FrameEmbedding.space_id == space).exists(),
    )
    return insert(FrameEmbedding).from_select(["space_id", "content_id", "number", "vector"], rows)


def execute(connection: Connection, statement: Executable) -> int:
    """Execute a statement; return how many rows it changed, or -2 if a reference or a key forbids it."""
    try:
        with connection.begin_nested():
            return connection.execute(statement).rowcount
    except IntegrityError:
        return -2


def feed(connection: Connection, after: int) -> tuple[Counter[tuple[int | None, int]], list[int]]:
    """Return the contents in the feed, in any order, and the numbers of its rows."""
    rows = connection.execute(select(VectorChange.__table__).where(VectorChange.id > after)).all()
    return Counter((row.space_id, row.content_id) for row in rows), sorted(row.id for row in rows)


def blocks(connection: Connection) -> list[tuple[int, int]]:
    rows = connection.execute(select(ContentBlock.number, ContentBlock.version).order_by(ContentBlock.number))
    return [(row.number, row.version) for row in rows]


@pytest.mark.parametrize("seed", range(2))
def test_any_statements_have_the_same_effect(both: tuple[Library, Library], seed: int) -> None:
    one, other = both
    used = Counter[str]()
    with one.transaction() as first, other.transaction() as second:
        last = 0
        for number, statement in enumerate(statements(random.Random(seed))):
            counts = [execute(each, statement) for each in (first, second)]
            used[str(statement).split("(")[0].split(" SET")[0]] += counts[0] > 0
            if not isinstance(statement, Insert) or -2 in counts:
                assert counts[0] == counts[1], statement
            assert feed(first, last) == feed(second, last), statement
            assert blocks(first) == blocks(second), statement
            last = max([last, *feed(first, last)[1]])
            if number == 200:
                break
    assert last > 20
    assert len(used) > 15, used


def test_rows_of_one_statement_have_the_same_order(both: tuple[Library, Library]) -> None:
    found = []
    for library in both:
        with library.transaction() as connection:
            for statement in list(zip(range(9), statements(random.Random(0)), strict=False)):
                connection.execute(statement[1])
            files = [
                {"id": at, "root_id": 1, "relpath": b"%d" % at, "size": 1, "mtime_ns": 1, "state": "present", **PATHS,
                 "content_id": CONTENTS[(at * 5) % 8]}
                for at in range(1, 9)
            ]  # fmt: skip
            connection.execute(insert(Picture).values(files))
            connection.execute(update(Picture).values(content_id=Picture.id % 3 + 1))
            rows = connection.execute(select(VectorChange.content_id).order_by(VectorChange.id)).scalars().all()
            found.append(rows)
    assert found[0] == found[1]
    assert len(found[0]) > 16


def test_the_feed_is_cut_off_at_the_same_number(both: tuple[Library, Library]) -> None:
    """A million rows are not written here: the last number is."""
    found = []
    for library in both:
        with library.transaction() as connection:
            for _, statement in zip(range(9), statements(random.Random(0)), strict=False):
                connection.execute(statement)
            connection.execute(
                insert(VectorChange), [{"id": number, "content_id": 1} for number in (1, 4094, 4095, 4096, 4097)]
            )
            connection.execute(insert(VectorChange).values(id=MAX_ROWS + 4096 - 2, content_id=1))
            files = [
                {"id": at, "root_id": 1, "relpath": b"%d" % at, "size": 1, "mtime_ns": 1, "state": "present", **PATHS,
                 "content_id": 1}
                for at in range(1, 5)
            ]  # fmt: skip
            connection.execute(insert(Picture).values(files))
            ids = connection.execute(select(VectorChange.id).order_by(VectorChange.id)).scalars().all()
            found.append(ids)
    assert found[0] == found[1]
    assert found[0][0] == 4097


def test_numbers_of_a_transaction_that_is_rolled_back_are_used_again(both: tuple[Library, Library]) -> None:
    for library in both:
        with library.transaction() as connection:
            for _, statement in zip(range(9), statements(random.Random(0)), strict=False):
                connection.execute(statement)
        row = {"root_id": 1, "size": 1, "mtime_ns": 1, "state": "present", "content_id": 1}
        with pytest.raises(ZeroDivisionError), library.transaction() as connection:
            connection.execute(insert(Picture).values(relpath=b"a", **row))
            raise ZeroDivisionError
        with library.transaction() as connection:
            connection.execute(insert(Picture).values(relpath=b"b", **row))
        with library.read() as connection:
            assert connection.scalar(select(VectorChange.id)) == 1
