"""Facets: counts by folder, year, camera, tag and more, each value with the filter that selects it."""

from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool

from search.filters import Filters
from search.filters.signs import quoted
from store.filters.facets import Facet, Facets, count_facets
from store.library import Library
from store.roots import folder_roots
from web.dependencies import ServiceDep
from web.requests import MAX_QUERY_LENGTH, combined_filters, filters_in_query, parse_filters
from web.responses import FacetsResponse, FacetValueResponse

__all__ = ["count", "folders", "router", "term"]

router = APIRouter(tags=["search"])

FACET_NAMES = ("folder", "year", "person", "country", "city", "camera", "lens", "tag", "format", "orientation")
MAX_FACET_VALUES = 200


@router.get("/facets")
async def facets(
    service: ServiceDep,
    where: Annotated[
        str, Query(max_length=MAX_QUERY_LENGTH, description="Filters, in the query language", examples=["year:2023"])
    ] = "",
    query: Annotated[str, Query(max_length=MAX_QUERY_LENGTH, description="A query; only its filters are used")] = "",
) -> FacetsResponse:
    """Count the pictures that match the filters, by facet."""
    filters = await run_in_threadpool(_filters, where, query)
    return await service.facets.get(repr(filters), partial(_count, service.library, filters))


def _filters(where: str, query: str) -> Filters:
    return Filters(where=combined_filters(parse_filters(where), filters_in_query(query)))


def count(library: Library, where: str) -> FacetsResponse:
    """Count the pictures that match some filters, in the query language, by facet. Raises `InvalidQuery`."""
    return _count(library, _filters(where, ""))


def _count(library: Library, filters: Filters) -> FacetsResponse:
    counted = count_facets(library, filters.condition(), FACET_NAMES)
    values = {name: _values(name, counted.counts[name]) for name in FACET_NAMES if name != "folder"}
    return FacetsResponse(count=counted.pictures, facets={"folder": _folders(library, counted), **values})


def term(name: str, value: str) -> str:
    """Return the filter that selects exactly the pictures with this value of a facet."""
    if name == "folder":
        return f"in:{quoted(value)}"
    if name == "path":
        return f"path:{quoted(value)}"
    if name in {"camera", "lens", "tag", "person", "country", "city"}:
        return f"{name}:{quoted('=' + value)}"
    return f"{name}:{value.lower()}"


def _values(name: str, counts: Sequence[Facet]) -> list[FacetValueResponse]:
    facets_with_value = [facet for facet in counts if facet.value is not None and facet.value.isprintable()]
    if name == "year":
        facets_with_value.reverse()  # the latest first
    return [
        FacetValueResponse(value=facet.value, label=facet.value, count=facet.pictures, term=term(name, facet.value))
        for facet in facets_with_value[:MAX_FACET_VALUES]
        if facet.value is not None
    ]


def _folders(library: Library, counted: Facets) -> list[FacetValueResponse]:
    return folders(counted.counts["folder"], [path for _, path in folder_roots(library)])


def folders(counts: Sequence[Facet], roots: Sequence[Path] = ()) -> list[FacetValueResponse]:
    """Return the folders with the number of pictures in and below each, the largest first.

    Labels leave out what all folders have in common. Folders of several disks have nothing in common: the label of each
    then begins with the name of its root, if no other root has this name.
    """
    direct = {Path(facet.value): facet.pictures for facet in counts if facet.value and facet.value.isprintable()}
    total = Counter[Path]()
    for folder, number in direct.items():
        for ancestor in (folder, *folder.parents):
            total[ancestor] += number
    common = _common_folder(list(direct))
    names = Counter(root.name for root in roots)
    named = {root for root in roots if names[root.name] == 1 and root.name and not common.is_relative_to(root)}
    ordered = sorted(direct, key=lambda folder: (-total[folder], str(folder)))
    return [
        FacetValueResponse(
            value=str(folder),
            label=_label(folder, common, named),
            count=total[folder],
            term=term("folder", str(folder)),
        )
        for folder in ordered[:MAX_FACET_VALUES]
    ]


def _label(folder: Path, common: Path, named: Collection[Path]) -> str:
    root = next((each for each in (folder, *folder.parents) if each in named), None)
    if root is not None:
        return str(folder.relative_to(root.parent))
    return folder.name if folder == common else str(folder.relative_to(common))


def _common_folder(folders: list[Path]) -> Path:
    """Return the deepest folder that contains all of them."""
    shared = Path("/")
    if folders:
        shared = folders[0].parent if len(folders) == 1 else folders[0]
        while not all(folder.is_relative_to(shared) for folder in folders):
            shared = shared.parent
    return shared
