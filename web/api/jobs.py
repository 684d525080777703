"""Indexing, and changing the model, while people go on searching."""

from asyncio import sleep
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from encoders.model_info import all_known
from store.roots import absolute, locate
from web import jobs
from web.dependencies import ServiceDep
from web.errors import NotAllowed
from web.responses import Said
from web.service import Service

__all__ = ["router"]

router = APIRouter(prefix="/jobs", tags=["jobs"])

LOOK = 0.2
"""Seconds between two looks at a job that is watched."""
BEAT = 10.0
"""Seconds of silence after which a watcher hears that nothing is new, so that neither side takes the other for gone."""

JobId = Annotated[str, InPath(max_length=50)]


EXAMPLES: list[JsonValue] = [
    {"kind": "index"},
    {"kind": "index", "folders": ["/home/me/Pictures"]},
    {"kind": "space", "model": "mini"},
]


class JobIn(BaseModel):
    """What to do."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": EXAMPLES})

    kind: Literal["index", "space"]
    folders: list[Annotated[str, Field(min_length=1, max_length=4_000)]] = Field(
        [], max_length=100, description="For `index`; without any, all folders that the library covers"
    )
    model: str | None = Field(None, min_length=1, max_length=1_000, description="For `space`: the model to change to")


class Job(Said):
    """A job as it stands."""

    id: str
    kind: Literal["index", "space"]
    state: jobs.State
    started_at: datetime
    phase: str
    """`starting`, `waiting` (for another process), `scanning`, `embedding` or `publishing`."""
    done: int
    """Pictures."""
    total: int | None
    """Pictures; null while that is not known."""
    summary: dict[str, Any] | None
    """What it came to, once it is done."""
    error: str | None
    """Why it failed."""
    problem: str | None
    """The same as the `title` of a problem document."""


@router.get("")
def list_jobs(service: ServiceDep) -> list[Job]:
    """Lists what runs and what ran, the latest first."""
    return [_shown(job) for job in service.jobs.all()]


@router.post("", status_code=202)
def start_job(wanted: JobIn, service: ServiceDep) -> Job:
    """Starts a job; there is one at a time."""
    if wanted.kind == "space":
        if wanted.model is None:
            raise NotAllowed("name the model to change to")
        _require_installed(wanted.model, service)
        return _shown(service.jobs.fill(wanted.model))
    for folder in wanted.folders:
        _require_known(folder, service)
    return _shown(service.jobs.index(wanted.folders))


@router.get("/{job_id}")
def job(job_id: JobId, service: ServiceDep) -> Job:
    """Tells how a job stands."""
    return _shown(service.jobs.get(job_id))


@router.delete("/{job_id}")
def cancel_job(job_id: JobId, service: ServiceDep) -> Job:
    """Asks a job to stop. What it has done stays, and another one goes on from there."""
    return _shown(service.jobs.cancel(job_id))


@router.get(
    "/{job_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
def watch_job(job_id: JobId, service: ServiceDep) -> StreamingResponse:
    """Tells whenever a job changes (server-sent events): `progress`, and `end` at last, both with the job as data."""
    service.jobs.get(job_id)  # a 404 must come before the stream begins
    return StreamingResponse(_events(service, job_id), media_type="text/event-stream")


async def _events(service: Service, job_id: str) -> AsyncIterator[str]:
    """Looks at the job again and again: a watcher must not keep a thread that others need for searching."""
    seen, silent = None, 0.0
    while True:
        job = service.jobs.get(job_id)
        if job != seen:
            event = "progress" if job.state is jobs.State.RUNNING else "end"
            yield f"event: {event}\ndata: {_shown(job).model_dump_json()}\n\n"
            seen, silent = job, 0.0
        elif silent >= BEAT:
            yield ": nothing new\n\n"
            silent = 0.0
        if job.state is not jobs.State.RUNNING or service.jobs.closing:
            return
        await sleep(LOOK)
        silent += LOOK


def _shown(job: jobs.Job) -> Job:
    return Job(**vars(job))


def _require_installed(model: str, service: Service) -> None:
    """Raises `NotAllowed` for files that are named as a model, unless any folder may be indexed from here."""
    if not (service.settings.may_index_folders or model in {each.name for each in all_known()}):
        raise NotAllowed("from other machines, a model is named as `sightline models list` does")


def _require_known(folder: str, service: Service) -> None:
    """Raises `NotAllowed` for a folder that the library does not cover, unless any may be indexed from here."""
    if not Path(folder).is_absolute():
        raise NotAllowed("name a folder by its whole path, from the root on")
    path = absolute(Path(folder))  # as the index run reads it: `..` leads out of a folder
    if service.settings.may_index_folders:
        return
    with service.library.read() as connection:
        if locate(connection, path) is None:
            raise NotAllowed("from other machines, only folders that the library covers can be indexed")
