"""Jobs: indexing, changing the model and other long work, while searches continue."""

from asyncio import sleep
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field, JsonValue

from core.errors import FolderNotFound
from encoders.model_info import all_models
from encoders.registry import split_version
from indexer.jobs import require_kind
from store.jobs import Action, Job, JobState, Priority, Wish, act, add_job, find_job, list_jobs
from store.roots import find_location, list_roots
from web.dependencies import ServiceDep
from web.errors import NotAllowed, NotFound
from web.printable import printable
from web.requests import RequestModel
from web.responses import ResponseModel
from web.server_folders import folder_of, is_below
from web.service import Service

__all__ = ["router"]

router = APIRouter(prefix="/jobs", tags=["jobs"])

POLL_SECONDS = 0.2
"""Interval at which a watched job is checked for changes."""
HEARTBEAT_SECONDS = 10.0
"""Silence after which a comment is sent, so that neither side takes the connection for dead."""

MAX_JOB_ID = 2**63 - 1

DECIDING_KINDS = frozenset({"forget", "model"})
"""Kinds of jobs that change what is in the library or on the disk for good."""

JobId = Annotated[str, InPath(max_length=50)]

EXAMPLES: list[JsonValue] = [
    {"kind": "index"},
    {"kind": "index", "folders": ["/home/me/Pictures"]},
    {"kind": "space", "model": "mini", "priority": "normal"},
    {"kind": "duplicates"},
    {"kind": "index", "parameters": {"retry_failed": True}},
]


class Urgency(StrEnum):
    """The name of a priority."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class JobRequest(RequestModel):
    """A job to add to the queue."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": EXAMPLES})

    kind: str = Field(
        min_length=1, max_length=32, description="`index`, `forget`, `space`, `model`, `duplicates` or `texts`"
    )
    folders: list[Annotated[str, Field(min_length=1, max_length=12_000)]] = Field(
        [],
        max_length=100,
        description="Paths or `file:` URIs. For `index`, by default all of the library; for `forget`, those to remove",
    )
    model: str | None = Field(
        None,
        min_length=1,
        max_length=1_000,
        description="For `space`: the model to change to; for `model`: to download",
    )
    parameters: dict[str, JsonValue] = Field(
        {}, max_length=20, description="For `index`: `retry_failed`; for `model`: `licence`, `use`; for any other kind"
    )
    priority: Urgency | None = Field(None, description="By default `normal`, and `low` for all but `index`")


class JobResponse(ResponseModel):
    """The state of a job."""

    id: str
    kind: str
    parameters: dict[str, Any]
    priority: Urgency
    state: JobState
    wish: Wish | None
    """What a running job has been asked to do, which it does after its current batch."""
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    phase: str
    """`waiting` (for its turn, or for another process), `starting`, `scanning`, `embedding`, `publishing` or
    `downloading`."""
    done: int
    """Number of pictures; of bytes while `downloading`."""
    total: int | None
    """As `done`; null while it is unknown."""
    summary: dict[str, Any] | None
    """The result, once the job is done."""
    error: str | None
    """Why the job failed, and what can be done about it."""
    problem: str | None
    """The same as the `title` of a problem document."""


@router.get("")
def jobs(service: ServiceDep) -> list[JobResponse]:
    """List the running job, those that wait in the order in which they will run, and finished ones, latest first."""
    return [_to_response(job, service) for job in list_jobs(service.library)]


@router.post("", status_code=202)
def start_job(request: JobRequest, service: ServiceDep) -> JobResponse:
    """Add a job to the queue. One job runs at a time; an equal one that still waits is returned instead."""
    kind = require_kind(request.kind)
    parameters = _parameters(request, service)
    kind.check(parameters)
    kind.check_in(service.library, parameters)
    priority = kind.priority if request.priority is None else Priority[request.priority.name]
    if kind.name == "forget":
        service.snapshots.keep()  # user data of these pictures can then come back
    job = add_job(service.library, kind.name, parameters, priority)
    service.jobs.wake()
    return _to_response(job, service)


@router.get("/{job_id}")
def job(job_id: JobId, service: ServiceDep) -> JobResponse:
    """Return the state of a job."""
    return _to_response(find_job(service.library, _number(job_id)), service)


@router.delete("/{job_id}")
def cancel_job(job_id: JobId, service: ServiceDep) -> JobResponse:
    """Cancel a job, as `POST /jobs/{job_id}/cancel` does."""
    return act_on_job(job_id, Action.CANCEL, service)


@router.post("/{job_id}/{action}")
def act_on_job(job_id: JobId, action: Action, service: ServiceDep) -> JobResponse:
    """Pause, resume, cancel or retry a job.

    A running job is paused or cancelled after its current batch. Its results so far are kept, and it continues from
    there. A job that failed or was cancelled can be tried again.
    """
    if action in (Action.RETRY, Action.RESUME):
        _require_allowed(find_job(service.library, _number(job_id)), service)
    job = act(service.library, _number(job_id), action)
    service.jobs.wake()
    return _to_response(job, service)


