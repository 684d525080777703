"""The library as a whole: what it holds, where, and what could not be read."""

from fastapi import APIRouter

from store.catalog.tables import State
from store.queries import counts, failures
from store.roots import list_roots
from web.api.spaces import Space, list_all
from web.dependencies import ServiceDep
from web.errors import printable
from web.responses import Said

__all__ = ["router"]

router = APIRouter(tags=["library"])

MOST_FAILURES = 1_000
"""Failed files that are listed at most."""


class Root(Said):
    """A folder that the library covers."""

    path: str
    present: int
    missing: int
    failed: int


class Status(Said):
    """What the library holds."""

    pictures: int
    present: int
    missing: int
    failed: int
    roots: list[Root]
    spaces: list[Space]
    may_index_folders: bool
    """Whether a folder that the library does not cover yet may be indexed from here."""


class Failure(Said):
    """A file that is no picture, and why."""

    path: str
    reason: str
    detail: str
    tries: int


@router.get("/status")
def status(service: ServiceDep) -> Status:
    """What the library holds."""
    by_state = counts(service.library)
    return Status(
        pictures=sum(by_state.values()),
        present=by_state[State.PRESENT],
        missing=by_state[State.MISSING],
        failed=by_state[State.FAILED],
        roots=[Root(**{**vars(root), "path": printable(root.path)}) for root in list_roots(service.library)],
        spaces=list_all(service),
        may_index_folders=service.settings.may_index_folders,
    )


@router.get("/failures")
def failed(service: ServiceDep) -> list[Failure]:
    """Files that could not be read, and why; the first thousand."""
    return [
        Failure(**{**vars(failure), "path": printable(failure.path)})
        for failure in failures(service.library)[:MOST_FAILURES]
    ]
