"""Many rows are inserted with few statements, and as if each had one of its own."""

import pytest
from sqlalchemy import event, func, insert, select

from core.errors import LibraryUnusable
from store import Library
from store.catalog.bulk_insert import insert_rows
from store.catalog.tables import Content, Picture, Root, VectorChange

NUMBERS = range(1, 1501)
BLANK = {"size": 1, "format": "JPEG", "width": 2, "height": 1}
CONTENTS = [{"id": number, "digest": number.to_bytes(32), **BLANK} for number in NUMBERS]
FILES = [
    {"root_id": 1, "relpath": b"F/%d.JPG" % number, "size": 1, "mtime_ns": 1, "content_id": number}
    for number in NUMBERS
]


def test_rows_are_inserted_with_few_statements(library: Library) -> None:
    """All get their default values, and fire their triggers."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    with library.transaction() as connection:
        connection.execute(insert(Root).values(id=1, path=b"/a", added_at=func.now()))
        event.listen(connection, "before_cursor_execute", note)
        insert_rows(connection, Content, CONTENTS)
        insert_rows(connection, Picture, [{**row, "state": "present"} for row in FILES])
        insert_rows(connection, Picture, [])
        event.remove(connection, "before_cursor_execute", note)
    assert 2 <= len(statements) <= 8
    with library.read() as connection:
        row = connection.execute(select(Picture.__table__).where(Picture.content_id == 1234)).one()
        assert (row.folder, row.path_key, row.name_key) == (b"F", "f/1234.jpg", "1234.jpg")
        assert connection.scalar(select(func.count()).select_from(Content)) == 1500
        recorded = connection.execute(select(VectorChange.content_id)).scalars().all()
    assert sorted(recorded) == list(range(1, 1501))


def test_no_row_is_inserted_if_one_cannot_be(library: Library) -> None:
    with pytest.raises(LibraryUnusable, match=r"(?i)unique"), library.transaction() as connection:
        insert_rows(connection, Content, [*CONTENTS[:3], CONTENTS[0]])
    with library.read() as connection:
        assert connection.scalar(select(func.count()).select_from(Content)) == 0
