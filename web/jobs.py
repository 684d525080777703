"""Work that takes longer than a request: indexing, and filling another model's space. One at a time, in a thread."""

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
from store.spaces.registry import model_space
from web.errors import FAULT, INTERNAL_ERROR, Busy, NotThere, printable

__all__ = ["Job", "Jobs", "Kind", "State"]

Kind: TypeAlias = Literal["index", "space"]

KEPT = 20
"""Jobs that are remembered once they are over."""

CLOSE_WITHIN = 3.0
"""Seconds that a job has to come to its next stop when the server ends."""


class State(StrEnum):
    """How a job stands."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True)
class Job:
    """A job at one moment."""

    id: str
    kind: Kind
    state: State
    started_at: datetime
    phase: str = "starting"
    """`waiting`, `scanning`, `embedding`, `publishing`."""
    done: int = 0
    total: int | None = None
    """Pictures; None while that is not known."""
    summary: dict[str, Any] | None = None
    """What it came to."""
    error: str | None = None
    """Why it failed."""
    problem: str | None = None
    """The name of the exception."""


class _Cancelled(BaseException):
    """Ends a run from within, as Ctrl-C would: what is settled stays."""


class Jobs:
    """The jobs of one server. Safe between threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._jobs: dict[str, Job] = {}
        self._cancelled: set[str] = set()
        self._lock = Lock()
        self._thread: Thread | None = None
        self.closing = False
        """Set, without waiting for anybody, as soon as the server is to stop: for jobs and whoever watches them."""

    def all(self) -> list[Job]:
        """The latest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def get(self, name: str) -> Job:
        """The job as it stands. Raises `NotThere`."""
        with self._lock:
            if name not in self._jobs:
                raise NotThere
            return self._jobs[name]

    def index(self, folders: list[str]) -> Job:
        """Brings the library up to date with `folders`, or with all that it covers. Raises `Busy`."""

        def run(progress: Progress) -> dict[str, Any]:
            known = model_space(self._library)
            encoder = registry.load_for(known.space) if known else registry.load(registry.DEFAULT_MODEL)
            paths = folders or [str(root.path) for root in list_roots(self._library)]
            return asdict(index(self._library, paths, encoder, progress=progress)) if paths else {}

        return self._start("index", run)

    def fill(self, model: str) -> Job:
        """Embeds all pictures by `model`, and lets it answer from then on. Raises `Busy`."""
        encoder = registry.load(model)

        def run(progress: Progress) -> dict[str, Any]:
            filled = fill(self._library, encoder, progress=progress)
            return {"embedded": filled.embedded, "seconds": filled.seconds, "switched": filled.switched}

        return self._start("space", run)

    def cancel(self, name: str) -> Job:
        """Asks a job to stop; what it has settled stays. Raises `NotThere`."""
        job = self.get(name)
        with self._lock:
            self._cancelled.add(name)
        return job

    def close(self) -> None:
        """Stops whatever runs, and waits a moment for it; what it has settled stays, as after a crash."""
        self.closing = True
        if self._thread is not None:
            self._thread.join(CLOSE_WITHIN)

    def _start(self, kind: Kind, run: Callable[[Progress], dict[str, Any]]) -> Job:
        with self._lock:
            if self.closing or any(job.state is State.RUNNING for job in self._jobs.values()):
                raise Busy
            job = Job(secrets.token_hex(4), kind, State.RUNNING, datetime.now(UTC))
            self._jobs[job.id] = job
            for old in list(self._jobs)[:-KEPT]:
                del self._jobs[old]
                self._cancelled.discard(old)
            # A daemon: one that waits for another process to let go of the library must not keep this one alive.
            self._thread = Thread(target=self._work, args=(job.id, run), name=f"sightline-{kind}", daemon=True)
            self._thread.start()
        return job

    def _work(self, name: str, run: Callable[[Progress], dict[str, Any]]) -> None:
        try:
            summary = run(_Told(lambda **changes: self._update(name, **changes)))
            self._update(name, state=State.DONE, summary=summary)
        except _Cancelled:
            self._update(name, state=State.CANCELLED, forced=True)
        except SightlineError as exc:
            self._fail(name, type(exc).__name__, printable(exc))
        except BaseException:
            self._fail(name, INTERNAL_ERROR, FAULT)
            raise

    def _fail(self, name: str, problem: str, error: str) -> None:
        self._update(name, state=State.FAILED, problem=problem, error=error, forced=True)

    def _update(self, name: str, *, forced: bool = False, **changes: Any) -> None:
        """Notes how a job stands. Raises `_Cancelled` in a run that is to stop."""
        with self._lock:
            if (self.closing or name in self._cancelled) and not forced:
                raise _Cancelled
            job = self._jobs[name]
            changes["done"] = changes.get("done", job.done) + changes.pop("more", 0)
            self._jobs[name] = replace(job, **changes)


class _Told(Progress):
    """Passes on what a run tells."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell

    def waiting(self) -> None:
        self._tell(phase="waiting")

    def scanned(self, files: int) -> None:
        self._tell(phase="scanning", done=files, total=None)

    def begin(self, files: int) -> None:
        self._tell(phase="embedding", done=0, total=files)

    def advance(self, files: int) -> None:
        self._tell(phase="embedding", more=files)

    def publish(self) -> None:
        self._tell(phase="publishing")
