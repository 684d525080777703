"""Jobs: indexing, and changing the model, while searches continue."""

from asyncio import sleep
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field, JsonValue

from core.files import absolute
from encoders.model_info import all_models
from encoders.registry import split_version
from store.roots import find_location
from web.dependencies import ServiceDep
from web.errors import NotAllowed
from web.jobs import Job, JobKind, JobState
from web.requests import RequestModel
from web.responses import ResponseModel
from web.service import Service

__all__ = ["router"]

router = APIRouter(prefix="/jobs", tags=["jobs"])

POLL_SECONDS = 0.2
"""Interval at which a watched job is checked for changes."""
HEARTBEAT_SECONDS = 10.0
"""Silence after which a comment is sent, so that neither side takes the connection for dead."""

JobId = Annotated[str, InPath(max_length=50)]


EXAMPLES: list[JsonValue] = [
    {"kind": "index"},
    {"kind": "index", "folders": ["/home/me/Pictures"]},
    {"kind": "space", "model": "mini"},
]


class JobRequest(RequestModel):
    """A job to start."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": EXAMPLES})

    kind: JobKind
    folders: list[Annotated[str, Field(min_length=1, max_length=4_000)]] = Field(
        [], max_length=100, description="For `index`; by default, all folders of the library"
    )
    model: str | None = Field(None, min_length=1, max_length=1_000, description="For `space`: the model to change to")


class JobResponse(ResponseModel):
    """The state of a job."""

    id: str
    kind: JobKind
    state: JobState
    started_at: datetime
    phase: str
    """`starting`, `waiting` (for another process), `scanning`, `embedding` or `publishing`."""
    done: int
    """Number of pictures."""
    total: int | None
    """Number of pictures; null while it is unknown."""
    summary: dict[str, Any] | None
    """The result, once the job is done."""
    error: str | None
    """Why the job failed, and what can be done about it."""
    problem: str | None
    """The same as the `title` of a problem document."""


@router.get("")
def list_jobs(service: ServiceDep) -> list[JobResponse]:
    """List the running job and earlier ones, the latest first."""
    return [_to_response(job) for job in service.jobs.all()]


@router.post("", status_code=202)
def start_job(request: JobRequest, service: ServiceDep) -> JobResponse:
    """Start a job. Only one job runs at a time."""
    if request.kind == "space":
        if request.model is None:
            raise NotAllowed("A model is required.")
        _require_allowed_model(request.model, service)
        return _to_response(service.jobs.fill(request.model))
    for folder in request.folders:
        _require_allowed_folder(folder, service)
    return _to_response(service.jobs.index(request.folders))


@router.get("/{job_id}")
def job(job_id: JobId, service: ServiceDep) -> JobResponse:
    """Return the state of a job."""
    return _to_response(service.jobs.get(job_id))


@router.delete("/{job_id}")
def cancel_job(job_id: JobId, service: ServiceDep) -> JobResponse:
    """Cancel a job. Its results so far are kept, and the next job continues from there."""
    return _to_response(service.jobs.cancel(job_id))


@router.get(
    "/{job_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
def watch_job(job_id: JobId, service: ServiceDep) -> StreamingResponse:
    """Stream changes of a job as server-sent events: `progress`, and finally `end`, both with the job as data."""
    service.jobs.get(job_id)  # raise NotFound before the stream starts
    return StreamingResponse(_events(service, job_id), media_type="text/event-stream")


async def _events(service: Service, job_id: str) -> AsyncIterator[str]:
    """Poll the job, so that a watcher occupies no thread."""
    last, silent = None, 0.0
    while True:
        job = service.jobs.get(job_id)
        if job != last:
            event = "progress" if job.state is JobState.RUNNING else "end"
            yield f"event: {event}\ndata: {_to_response(job).model_dump_json()}\n\n"
            last, silent = job, 0.0
        elif silent >= HEARTBEAT_SECONDS:
            yield ": no change\n\n"
            silent = 0.0
        if job.state is not JobState.RUNNING or service.jobs.closing:
            return
        await sleep(POLL_SECONDS)
        silent += POLL_SECONDS


def _to_response(job: Job) -> JobResponse:
    return JobResponse(**vars(job))


def _require_allowed_model(model: str, service: Service) -> None:
    """Raise `NotAllowed` for a model that is named by its path, unless clients may use any folder."""
    if not (service.settings.may_index_folders or split_version(model)[0] in {known.name for known in all_models()}):
        raise NotAllowed("This server only accepts the names of listed models.")


def _require_allowed_folder(folder: str, service: Service) -> None:
    """Raise `NotAllowed` for a folder that is not part of the library, unless clients may index any folder."""
    if not Path(folder).is_absolute():
        raise NotAllowed("The path of the folder must be absolute.")
    path = absolute(Path(folder))  # resolves `..`, like the index run
    if service.settings.may_index_folders:
        return
    if find_location(service.library, path) is None:
        raise NotAllowed("This server only indexes folders that are part of the library.")
