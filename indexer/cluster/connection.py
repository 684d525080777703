"""Start Ray on this machine for a run, or connect to a cluster, and end that in any case.

Ray is told to be quiet and to send nothing home: no usage statistics, no dashboard, no output of its processes. What it
starts here listens on the loopback interface only, and asks for a token that exists in memory only.
"""

import os
import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from core.errors import ClusterFailed, ClusterUnreachable, MachineUnfit
from core.version import __version__
from indexer.cluster.reachability import AUTO, require_answer, require_reachable

__all__ = ["ClusterMachine", "RayCluster", "open_cluster"]

PROBE_SECONDS = 120.0
"""Time in which each machine must have started a process."""

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # without it, Ray prints a warning
}


@dataclass(frozen=True)
class ClusterMachine:
    """A machine of a cluster, with the cores and GPUs that Ray may use there."""

    id: str
    name: str
    cores: int
    gpus: int


@dataclass(frozen=True)
class RayCluster:
    """The module `ray`, connected to a cluster."""

    ray: Any

    def machines(self) -> list[ClusterMachine]:
        """Return the machines that are there now."""
        machines = []
        for node in self.ray.nodes():
            if node["Alive"]:
                cores, gpus = (int(node["Resources"].get(kind, 0)) for kind in ("CPU", "GPU"))
                machines.append(ClusterMachine(node["NodeID"], node["NodeManagerHostname"], cores, gpus))
        return machines


@contextmanager
def open_cluster(address: str, cores: int, memory: int) -> Iterator[RayCluster]:
    """Yield the cluster at `address`, or one of this machine with `cores` and `memory` bytes for results.

    A connection that the program has already is used, and is left open. Raises `ExtraMissing`, `ClusterUnreachable`,
    `ClusterFailed`, and `MachineUnfit` if a machine of the cluster has another version of Sightline or none.
    """
    require_reachable(address)
    is_auto = address == AUTO
    with _environment(_loopback() if is_auto else _QUIET), _own_handlers():
        import ray

        if ray.is_initialized():
            yield RayCluster(ray)
            return
        if not is_auto:
            require_answer(address)
        folder = Path(tempfile.mkdtemp(prefix="sightline-ray-", dir="/tmp" if os.path.isdir("/tmp") else None))  # noqa: PTH112
        own = {
            "address": "local",
            "num_cpus": cores,
            "object_store_memory": memory,
            "include_dashboard": False,
            "_node_ip_address": "127.0.0.1",
            "_temp_dir": str(folder),
        }
        try:
            with _cluster_errors(address):
                ray.init(**(own if is_auto else {"address": address}), log_to_driver=False, logging_level="ERROR")
            cluster = RayCluster(ray)
            if not is_auto:
                _require_same_version(cluster)
            with _silence():
                yield cluster
        finally:
            with suppress(Exception):  # the first error is the one to report
                ray.shutdown()
            shutil.rmtree(folder, ignore_errors=True)


def _require_same_version(cluster: RayCluster) -> None:
    """Raise `MachineUnfit` for a machine whose processes cannot import this version of Sightline."""

    def version() -> str:  # defined here, so that it can be sent to a machine that has no Sightline
        try:
            from core.version import __version__

            return __version__
        except Exception as error:
            return repr(error)

    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task, asked = cluster.ray.remote(version), {}
    for machine in cluster.machines():
        if machine.cores or machine.gpus:
            strategy = NodeAffinitySchedulingStrategy(machine.id, soft=False)
            asked[machine] = task.options(num_cpus=0, scheduling_strategy=strategy).remote()
    for machine, answer in asked.items():
        try:
            found = cluster.ray.get(answer, timeout=PROBE_SECONDS)
        except cluster.ray.exceptions.RayError as error:
            raise MachineUnfit(machine.name, f"no process could be started: {_first_line(error)}") from error
        if found != __version__:
            raise MachineUnfit(machine.name, f"it has Sightline {found}, and this machine {__version__}")


@contextmanager
def _cluster_errors(address: str) -> Iterator[None]:
    """Translate what `ray.init` raises."""
    try:
        yield
    except (ConnectionError, RuntimeError, ValueError, OSError, AssertionError) as error:
        if address == AUTO:
            raise ClusterFailed(f"it cannot be started: {_first_line(error)}") from error
        raise ClusterUnreachable(address, _first_line(error)) from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [repr(error)])[0]


@cache
def _token() -> str:
    return secrets.token_hex(32)  # of this process, because Ray reads the variable once


def _loopback() -> Mapping[str, str]:
    return {
        **_QUIET,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": _token(),  # otherwise Ray writes one to the home folder
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # otherwise Ray replaces 127.0.0.1 by an address of the network
    }


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, which the processes of Ray inherit, and restore them."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Ray from writing about lost machines to the standard output, which it does in spite of its settings."""
    worker: Any = import_module("ray._private.worker")
    name = "print_to_stdstream"
    before = getattr(worker, name, None)
    if before is None:  # another version of Ray
        yield
        return
    setattr(worker, name, lambda *_, **__: None)
    try:
        yield
    finally:
        setattr(worker, name, before)


@contextmanager
def _own_handlers() -> Iterator[None]:
    """Keep what this program does on SIGTERM: connecting to Ray replaces it."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if is_main and before is not None:
            signal.signal(signal.SIGTERM, before)
