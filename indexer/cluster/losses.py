"""Which errors of Ray mean that work was lost and must be done again, and which end a run."""

from typing import Any

from core.errors import ClusterFailed

__all__ = ["is_lost", "raised"]


def is_lost(ray: Any, error: BaseException) -> bool:
    """Return whether a task failed because a process, a machine or an object is gone."""
    known = ray.exceptions
    kinds = (
        known.WorkerCrashedError,
        known.RayActorError,
        known.NodeDiedError,
        known.ObjectLostError,
        known.OutOfMemoryError,
        known.TaskUnschedulableError,
        known.ActorUnschedulableError,
    )
    if isinstance(error, kinds):
        return True
    # An argument that was lost is reported as an error of the task that needed it.
    return isinstance(error, known.RayTaskError) and isinstance(error.cause, kinds)


def raised(ray: Any, error: Exception) -> Exception:
    """Return the error to raise for a task that failed for another reason: a fault of Sightline, or of the cluster."""
    if isinstance(error, ray.exceptions.RayTaskError):
        fault = RuntimeError(f"a task failed on another machine: {error.cause!r}")
        fault.add_note(str(error))
        return fault
    lines = str(error).strip().splitlines() or [repr(error)]
    return ClusterFailed(lines[0])
