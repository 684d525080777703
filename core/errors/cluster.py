"""Exceptions of index runs on several machines."""

from pathlib import Path

from core.errors.base import SightlineError

__all__ = ["ClusterError", "ClusterFailed", "ClusterUnreachable", "FilesNotShared", "MachineUnfit"]


class ClusterError(SightlineError):
    """Something is wrong with the machines that read and embed pictures for an index run."""


class ClusterUnreachable(ClusterError):
    """There is no cluster at `address`, or this machine is not part of it; `reason` says more."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"Cannot use the Ray cluster at {address}: {reason}")
        self.address, self.reason = address, reason


class ClusterFailed(ClusterError):
    """The cluster has stopped working during a run; `reason` is what it reports."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The Ray cluster failed: {reason}")
        self.reason = reason


class MachineUnfit(ClusterError):
    """The machine `machine` of the cluster cannot work for this run: it has another version, or lacks the model."""

    def __init__(self, machine: str, reason: str) -> None:
        super().__init__(f"The machine {machine} of the cluster cannot be used: {reason}")
        self.machine, self.reason = machine, reason


class FilesNotShared(ClusterError):
    """The machine `machine` of the cluster cannot read the file at `path`, which this machine can read."""

    def __init__(self, machine: str, path: Path, reason: str) -> None:
        super().__init__(
            f"The machine {machine} of the cluster cannot read {path}, which this machine can read: {reason}. "
            "All machines must have the pictures under the same path."
        )
        self.machine, self.path, self.reason = machine, path, reason
