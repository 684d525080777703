"""Clusters of pictures on a map: those that are close together at a zoom are one cluster.

The map has the Web Mercator projection (EPSG:3857) in tiles of 256 pixels, as web maps have it: at zoom 0, the world is
one tile, and each zoom doubles it. Positions are grouped by a grid that is fixed to the world, so that clusters stay
when the map is moved. Neighbours that would overlap on the page are merged, the largest first.
"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from store.catalog.geography import Box
from store.positions import NO_PLACE, PlaceNames, Positions

__all__ = ["MAX_ZOOM", "TILE_PIXELS", "Cluster", "clusters_in", "mercator_y"]

TILE_PIXELS = 256
MAX_ZOOM = 20

CELL_PIXELS = 64
"""The side of a cell of the grid. A tile has a whole number of cells."""

CLUSTER_WIDTH, CLUSTER_HEIGHT = 58, 64
"""Pixels of a cluster on the page, with its name. Those that would overlap are merged."""

MERGE_ROUNDS = 5

SHOWN_COUNTRIES = 2
"""Countries that name a cluster without a common one."""

MAX_CELLS = 6_000
"""Cells of a box; a larger box is answered with the clusters of a smaller zoom."""

MAX_LATITUDE = 85.051128779806604
"""Where the square map of the world ends: `atan(sinh(pi))`."""


@dataclass(frozen=True)
class Cluster:
    """Pictures close to each other, as they are drawn on a map."""

    pictures: int
    latitude: float
    longitude: float
    """Their average, in degrees."""
    box: Box
    """The smallest box that contains all of them; crosses the date line if west is larger than east."""
    picture: int
    """The content that was added last."""
    name: str | None
    """The city, region or country that most of them share, or else the most common countries; None if unknown."""


def clusters_in(positions: Positions, box: Box, zoom: int) -> list[Cluster]:
    """Return the clusters of the pictures in `box`, the largest first. Their counts add up to the pictures in it.

    `zoom` is from 0 to `MAX_ZOOM`.
    """
    inside = _inside(positions, box)
    if not len(inside):
        return []
    zoom = _bounded_zoom(box, zoom)
    cells, cell_of = _cells(positions.longitudes[inside], positions.latitudes[inside], positions.ids[inside], zoom)
    merged = _merged(cells, zoom)
    number_of = np.empty(len(cells), np.int64)  # cell -> cluster
    for number, members in enumerate(merged):
        number_of[members] = number
    names = _common_names(number_of[cell_of], positions.places[inside], positions.names, len(merged))
    return [_cluster([cells[at] for at in members], name) for members, name in zip(merged, names, strict=True)]


def mercator_y(latitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vertical place on the map, 0 at its upper and 1 at its lower end; beyond them, that of the end."""
    clipped = np.radians(np.clip(latitude, -MAX_LATITUDE, MAX_LATITUDE))
    return np.asarray((1 - np.arcsinh(np.tan(clipped)) / np.pi) / 2, np.float64)


@dataclass(frozen=True)
class _Cell:
    """A cell of the grid that contains pictures."""

    column: int
    row: int
    pictures: int
    x: float
    y: float
    """Their average on the map, which is 1 wide and 1 high."""
    latitude: float
    west: float
    east: float
    south: float
    north: float
    picture: int

    def moved(self, worlds: int) -> "_Cell":
        """Return the cell in a world further east."""
        degrees = 360 * worlds
        return replace(self, x=self.x + worlds, west=self.west + degrees, east=self.east + degrees)


def _inside(positions: Positions, box: Box) -> NDArray[np.int64]:
    """Return the indices of the positions in the box, its edges included."""
    longitudes = positions.longitudes
    east, west = longitudes <= box.east, longitudes >= box.west
    across = (west | east) if box.west > box.east else (west & east)
    return np.flatnonzero(across & (positions.latitudes >= box.south) & (positions.latitudes <= box.north))


def _bounded_zoom(box: Box, zoom: int) -> int:
    """Return the largest zoom, not above `zoom`, at which the box has at most `MAX_CELLS` cells."""
    width = ((box.east - box.west) % 360 or 360) / 360
    top, bottom = mercator_y(np.array([box.north, box.south]))
    cells = width * float(bottom - top) * (TILE_PIXELS / CELL_PIXELS) ** 2  # at zoom 0
    return zoom if cells * 4**zoom <= MAX_CELLS else math.floor(math.log(MAX_CELLS / cells, 4))


