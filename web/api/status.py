"""The state of the library and of the server."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from core.version import __version__
from encoders.text_recognizer import recognizer_is_installed
from indexer.absent_disks import count_away
from store.catalog.tables import PictureState
from store.failures import count_failures_by_reason, list_failures
from store.passed_over import count_passed_over
from store.queries import count_by_state
from store.roots import RootCounts, list_roots
from store.texts import text_coverage
from web.api.spaces import SpaceResponse, list_all
from web.dependencies import ServiceDep
from web.printable import printable
from web.readiness import CatalogueState, IndexState, ModelState
from web.responses import ResponseModel
from web.server_folders import folder_uri

__all__ = ["health_router", "router"]

router = APIRouter(tags=["library"])
health_router = APIRouter(tags=["health"])

MAX_FAILURES = 1_000
"""Maximum number of failed files in a response."""

MAX_OFFSET = 2**31
"""Maximum number of failed files to leave out; within what every database counts to."""


class RootResponse(ResponseModel):
    """A folder of the library, with the number of its files by state."""

    path: str
    """As it is shown."""
    uri: str
    """The path as a `file:` URI, for jobs; for a collection of imported vectors, which is no folder, empty."""
    present: int
    missing: int
    failed: int
    away: int
    """Present pictures that cannot be read now, because the folder or a disk below it is not there."""


class TextsResponse(ResponseModel):
    """How many pictures have been searched for text."""

    contents: int
    """Pictures of the library; copies count once."""
    read: int
    with_text: int
    failed: int
    can_read: bool
    """Whether a text recogniser is installed."""


class StatusResponse(ResponseModel):
    """The contents of the library."""

    version: str
    """Of the server."""
    pictures: int
    present: int
    missing: int
    failed: int
    roots: list[RootResponse]
    passed_over: dict[str, int]
    """Number of files in these folders that are not supported pictures, by type: the suffix in lower case, empty for
    files without one."""
    spaces: list[SpaceResponse]
    texts: TextsResponse
    may_index_folders: bool
    """Whether clients may add folders to the library, remove them, and download models."""
    may_use_any_folder: bool
    """Whether they may add any folder by its path, and not only those that `GET /server-folders` lists."""


class ReadyResponse(ResponseModel):
    """Whether searches should be sent to a server, and what it can use."""

    ready: bool
    catalogue: CatalogueState
    model: ModelState
    index: IndexState


class ReasonResponse(ResponseModel):
    """Files that could not be indexed for the same reason."""

    reason: str
    """`unreadable`, `undecodable`, `unsupported`, `too-large`, `crashed`, or `needs-` and an extra to install, and
    reasons of models and of the text recogniser."""
    files: int


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
    away = count_away(service.library)
    return StatusResponse(
        version=__version__,
        pictures=sum(by_state.values()),
        present=by_state[PictureState.PRESENT],
        missing=by_state[PictureState.MISSING],
        failed=by_state[PictureState.FAILED],
        roots=[_root_response(root, away.get(root.path, 0)) for root in list_roots(service.library)],
        passed_over=count_passed_over(service.library),
        spaces=list_all(service),
        texts=TextsResponse(**vars(text_coverage(service.library)), can_read=recognizer_is_installed()),
        may_index_folders=service.settings.may_index_folders,
        may_use_any_folder=service.settings.may_use_any_folder,
    )


def _root_response(root: RootCounts, away: int) -> RootResponse:
    uri = folder_uri(root.path) if root.path.is_absolute() else ""
    return RootResponse(**{**vars(root), "path": printable(root.path)}, uri=uri, away=away)


@router.get("/failures/reasons")
def failure_reasons(service: ServiceDep) -> list[ReasonResponse]:
    """Count the files that could not be indexed by reason, the most frequent reason first."""
    reasons = count_failures_by_reason(service.library)
    return [ReasonResponse(reason=reason, files=files) for reason, files in reasons.items()]


@router.get("/failures")
def failed(
    service: ServiceDep,
    reason: Annotated[str | None, Query(max_length=100, description="Only files with this reason")] = None,
    k: Annotated[int, Query(ge=1, le=MAX_FAILURES, description="Maximum number of files")] = MAX_FAILURES,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="Number of files to leave out")] = 0,
) -> list[FailureResponse]:
    """List the files that could not be indexed, ordered by path."""
    failures = list_failures(service.library, reason, k, offset)
    return [FailureResponse(**{**vars(each), "path": printable(each.path)}) for each in failures]


@health_router.get("/health")
def health(service: ServiceDep) -> dict[str, str]:
    """Return `ok` if the catalogue can be read."""
    service.library.revision()
    return {"status": "ok"}


@health_router.get("/health/live")
async def live() -> dict[str, str]:  # async: it answers also while all threads are busy
    """Return `ok` if the process answers at all."""
    return {"status": "ok"}


@health_router.get("/health/ready", responses={503: {"model": ReadyResponse}})
def ready(service: ServiceDep, response: Response) -> ReadyResponse:
    """Return whether searches should be sent to this server: 200 if so, and 503 if not, or not yet.

    The first question begins to load the model.
    """
    report = service.readiness.report()
    if not report.ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return ReadyResponse(**vars(report))


@health_router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(service: ServiceDep) -> Response:
    """Return metrics in Prometheus' text format."""
    return Response(service.metrics.export(), media_type="text/plain; version=0.0.4")
