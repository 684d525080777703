"""What there is to choose from: counts by folder, year, camera, tag, each with the filter that chooses it."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool

from search.facets import Facet, count_facets
from search.filters import Filters
from store.library import Library
from web.dependencies import ServiceDep
from web.requests import LONGEST_QUERY, both, condition_of, filters_in
from web.responses import Facets, Value

__all__ = ["folders", "router", "term"]

router = APIRouter(tags=["search"])

SHOWN = ("folder", "year", "camera", "lens", "tag", "format", "orientation")
MOST = 200
"""Values of a facet."""


@router.get("/facets")
async def facets(
    service: ServiceDep,
    where: Annotated[
        str, Query(max_length=LONGEST_QUERY, description="Filters, in the query language", examples=["year:2023"])
    ] = "",
    query: Annotated[
        str, Query(max_length=LONGEST_QUERY, description="A query, of which the filters count and the words do not")
    ] = "",
) -> Facets:
    """Counts what the pictures that some filters keep have in common."""
    filters = await run_in_threadpool(_filters, where, query)
    return await service.facets.get(repr(filters), partial(_counted, service.library, filters))


def _filters(where: str, query: str) -> Filters:
    return Filters(where=both(condition_of(where), filters_in(query)))


def _counted(library: Library, filters: Filters) -> Facets:
    counted = count_facets(library, filters, SHOWN)
    found = {name: _values(name, counted.counts[name]) for name in SHOWN if name != "folder"}
    return Facets(count=counted.pictures, facets={"folder": folders(counted.counts["folder"]), **found})


def term(name: str, value: str) -> str:
    """The filter that keeps exactly the pictures with this value of a facet."""
    if name == "folder":
        return f"in:{_quoted(value)}"
    if name in {"camera", "lens", "tag"}:
        return f"{name}:{_quoted('=' + value)}"
    return f"{name}:{value.lower()}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _values(name: str, counts: Sequence[Facet]) -> list[Value]:
    known = [each for each in counts if each.value is not None and each.value.isprintable()]
    if name == "year":
        known.reverse()  # the latest first
    return [
        Value(value=each.value, label=each.value, count=each.pictures, term=term(name, each.value))
        for each in known[:MOST]
        if each.value is not None
    ]


def folders(counts: Sequence[Facet]) -> list[Value]:
    """Each folder with all that lies beneath it, as a filter has it; the fullest first."""
    own = {Path(each.value): each.pictures for each in counts if each.value and each.value.isprintable()}
    whole = Counter[Path]()
    for folder, number in own.items():
        for each in (folder, *folder.parents):
            whole[each] += number
    common = _common(list(own))
    ordered = sorted(own, key=lambda folder: (-whole[folder], str(folder)))
    return [
        Value(
            value=str(folder),
            label=folder.name if folder == common else str(folder.relative_to(common)),
            count=whole[folder],
            term=term("folder", str(folder)),
        )
        for folder in ordered[:MOST]
    ]


def _common(folders: list[Path]) -> Path:
    """The folder that all of them lie in."""
    shared = Path("/")
    if folders:
        shared = folders[0].parent if len(folders) == 1 else folders[0]
        while not all(folder.is_relative_to(shared) for folder in folders):
            shared = shared.parent
    return shared