@router.get(
    "/{job_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
def watch_job(job_id: JobId, service: ServiceDep) -> StreamingResponse:
    """Stream changes of a job as server-sent events: `progress`, and finally `end`, both with the job as data."""
    number = _number(job_id)
    find_job(service.library, number)  # raise UnknownJob before the stream starts
    return StreamingResponse(_events(service, number), media_type="text/event-stream")


async def _events(service: Service, number: int) -> AsyncIterator[str]:
    """Poll the job, so that a watcher occupies no thread."""
    last, silent = None, 0.0
    while True:
        job = service.jobs.current(await to_thread.run_sync(find_job, service.library, number))
        if job != last:
            event = "end" if job.state.is_finished else "progress"
            yield f"event: {event}\ndata: {_to_response(job, service).model_dump_json()}\n\n"
            last, silent = job, 0.0
        elif silent >= HEARTBEAT_SECONDS:
            yield ": no change\n\n"
            silent = 0.0
        if job.state.is_finished or service.jobs.closing:
            return
        await sleep(POLL_SECONDS)
        silent += POLL_SECONDS


def _to_response(job: Job, service: Service) -> JobResponse:
    job = service.jobs.current(job)
    same = {name: getattr(job, name) for name in ("kind", "state", "wish", "phase", "done", "total", "problem")}
    return JobResponse(
        **same,
        id=str(job.id),
        created_at=job.created_at.replace(tzinfo=UTC),
        started_at=_utc(job.started_at),
        ended_at=_utc(job.ended_at),
        parameters=_printable(job.parameters),
        priority=Urgency[Priority(job.priority).name],
        summary=None if job.summary is None else _printable(job.summary),
        error=None if job.error is None else printable(job.error),
    )


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=UTC)


def _printable(value: Any) -> Any:
    """Return JSON values with the bytes of file names that are not UTF-8 made visible."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(name): _printable(each) for name, each in value.items()}
    return [_printable(each) for each in value] if isinstance(value, list) else value


def _number(job_id: str) -> int:
    """Return the ID of a job as a number. Raises `NotFound`."""
    if not (job_id.isascii() and job_id.isdecimal() and int(job_id) <= MAX_JOB_ID):
        raise NotFound
    return int(job_id)


def _require_allowed(job: Job, service: Service) -> None:
    """Raise `NotAllowed` for a job that clients may not start now, even if they could when it was added."""
    if job.kind in DECIDING_KINDS:
        _require_decisions(service)
    if job.kind != "forget":  # which passes over folders that are not in the library any more
        for folder in job.parameters.get("folders") or []:
            _allowed_folder(folder, job.kind, service)
    if job.parameters.get("model") is not None:
        _require_allowed_model(job.parameters["model"], service)


def _require_decisions(service: Service) -> None:
    if not service.settings.may_index_folders:
        raise NotAllowed("This server does not allow clients to add or remove folders, or to download models.")


def _parameters(request: JobRequest, service: Service) -> dict[str, Any]:
    """Return the parameters of a job. Raises `NotAllowed` for those that clients may not choose."""
    if request.kind in DECIDING_KINDS:
        _require_decisions(service)
    given: dict[str, Any] = {}
    if request.folders:
        given["folders"] = [_allowed_folder(folder, request.kind, service) for folder in request.folders]
    if request.model is not None:
        _require_allowed_model(request.model, service)
        given["model"] = request.model
    if set(request.parameters) & {"folders", "model"}:
        raise NotAllowed("`folders` and `model` are not given as `parameters`.")
    return given | request.parameters


def _require_allowed_model(model: str, service: Service) -> None:
    """Raise `NotAllowed` for a model that is named by its path, unless clients may use any folder."""
    if not (service.settings.may_use_any_folder or split_version(model)[0] in {known.name for known in all_models()}):
        raise NotAllowed("This server only accepts the names of listed models.")


def _allowed_folder(folder: str, kind: str, service: Service) -> str:
    """Return the path of a folder that a client may index or remove. Raises `NotAllowed` for any other."""
    try:
        path = folder_of(folder)
    except FolderNotFound:
        raise NotAllowed("The path of the folder must be absolute.") from None
    if kind == "forget":
        if path not in {root.path for root in list_roots(service.library)}:
            raise NotAllowed("This is not a folder of the library.")
        return str(path)
    settings = service.settings
    in_library = find_location(service.library, path) is not None
    if not (in_library or settings.may_use_any_folder or is_below(path, settings.places)):
        raise NotAllowed("This server only indexes folders that are part of the library, or below an allowed one.")
    return str(path)
