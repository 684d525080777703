"""Times of filters and facets in a large catalogue: `python -m benchmarks.filters --help`.

The catalogue is generated: contents with a plausible spread of cameras, dates, places and tags, one file each in a tree
of folders, and an embedding row of a few bytes each, since no filter reads vectors.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Select, event, insert, select, text

from core.space import Space
from encoders.fake import FakeEncoder
from search.filters import And, Condition, Not, Or, parse_where
from store import Library
from store.catalog.bulk_insert import insert_rows
from store.catalog.path_keys import path_columns
from store.catalog.tables import Content, ContentTag, Embedding, Picture, Root, Tag
from store.filters.facets import count_facets
from store.filters.selection import select_matching, selected_ids
from store.spaces.registry import StoredSpace, activate, register

WHERE = (
    "camera:=Camera 7",
    "camera:camera 7",
    "date:2015-03",
    "year:2015",
    "tag:rare",
    "tag:common",
    "near:48.1,11.5,25km",
    "iso>6400",
    "in:folder 77",
    "name:00777",
    "rating>=4",
    "season:summer",
    "time:22..5",
)

REPEATS = 3
PAGE = 10_000

COLUMNS = (
    "id", "digest", "size", "format", "width", "height", "taken_at", "camera", "lens", "latitude", "longitude", "iso",
    "rating", "facts_version",
)  # fmt: skip


def fill(
    library: Library,
    count: int,
    space: Space | None = None,
    vectors: Callable[[int], NDArray[np.floating]] | None = None,
) -> StoredSpace:
    """Insert rows directly into the tables; `vectors` returns the next (n, D) vectors of `space`, by default a byte."""
    rng = np.random.default_rng(0)
    with library.transaction() as connection:
        stored = register(connection, space or FakeEncoder().space)
        activate(connection, stored)
        connection.execute(insert(Root).values(id=1, path=b"/photos", added_at=datetime(2026, 1, 1)))  # noqa: DTZ001
        connection.execute(
            insert(Tag), [{"id": 1, "key": "rare", "name": "rare"}, {"id": 2, "key": "common", "name": "common"}]
        )
    facts = contents(rng, count)
    for start in range(1, count + 1, PAGE):
        numbers = range(start, min(start + PAGE, count + 1))
        with library.transaction() as connection:
            insert_rows(connection, Content, list(islice(facts, len(numbers))))
            insert_rows(connection, Picture, [picture(number) for number in numbers])
            block = [b"\0"] * len(numbers) if vectors is None else map(stored.to_bytes, vectors(len(numbers)))
            embeddings = zip(numbers, block, strict=True)
            insert_rows(
                connection, Embedding, [{"space_id": stored.id, "content_id": n, "vector": v} for n, v in embeddings]
            )
            insert_rows(connection, ContentTag, list(taggings(numbers)))
    with library.connect() as connection:
        library.backend.compact(connection)
    if library.backend.name == "postgresql":  # which does it by itself, but later
        with library.transaction() as connection:
            connection.execute(text("ANALYZE"))
    return stored


def picture(number: int) -> dict[str, Any]:
    """Return the file of a content."""
    path = b"year %d/folder %d/IMG_%07d.jpg" % (number % 20, number % 2000, number)
    facts = {"id": number, "root_id": 1, "relpath": path, "size": 1, "mtime_ns": 1, "content_id": number}
    return {**facts, **path_columns(path), "state": "present"}


def taggings(numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Generate a rare tag and a common one."""
    for number in numbers:
        for tag, every in ((1, 100), (2, 5)):
            if number % every == 0:
                yield {"tag_id": tag, "content_id": number, "source": "user"}


