"""The map: clusters of the pictures in a section of the world."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool

from search.filters import Filters
from search.map_clusters import MAX_ZOOM, Cluster, clusters_in
from store.catalog.geography import Box
from store.positions import Positions, load_positions, positioned_ids
from web.dependencies import ServiceDep
from web.requests import MAX_QUERY_LENGTH, combined_filters, filters_in_query, parse_filters
from web.responses import ResponseModel
from web.service import Service

__all__ = ["router"]

router = APIRouter(tags=["search"])


class ClusterResponse(ResponseModel):
    """Pictures that are close to each other at this zoom."""

    count: int
    latitude: float
    longitude: float
    """Their average, in degrees."""
    south: float
    west: float
    north: float
    east: float
    """The smallest box that contains them, in degrees; crosses the date line if west is larger than east."""
    picture: int
    """ID of the picture that was added last."""
    place: str | None
    """The city, region or country that more than half of them share, or else the most common countries."""

    @classmethod
    def of(cls, cluster: Cluster) -> "ClusterResponse":
        """Convert a cluster."""
        box = cluster.box
        return cls(
            count=cluster.pictures,
            latitude=cluster.latitude,
            longitude=cluster.longitude,
            south=box.south,
            west=box.west,
            north=box.north,
            east=box.east,
            picture=cluster.picture,
            place=cluster.name,
        )


class TilesResponse(ResponseModel):
    """A server of map tiles, as `sightline serve --map-tiles` names it."""

    template: str
    """URL of a tile of 256 pixels, with `{z}`, `{x}` and `{y}`."""
    attribution: str
    """Plain text to show on the map."""


class MapResponse(ResponseModel):
    """A section of the map."""

    count: int
    """Number of pictures in the box, which is the sum over all clusters."""
    clusters: list[ClusterResponse]
    """The largest first."""
    tiles: TilesResponse | None
    """None: the server has no tiles, and the page draws an outline of the world."""


Latitude = Annotated[float, Query(ge=-90, le=90, description="Degrees")]
Longitude = Annotated[float, Query(ge=-180, le=180, description="Degrees")]


@router.get("/map")
async def world_map(
    service: ServiceDep,
    south: Latitude = -90,
    west: Longitude = -180,
    north: Latitude = 90,
    east: Longitude = 180,
    zoom: Annotated[int, Query(ge=0, le=MAX_ZOOM, description="The world is 256 * 2**zoom pixels wide")] = 1,
    where: Annotated[
        str, Query(max_length=MAX_QUERY_LENGTH, description="Filters, in the query language", examples=["year:2023"])
    ] = "",
    query: Annotated[str, Query(max_length=MAX_QUERY_LENGTH, description="A query; only its filters are used")] = "",
) -> MapResponse:
    """Group the pictures in a box that match the filters by their position.

    A box whose west is larger than its east crosses the date line. A large box at a large zoom is answered with the
    clusters of a smaller zoom, so that there are at most some thousands.
    """
    filters = await run_in_threadpool(_filters, where, query)
    kept = await service.kept_positions.get(repr(filters), partial(_kept, service, filters))
    return await run_in_threadpool(_grouped, service, kept, Box(south, west, north, east), zoom)


def _filters(where: str, query: str) -> Filters:
    return Filters(where=combined_filters(parse_filters(where), filters_in_query(query)))


def _kept(service: Service, filters: Filters) -> Positions:
    everywhere = service.positions.get_here("", partial(load_positions, service.library))
    return everywhere.among(positioned_ids(service.library, filters.condition()))


def _grouped(service: Service, positions: Positions, box: Box, zoom: int) -> MapResponse:
    clusters = clusters_in(positions, box, zoom)
    tiles = service.settings.map_tiles
    return MapResponse(
        count=sum(cluster.pictures for cluster in clusters),
        clusters=[ClusterResponse.of(cluster) for cluster in clusters],
        tiles=None if tiles is None else TilesResponse(template=tiles.template, attribution=tiles.attribution),
    )
