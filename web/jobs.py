"""Long-running work in a thread, one job at a time: indexing, and filling the space of another model."""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from threading import Lock, Thread
from typing import Any, Literal, TypeAlias

from core.errors import SightlineError
from encoders import registry
from indexer import Progress, index
from indexer.fill import fill
from store.library import Library
from store.roots import list_roots
from web.errors import INTERNAL_ERROR, INTERNAL_ERROR_DETAIL, Busy, NotFound, hint_for, printable, problem_name

__all__ = ["Job", "JobKind", "JobState", "Jobs"]

JobKind: TypeAlias = Literal["index", "space"]

MAX_FINISHED_JOBS = 20
"""How many finished jobs are listed."""

STOP_TIMEOUT_SECONDS = 3.0
"""How long a job may take to stop when the server ends."""


class JobState(StrEnum):
    """The state of a job."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True)
class Job:
    """A snapshot of a job."""

    id: str
    kind: JobKind
    state: JobState
    started_at: datetime
    phase: str = "starting"
    """`waiting`, `scanning`, `embedding`, `publishing`."""
    done: int = 0
    total: int | None = None
    """Number of pictures; None while it is unknown."""
    summary: dict[str, Any] | None = None
    """The result."""
    error: str | None = None
    """Why the job failed, and what can be done about it."""
    problem: str | None = None
    """The name of the problem, as in problem documents."""


class _Cancelled(BaseException):
    """Raised inside a run to stop it, like Ctrl-C; what has been written is kept."""


class Jobs:
    """The jobs of one server. Thread-safe."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._jobs: dict[str, Job] = {}
        self._cancelled: set[str] = set()
        self._lock = Lock()
        self._thread: Thread | None = None
        self.closing = False
        """Set as soon as the server is asked to stop; running jobs and their watchers then end."""

    def all(self) -> list[Job]:
        """Return all jobs, the latest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def get(self, name: str) -> Job:
        """Return a job. Raises `NotFound`."""
        with self._lock:
            if name not in self._jobs:
                raise NotFound
            return self._jobs[name]

    def index(self, folders: list[str]) -> Job:
        """Start to index `folders`, by default all folders of the library. Raises `Busy`."""

        def run(progress: Progress) -> dict[str, Any]:
            paths = folders or [str(root.path) for root in list_roots(self._library)]
            return asdict(index(self._library, paths, progress=progress)) if paths else {}

        return self._start("index", run)

    def fill(self, model: str) -> Job:
        """Start to embed all pictures with `model`, which then becomes the active model. Raises `Busy`."""
        encoder = registry.load(model)

        def run(progress: Progress) -> dict[str, Any]:
            filled = fill(self._library, encoder, progress=progress)
            return {"embedded": filled.embedded, "seconds": filled.seconds, "switched": filled.switched}

        return self._start("space", run)

    def cancel(self, name: str) -> Job:
        """Ask a job to stop; what it has written is kept. Raises `NotFound`."""
        job = self.get(name)
        with self._lock:
            self._cancelled.add(name)
        return job

    def is_running(self) -> bool:
        """Return whether the thread of a job runs, also after `close`."""
        return self._thread is not None and self._thread.is_alive()

    def close(self) -> None:
        """Stop the running job and wait a moment for it; what it has written is kept."""
        self.closing = True
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_SECONDS)

    def _start(self, kind: JobKind, run: Callable[[Progress], dict[str, Any]]) -> Job:
        with self._lock:
            if self.closing or any(job.state is JobState.RUNNING for job in self._jobs.values()):
                raise Busy
            job = Job(secrets.token_hex(4), kind, JobState.RUNNING, datetime.now(UTC))
            self._jobs[job.id] = job
            for old in list(self._jobs)[:-MAX_FINISHED_JOBS]:
                del self._jobs[old]
                self._cancelled.discard(old)
            # A daemon thread: a job that waits for another process must not keep this one alive.
            self._thread = Thread(target=self._work, args=(job.id, run), name=f"sightline-{kind}", daemon=True)
            self._thread.start()
        return job

    def _work(self, name: str, run: Callable[[Progress], dict[str, Any]]) -> None:
        try:
            summary = run(_JobProgress(lambda **changes: self._update(name, **changes)))
            self._update(name, state=JobState.DONE, summary=summary)
        except _Cancelled:
            self._update(name, state=JobState.CANCELLED, even_if_cancelled=True)
        except SightlineError as exc:
            self._fail(name, problem_name(exc), " ".join(filter(None, (printable(exc), hint_for(exc)))))
        except BaseException:
            self._fail(name, INTERNAL_ERROR, INTERNAL_ERROR_DETAIL)
            raise

    def _fail(self, name: str, problem: str, error: str) -> None:
        self._update(name, state=JobState.FAILED, problem=problem, error=error, even_if_cancelled=True)

    def _update(self, name: str, *, even_if_cancelled: bool = False, **changes: Any) -> None:
        """Update a job. Raises `_Cancelled` if it has been asked to stop."""
        with self._lock:
            if (self.closing or name in self._cancelled) and not even_if_cancelled:
                raise _Cancelled
            job = self._jobs[name]
            changes["done"] = changes.get("done", job.done) + changes.pop("more", 0)
            self._jobs[name] = replace(job, **changes)


class _JobProgress(Progress):
    """Reports the progress of a run to its job."""

    def __init__(self, update: Callable[..., None]) -> None:
        self._update = update

    def waiting(self) -> None:
        self._update(phase="waiting")

    def scanned(self, files: int) -> None:
        self._update(phase="scanning", done=files, total=None)

    def begin(self, files: int) -> None:
        self._update(phase="embedding", done=0, total=files)

    def advance(self, files: int) -> None:
        self._update(phase="embedding", more=files)

    def publish(self) -> None:
        self._update(phase="publishing")
