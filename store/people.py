"""People in pictures: their names, and the areas of their faces."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, select

from core.metadata import Area, Person
from store.catalog.bulk_insert import insert_rows
from store.catalog.collation import clean_name, fold
from store.catalog.id_sets import among, batch_slices
from store.catalog.tables import PersonRow

__all__ = ["people_of", "set_people"]


def set_people(connection: Connection, people: Mapping[int, Sequence[Person]]) -> None:
    """Replace the people in these contents, by content ID. Of two names that compare as equal, the first is kept."""
    content_ids = list(people)
    for batch in batch_slices(len(content_ids)):
        connection.execute(delete(PersonRow).where(PersonRow.content_id.in_(content_ids[batch])))
    rows = [row for content_id, each in people.items() for row in _rows(content_id, each)]
    insert_rows(connection, PersonRow, rows)


def people_of(connection: Connection, content_ids: Sequence[int]) -> dict[int, tuple[Person, ...]]:
    """Return the people in these contents, by content ID, in the order of their names."""
    people: dict[int, list[Person]] = {}
    for batch in batch_slices(len(content_ids)):
        statement = select(PersonRow.__table__).where(among(PersonRow.content_id, list(content_ids[batch])))
        for row in connection.execute(statement.order_by(PersonRow.content_id, PersonRow.key)):
            area = None if row.left is None else Area(row.left, row.top, row.width, row.height)
            people.setdefault(row.content_id, []).append(Person(row.name, area))
    return {content_id: tuple(each) for content_id, each in people.items()}


def _rows(content_id: int, people: Sequence[Person]) -> list[dict[str, object]]:
    rows: dict[str, dict[str, object]] = {}
    for person in people:
        if not (name := clean_name(person.name)):
            continue
        area = person.area
        rows.setdefault(
            fold(name),
            {
                "content_id": content_id,
                "key": fold(name),
                "name": name,
                "left": area and area.left,
                "top": area and area.top,
                "width": area and area.width,
                "height": area and area.height,
            },
        )
    return list(rows.values())
