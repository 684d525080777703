"""Start Ray on this machine for a run, or connect to a cluster, and end that in any case.

Ray is told to be quiet and to send nothing home: no usage statistics, no dashboard, no output of its processes. What it
starts here listens on the loopback interface only, and asks for a token that exists in memory only.
"""

import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from core.errors import ClusterFailed, ClusterUnreachable, MachineUnfit
from core.version import __version__
from indexer.cluster.reachability import AUTO, AliveChecks, require_answer, require_reachable
from indexer.cluster.temporary_folders import temporary_folder

__all__ = ["ClusterMachine", "RayCluster", "open_cluster"]

PROBE_SECONDS = 120.0
"""Time in which each machine must have started a process."""

CHECK_SECONDS = 5.0
"""Interval at which a run that waits looks whether Ray is still there."""

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
    """The module `ray`, connected to a cluster. All methods raise `ClusterFailed` if Ray has ended on this machine, or
    on the first one."""

    ray: Any
    alive: AliveChecks

    def first_settled(self, results: Sequence[Any], waiting: Callable[[float], None] = lambda _: None) -> Any:
        """Return one of `results` as soon as its task has ended or was lost.

        `waiting` is called every few seconds with the seconds since the call.
        """
        started = time.monotonic()
        while True:
            settled, _ = self.ray.wait(list(results), num_returns=1, timeout=CHECK_SECONDS)
            if settled:
                return settled[0]
            self.alive.require()
            waiting(time.monotonic() - started)

    def get(self, result: Any) -> Any:
        """Return what a task has returned, or raise what `ray.get` raises."""
        return self.ray.get(self.first_settled([result]))

    def machines(self) -> list[ClusterMachine]:
        """Return the machines that are there now."""
        self.alive.require()
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
    with _environment(_loopback() if is_auto else _QUIET), _own_handlers() as set_handler:
        import ray

        if ray.is_initialized():
            yield _connected(ray)
            return
        with ExitStack() as stack:
            if is_auto:
                settings = {
                    "address": "local",
                    "num_cpus": cores,
                    "object_store_memory": memory,
                    "include_dashboard": False,
                    "_node_ip_address": "127.0.0.1",
                    "_temp_dir": str(stack.enter_context(temporary_folder())),
                }
            else:
                require_answer(address)
                settings = {"address": address}
            stack.callback(_shut_down, ray)
            with _cluster_errors(address):
                ray.init(**settings, log_to_driver=False, logging_level="ERROR")
            set_handler()
            cluster = _connected(ray)
            if not is_auto:
                _require_same_version(cluster)
            with _silence():
                yield cluster


def _connected(ray: Any) -> RayCluster:
    """Return the cluster that this process is connected to."""
    context = ray.get_runtime_context()
    own = {node["NodeID"]: node for node in ray.nodes()}[context.get_node_id()]
    return RayCluster(ray, AliveChecks(context.gcs_address, f"{own['NodeManagerAddress']}:{own['NodeManagerPort']}"))


def _shut_down(ray: Any) -> None:
    with suppress(Exception):  # the first error is the one to report
        ray.shutdown()


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
    name, worker = "print_to_stdstream", None
    with suppress(ImportError):
        worker = import_module("ray._private.worker")
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
def _own_handlers() -> Iterator[Callable[[], None]]:
    """Keep what this program does on SIGTERM: connecting to Ray replaces it, by a function that prints a stack.

    Yields a function to call after connecting. Where SIGTERM would have ended the program at once, it ends the run
    in order.
    """
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)

    def set_handler() -> None:
        if is_main and before is not None:
            signal.signal(signal.SIGTERM, _end if before == signal.SIG_DFL else before)

    try:
        yield set_handler
    finally:
        if is_main and before is not None:
            signal.signal(signal.SIGTERM, before)


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)