def contents(rng: np.random.Generator, count: int) -> Iterator[dict[str, Any]]:
    """Generate metadata: twenty years, sixty cameras, half of the pictures with a position, mostly near a few towns."""
    start = datetime(2006, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    towns = [(48.1, 11.5), (40.7, -74.0), (-33.9, 151.2), (52.5, 13.4)]
    minutes = rng.integers(0, 20 * 365 * 24 * 60, count).tolist()
    cameras, isos, ratings = (rng.integers(0, limit, count).tolist() for limit in (60, 10, 12))
    spread = rng.normal(0, 2, (count, 2)).tolist()
    for n in range(count):
        town = towns[n % 4]
        place = (town[0] + spread[n][0], town[1] + spread[n][1]) if n % 2 else (None, None)
        values = (n + 1, (n + 1).to_bytes(32), 1_000_000 + n, "JPEG", 4000, 3000 if n % 3 else 6000)
        taken = start + timedelta(minutes=minutes[n]) if n % 10 else None
        names = (f"Camera {cameras[n]}", f"Lens {cameras[n] % 20}") if n % 7 else (None, None)
        further = (100 * 2 ** isos[n], ratings[n] if ratings[n] < 6 else None, 1)
        yield dict(zip(COLUMNS, (*values, taken, *names, *place, *further), strict=True))


def best(work: object) -> float:
    """Return milliseconds: the median of a few runs after a warm-up."""
    assert callable(work)
    work()
    times = []
    for _ in range(REPEATS):
        started = perf_counter()
        work()
        times.append(1000 * (perf_counter() - started))
    return float(np.median(times))


def measure(library: Library) -> None:
    """Print a Markdown table."""
    from store.spaces.registry import require_active

    stored = require_active(library, FakeEncoder().space)
    conditions: dict[str, Condition] = {where: parse_where(where) for where in WHERE}
    conditions["not camera:camera"] = Not(parse_where("camera:camera"))
    conditions["camera 7 or tag rare"] = Or((parse_where("camera:=Camera 7"), parse_where("tag:rare")))
    conditions["camera 7, 2015"] = And((parse_where("camera:=Camera 7"), parse_where("year:2015")))
    print("| filter | pictures | ms |\n| --- | ---: | ---: |")
    for name, condition in conditions.items():
        found = len(selected_ids(library, stored, condition))
        took = best(lambda condition=condition: selected_ids(library, stored, condition))
        print(f"| `{name}` | {found:,} | {took:.1f} |")
    for name, kept in (("all", None), ("camera 7", conditions["camera:=Camera 7"])):
        took = best(lambda kept=kept: count_facets(library, kept))
        print(f"| facets of {name} | {count_facets(library, kept).pictures:,} | {took:.0f} |")


def explained(connection: Connection, explain: str, statement: Select[Any]) -> list[str]:
    """Return the lines of a plan."""

    def prefixed(_c: object, _u: object, sql: str, values: Any, _context: object, _many: bool) -> tuple[str, Any]:
        return f"{explain} {sql}", values

    event.listen(connection, "before_cursor_execute", prefixed, retval=True)
    try:
        return [str(row[-1]) for row in connection.execute(statement).cursor.fetchall()]
    finally:
        event.remove(connection, "before_cursor_execute", prefixed)


def plans(library: Library) -> None:
    """Print the query plan of each filter."""
    explain = "EXPLAIN QUERY PLAN" if library.backend.name == "sqlite" else "EXPLAIN ANALYZE"
    for where in WHERE:
        with library.read() as connection:
            statement = select_matching(connection, parse_where(where))
            print(f"\n{where}", *explained(connection, explain, statement), sep="\n  ")


def main(arguments: Sequence[str] | None = None) -> None:
    """Create the catalogue, unless it exists, and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filters", description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--library", help="folder or URL of the catalogue, which is filled if it is empty")
    parser.add_argument("--plans", action="store_true", help="print the query plan of each filter")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary, Library.open(options.library or temporary, create=True) as library:
        with library.read() as connection:
            is_empty = connection.scalar(select(Content.id).limit(1)) is None
        if is_empty:
            fill(library, options.pictures)
        if options.plans:
            plans(library)
        measure(library)


if __name__ == "__main__":
    main()
