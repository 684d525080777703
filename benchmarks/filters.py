"""Times of filters and facets in a large catalogue: `python -m benchmarks.filters --help`.

The catalogue is generated: contents with a plausible spread of cameras, dates, places and tags, one file each in a tree
of folders, and an embedding row of a few bytes each, since no filter reads vectors.
"""

import argparse
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import numpy as np

from encoders.fake import FakeEncoder
from search.filters import And, Condition, Not, Or, parse_where
from store import Library
from store.filters.facets import count_facets
from store.filters.selection import select_matching, selected_ids
from store.spaces.registry import activate, register

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


def fill(library: Library, count: int) -> None:
    """Insert rows directly into the tables."""
    rng = np.random.default_rng(0)
    with library.transaction() as connection:
        stored = register(connection, FakeEncoder().space)
        activate(connection, stored)
    with sqlite3.connect(library.path / "catalog.sqlite") as db:
        db.execute("INSERT INTO roots VALUES (1, ?, '2026-01-01', 'folder')", (b"/photos",))
        db.executemany("INSERT INTO tags VALUES (?, ?, ?)", [(1, "rare", "rare"), (2, "common", "common")])
        names = (
            "id",
            "digest",
            "size",
            "format",
            "width",
            "height",
            "taken_at",
            "camera",
            "lens",
            "latitude",
            "longitude",
        )
        marks = ", ".join("?" * (len(names) + 3))
        insert = f"INSERT INTO contents ({', '.join(names)}, iso, rating, facts_version) VALUES ({marks})"
        db.executemany(insert, contents(rng, count))
        db.executemany(
            "INSERT INTO pictures VALUES (?, 1, ?, 1, 1, ?, 'present')",
            ((n, b"year %d/folder %d/IMG_%07d.jpg" % (n % 20, n % 2000, n), n) for n in range(1, count + 1)),
        )
        db.executemany("INSERT INTO embeddings VALUES (?, ?, x'00')", ((stored.id, n) for n in range(1, count + 1)))
        db.executemany(
            "INSERT INTO content_tags VALUES (?, ?, 'user', NULL)",
            ((tag, n) for n in range(1, count + 1) for tag in (1, 2) if n % (100 if tag == 1 else 5) == 0),
        )
    db.close()


def contents(rng: np.random.Generator, count: int) -> Iterator[tuple[object, ...]]:
    """Generate metadata: twenty years, sixty cameras, half of the pictures with a position, mostly near a few towns."""
    start = datetime(2006, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    towns = [(48.1, 11.5), (40.7, -74.0), (-33.9, 151.2), (52.5, 13.4)]
    minutes = rng.integers(0, 20 * 365 * 24 * 60, count).tolist()
    cameras, isos, ratings = (rng.integers(0, limit, count).tolist() for limit in (60, 10, 12))
    spread = rng.normal(0, 2, (count, 2)).tolist()
    for n in range(count):
        town = towns[n % 4]
        place = (town[0] + spread[n][0], town[1] + spread[n][1]) if n % 2 else (None, None)
        taken = (start + timedelta(minutes=minutes[n])).strftime("%Y-%m-%d %H:%M:%S.000000") if n % 10 else None
        yield (
            n + 1,
            (n + 1).to_bytes(32),
            1_000_000 + n,
            "JPEG",
            4000,
            3000 if n % 3 else 6000,
            taken,
            f"Camera {cameras[n]}" if n % 7 else None,
            f"Lens {cameras[n] % 20}" if n % 7 else None,
            *place,
            100 * 2 ** isos[n],
            ratings[n] if ratings[n] < 6 else None,
            1,
        )


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


def plans(library: Library) -> None:
    """Print the query plan of SQLite for each filter."""
    for where in WHERE:
        with library.read() as connection:
            statement = select_matching(connection, parse_where(where)).compile(
                connection, compile_kwargs={"literal_binds": False, "render_postcompile": True}
            )
            rows = connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {statement}", tuple(statement.params[key] for key in statement.positiontup or ())
            )
            print(f"\n{where}", *(row.detail for row in rows), sep="\n  ")


def main(arguments: Sequence[str] | None = None) -> None:
    """Create the catalogue, unless it exists, and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filters", description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--folder", type=Path, help="folder of the catalogue, which is reused")
    parser.add_argument("--plans", action="store_true", help="print the query plan of each filter")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "library"
        known = (folder / "catalog.sqlite").exists()
        with Library.open(folder, create=True) as library:
            if not known:
                fill(library, options.pictures)
            if options.plans:
                plans(library)
            measure(library)


if __name__ == "__main__":
    main()