def _cells(
    longitudes: NDArray[np.float64], latitudes: NDArray[np.float64], ids: NDArray[np.int64], zoom: int
) -> tuple[list[_Cell], NDArray[np.int64]]:
    """Return the cells with pictures, and for each picture the index of its cell."""
    side = (TILE_PIXELS // CELL_PIXELS) << zoom  # cells in each direction
    x, y = (longitudes + 180) / 360, mercator_y(latitudes)  # (pictures,)
    columns = np.minimum((x * side).astype(np.int64), side - 1)
    rows = np.minimum((y * side).astype(np.int64), side - 1)
    keys = rows * side + columns
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    is_first = np.append(True, keys[1:] != keys[:-1])
    starts, cell_of = np.flatnonzero(is_first), np.empty(len(keys), np.int64)
    cell_of[order] = np.cumsum(is_first) - 1
    keys, counts = keys[starts], np.diff(np.append(starts, len(keys)))

    def reduced(function: np.ufunc, values: NDArray[np.generic]) -> list[float]:
        found: list[float] = function.reduceat(values[order], starts).tolist()
        return found

    def mean(values: NDArray[np.float64]) -> list[float]:
        return [total / count for total, count in zip(reduced(np.add, values), counts.tolist(), strict=True)]

    facts = zip(
        (keys % side).tolist(),
        (keys // side).tolist(),
        counts.tolist(),
        mean(x),
        mean(y),
        mean(latitudes),
        reduced(np.minimum, longitudes),
        reduced(np.maximum, longitudes),
        reduced(np.minimum, latitudes),
        reduced(np.maximum, latitudes),
        map(int, reduced(np.maximum, ids)),
        strict=True,
    )
    return [_Cell(*values) for values in facts], cell_of


def _merged(cells: list[_Cell], zoom: int) -> list[list[int]]:
    """Return groups of indices of cells, the largest first, so that the clusters of two groups rarely overlap.

    Each group takes those around it that are smaller and would overlap. Its average moves then, so this is repeated.
    """
    groups = [_Group([at], cell.pictures, cell.x, cell.y) for at, cell in enumerate(cells)]
    for _ in range(MERGE_ROUNDS):
        merged = _merged_once(groups, TILE_PIXELS << zoom)
        if len(merged) == len(groups):
            break
        groups = merged
    return [group.members for group in sorted(groups, key=_largest_first)]


@dataclass(frozen=True)
class _Group:
    """Cells, by index, and the number and average position of their pictures. `x` may be beyond the date line."""

    members: list[int]
    pictures: int
    x: float
    y: float


def _largest_first(group: _Group) -> tuple[int, float, float]:
    return -group.pictures, group.y, group.x


def _merged_once(groups: list[_Group], pixels: int) -> list[_Group]:
    """Merge neighbours on a map that is `pixels` wide."""
    side = pixels // CELL_PIXELS
    at = [(math.floor(group.y * side), math.floor(group.x * side) % side) for group in groups]
    buckets = defaultdict[tuple[int, int], list[int]](list)
    for number, place in enumerate(at):
        buckets[place].append(number)
    free, merged = set(range(len(groups))), []
    for number in sorted(free, key=lambda number: _largest_first(groups[number])):
        if number not in free:
            continue
        row, column = at[number]
        around = {(row + down, (column + right) % side) for down in (-1, 0, 1) for right in (-1, 0, 1)}
        near = [other for place in sorted(around) for other in buckets[place] if other in free]
        near = [other for other in near if other == number or _overlap(groups[number], groups[other], pixels)]
        free.difference_update(near)
        merged.append(_joined(groups[number], [groups[other] for other in near if other != number]))
    return merged


def _overlap(group: _Group, other: _Group, pixels: int) -> bool:
    across = abs(group.x - other.x)
    across -= round(across)
    return abs(across) * pixels < CLUSTER_WIDTH and abs(group.y - other.y) * pixels < CLUSTER_HEIGHT


def _joined(group: _Group, others: list[_Group]) -> _Group:
    pictures = group.pictures + sum(other.pictures for other in others)
    x = group.x * group.pictures + sum((other.x + round(group.x - other.x)) * other.pictures for other in others)
    y = group.y * group.pictures + sum(other.y * other.pictures for other in others)
    members = [*group.members, *(member for other in others for member in other.members)]
    return _Group(members, pictures, x / pictures, y / pictures)


def _common_names(
    cluster_of: NDArray[np.int64], places: NDArray[np.int32], names: tuple[PlaceNames, ...], clusters: int
) -> list[str | None]:
    """Return for each cluster the narrowest name that more than half of its named pictures share, or its countries."""
    pairs, counts = np.unique(cluster_of * len(names) + places, return_counts=True)
    found: list[dict[PlaceNames, int]] = [{} for _ in range(clusters)]
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        number, place = divmod(pair, len(names))
        if place != NO_PLACE:
            found[number][names[place]] = found[number].get(names[place], 0) + count
    return [_most_common_name(counted) for counted in found]


def _most_common_name(counted: dict[PlaceNames, int]) -> str | None:
    total = sum(counted.values())
    for level in range(len(PlaceNames._fields)):  # city, region, country
        sums: dict[tuple[str | None, ...], int] = {}
        for place, count in counted.items():
            wider = place[level:]
            sums[wider] = sums.get(wider, 0) + count
        best = max(sums, key=sums.__getitem__, default=None)
        if best is not None and best[0] is not None and 2 * sums[best] > total:
            return best[0]
    return _first_countries(counted)


def _first_countries(counted: dict[PlaceNames, int]) -> str | None:
    """Return the names of the most common countries."""
    sums = Counter[str]()
    for place, count in counted.items():
        if place.country is not None:
            sums[place.country] += count
    ordered = sorted(sums, key=lambda country: (-sums[country], country))
    more = ["…"] if len(ordered) > SHOWN_COUNTRIES else []
    return ", ".join([*ordered[:SHOWN_COUNTRIES], *more]) or None


def _cluster(cells: list[_Cell], name: str | None) -> Cluster:
    """Join cells; the first one decides on which side of the date line the others are."""
    first = cells[0]
    cells = [cell.moved(round(first.x - cell.x)) for cell in cells]
    pictures = sum(cell.pictures for cell in cells)
    return Cluster(
        pictures=pictures,
        latitude=sum(cell.latitude * cell.pictures for cell in cells) / pictures,
        longitude=_longitude(sum(cell.x * cell.pictures for cell in cells) / pictures * 360 - 180),
        box=Box(
            min(cell.south for cell in cells),
            _longitude(min(cell.west for cell in cells)),
            max(cell.north for cell in cells),
            _longitude(max(cell.east for cell in cells)),
        ),
        picture=max(cell.picture for cell in cells),
        name=name,
    )


def _longitude(degrees: float) -> float:
    return degrees if -180 <= degrees <= 180 else (degrees + 180) % 360 - 180
