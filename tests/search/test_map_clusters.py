"""Clusters on the map, with positions whose cells can be computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.map_clusters import MAX_CELLS, MAX_ZOOM, Cluster, clusters_in, mercator_y
from store.catalog.geography import Box
from store.positions import PlaceNames, Positions

WORLD = Box(-90, -180, 90, 180)

NAMES = (
    PlaceNames(None, None, None),
    PlaceNames("Rome", "Lazio", "Italy"),
    PlaceNames("Ostia", "Lazio", "Italy"),
    PlaceNames("Milan", "Lombardy", "Italy"),
    PlaceNames("Nice", None, "France"),
    PlaceNames("Oslo", None, "Norway"),
)


def positions(*points: tuple[float, float], places: tuple[int, ...] = ()) -> Positions:
    """Return positions of latitude and longitude, with IDs from 1."""
    latitudes, longitudes = np.array(points, np.float64).reshape(-1, 2).T
    indices = np.array(places or [0] * len(points), np.int32)
    return Positions(np.arange(1, len(points) + 1), latitudes, longitudes, indices, NAMES)


def found(clusters: list[Cluster]) -> list[tuple[int, float, float]]:
    return [(each.pictures, round(each.latitude, 6), round(each.longitude, 6)) for each in clusters]


def test_mercator_ends_at_the_poles() -> None:
    assert mercator_y(np.array([0.0])) == pytest.approx(0.5)
    assert mercator_y(np.array([math.degrees(math.atan(math.sinh(math.pi)))])) == pytest.approx(0, abs=1e-12)
    assert mercator_y(np.array([90.0, -90.0])).tolist() == pytest.approx([0, 1], abs=1e-12)


def test_pictures_of_a_cell_are_one_cluster_at_their_average() -> None:
    # At zoom 0, a cell is 64 pixels of 256: 90 degrees of longitude.
    clusters = clusters_in(positions((10, 10), (20, 30), (10, 110)), WORLD, 0)
    assert found(clusters) == [(2, 15, 20), (1, 10, 110)]
    assert clusters[0].box == Box(10, 10, 20, 30)
    assert clusters[0].picture == 2


def test_a_larger_zoom_separates_pictures() -> None:
    two = positions((10, 10), (10, 40))
    # 30 degrees are 21 pixels at zoom 0, in the cell from 0 to 90 degrees. At zoom 2 they are 85 pixels.
    assert found(clusters_in(two, WORLD, 0)) == [(2, 10, 25)]
    assert found(clusters_in(two, WORLD, 2)) == [(1, 10, 10), (1, 10, 40)]


def test_close_cells_are_merged_into_the_larger_one() -> None:
    # At zoom 0, cells border at 90 degrees. 89 and 91 degrees are 1.4 pixels apart; 170 degrees are 57 from 90.
    clusters = clusters_in(positions((1, 89), (1, 91), (1, 91), (1, 172)), WORLD, 0)
    assert found(clusters) == [(4, 1, 110.75)]  # 91, 91 and 172 share a cell
    assert found(clusters_in(positions((1, 89), (1, 91)), WORLD, 0)) == [(2, 1, 90)]
    assert found(clusters_in(positions((1, 45), (1, 135)), WORLD, 0)) == [(1, 1, 45), (1, 1, 135)]  # 64 pixels


def test_clusters_cross_the_date_line() -> None:
    clusters = clusters_in(positions((1, 179), (1, 179), (1, -178)), WORLD, 3)
    assert found(clusters) == [(3, 1, 180.0)]
    assert clusters[0].box == Box(1, 179, 1, -178)


def test_box_that_crosses_the_date_line_keeps_both_sides() -> None:
    three = positions((1, 170), (1, -170), (1, 0))
    assert sorted(found(clusters_in(three, Box(0, 160, 10, -160), 5))) == [(1, 1, -170), (1, 1, 170)]
    assert found(clusters_in(three, Box(0, -160, 10, 160), 5)) == [(1, 1, 0)]


def test_edges_belong_to_the_box() -> None:
    assert len(clusters_in(positions((10, 20), (10.001, 20)), Box(0, 20, 10, 30), 4)) == 1
    assert clusters_in(positions((10, 20)), Box(0, 0, 5, 5), 4) == []
    assert clusters_in(positions(), WORLD, 4) == []


def test_name_is_the_narrowest_that_most_share() -> None:
    def name(*places: int) -> str | None:
        (cluster,) = clusters_in(positions(*[(1, 1)] * len(places), places=places), WORLD, 0)
        return cluster.name

    assert name(1, 1, 2) == "Rome"
    assert name(1, 2) == "Lazio"
    assert name(1, 3) == "Italy"
    assert name(1, 4) == "France, Italy"
    assert name(1, 2, 3, 4, 4, 4, 5, 5) == "France, Italy, …"
    assert name(4, 0, 0) == "Nice"  # pictures without a place do not count
    assert name(0) is None


@given(
    st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), max_size=60),
    st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180)),
    st.integers(0, MAX_ZOOM),
)
def test_counts_add_up_to_the_pictures_in_the_box(
    points: list[tuple[float, float]], box: tuple[float, float, float, float], zoom: int
) -> None:
    section = Box(*box)

    def is_inside(latitude: float, longitude: float) -> bool:
        if not section.south <= latitude <= section.north:
            return False
        if section.west > section.east:
            return longitude >= section.west or longitude <= section.east
        return section.west <= longitude <= section.east

    clusters = clusters_in(positions(*points), section, zoom)
    assert sum(each.pictures for each in clusters) == sum(is_inside(*point) for point in points)
    for each in clusters:
        assert each.box.south <= each.latitude + 1e-9
        assert each.latitude - 1e-9 <= each.box.north
        assert -180 <= each.longitude <= 180


def test_number_of_clusters_is_bounded_at_every_zoom() -> None:
    rng = np.random.default_rng(1)
    points = zip(rng.uniform(-80, 80, 20_000), rng.uniform(-180, 180, 20_000), strict=True)
    clusters = clusters_in(positions(*points), WORLD, MAX_ZOOM)
    assert len(clusters) <= MAX_CELLS
    assert sum(each.pictures for each in clusters) == 20_000
