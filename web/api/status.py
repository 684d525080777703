"""The state of the library and of the server."""

from fastapi import APIRouter, Response

from store.catalog.tables import PictureState
from store.queries import count_by_state, list_failures
from store.roots import list_roots
from web.api.spaces import SpaceResponse, list_all
from web.dependencies import ServiceDep
from web.errors import printable
from web.responses import ResponseModel

__all__ = ["health_router", "router"]

router = APIRouter(tags=["library"])
health_router = APIRouter(tags=["health"])

MAX_FAILURES = 1_000
"""Maximum number of failed files in a response."""


class RootResponse(ResponseModel):
    """A folder of the library, with the number of its files by state."""

    path: str
    present: int
    missing: int
    failed: int


class StatusResponse(ResponseModel):
    """The contents of the library."""

    pictures: int
    present: int
    missing: int
    failed: int
    roots: list[RootResponse]
    spaces: list[SpaceResponse]
    may_index_folders: bool
    """Whether clients may index folders that are not part of the library yet."""


class FailureResponse(ResponseModel):
    """A file that could not be indexed, and why."""

    path: str
    reason: str
    detail: str
    tries: int


@router.get("/status")
def status(service: ServiceDep) -> StatusResponse:
    """Return the contents of the library."""
    by_state = count_by_state(service.library)
    return StatusResponse(
        pictures=sum(by_state.values()),
        present=by_state[PictureState.PRESENT],
        missing=by_state[PictureState.MISSING],
        failed=by_state[PictureState.FAILED],
        roots=[RootResponse(**{**vars(root), "path": printable(root.path)}) for root in list_roots(service.library)],
        spaces=list_all(service),
        may_index_folders=service.settings.may_index_folders,
    )


@router.get("/failures")
def failed(service: ServiceDep) -> list[FailureResponse]:
    """List the files that could not be indexed, at most a thousand."""
    return [
        FailureResponse(**{**vars(failure), "path": printable(failure.path)})
        for failure in list_failures(service.library)[:MAX_FAILURES]
    ]


@health_router.get("/health")
def health(service: ServiceDep) -> dict[str, str]:
    """Return `ok` if the catalogue can be read."""
    service.library.revision()
    return {"status": "ok"}


@health_router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(service: ServiceDep) -> Response:
    """Return metrics in Prometheus' text format."""
    return Response(service.metrics.export(), media_type="text/plain; version=0.0.4")
