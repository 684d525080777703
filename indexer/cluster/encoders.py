"""Embed batches with the processes of a cluster that have the model."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from core.errors import ClusterFailed, DecoderCrashed, MachineUnfit
from core.space import Space
from encoders.compiled.choice import RUNTIME_VARIABLE
from encoders.placement import DEVICE_VARIABLE, PRECISION_VARIABLE, Placement
from indexer.cluster.connection import ClusterMachine, RayCluster
from indexer.cluster.encoder_process import EncoderFacts, EncoderProcess, LoadEncoder
from indexer.cluster.losses import is_lost, raised
from indexer.cluster.readers import RemoteReading
from store.ingest.batch_writer import FileOutcome, Rejected

__all__ = ["ClusterEncoders", "EncoderTask", "ModelChoice", "ReadAgain", "open_encoders"]

ReadAgain: TypeAlias = Callable[[Sequence[RemoteReading]], list[RemoteReading]]
"""Reads the files of some readings again."""

LOSSES_TOGETHER = 3
"""Lost processes after which the files of a batch are embedded one by one, and after as many more a file counts as the
cause."""

MAX_LOST_PIXELS = 10
"""How often the pixels of a batch are read again that were lost with a machine."""

GPU_BATCHES = 2
"""Batches that a process with a GPU takes at once, so that one is copied to it while another is computed."""

MAX_STARTS = 5
"""How often a process is started on a machine that ends before it has loaded the model."""


def _chosen_variables() -> Mapping[str, str]:
    """Return what the environment of this process says about where and how models run."""
    names = (DEVICE_VARIABLE, PRECISION_VARIABLE, RUNTIME_VARIABLE)
    return {name: os.environ[name] for name in names if os.environ.get(name)}


@dataclass(frozen=True)
class ModelChoice:
    """The model of a run: how a process loads it, its space, and where it should run.

    `variables` are the environment variables that decide about the rest. They replace those of other machines, so that
    all compute in the same way.
    """

    load: LoadEncoder
    space: Space
    placement: Placement
    variables: Mapping[str, str] = field(default_factory=_chosen_variables)

    @property
    def may_use_gpu(self) -> bool:
        """Whether neither the caller nor the environment has asked for another device."""
        device = self.placement.requested_device
        return device is None or device.startswith("cuda")


@dataclass(eq=False)
class _Process:
    """A process that has the model. `tasks` are the batches that it has not returned yet."""

    machine: ClusterMachine
    actor: Any
    facts: Any
    tasks: list["EncoderTask"] = field(default_factory=list)


@dataclass(eq=False)
class EncoderTask:
    """A batch that is being embedded by `process`, which may have been lost several times."""

    readings: Sequence[RemoteReading]
    process: _Process | None = None
    result: Any = None
    losses: int = 0
    lost_pixels: int = 0


class ClusterEncoders:
    """The processes with the model: one for each GPU, or one for each machine if there is none.

    One that ends is replaced, and its batches are embedded again. `notice` is told about a lost machine. Raises
    `MachineUnfit` if a machine cannot run the model, and `ClusterFailed`.
    """

    def __init__(self, cluster: RayCluster, model: ModelChoice, notice: Callable[[str], None]) -> None:
        self._notice = notice
        self._cluster = cluster
        self._ray = cluster.ray
        self._model = model
        machines = cluster.machines()
        self._uses_gpus = model.may_use_gpu and any(machine.gpus for machine in machines)
        self._class = self._ray.remote(EncoderProcess)
        started = [self._start(machine) for machine in self._places(machines)]
        known = {process: self._facts(process) for process in started}
        facts = [each for each in known.values() if each is not None]
        self._processes = [process for process, each in known.items() if each is not None]
        self._require_any()
        if len({each.precision for each in facts}) > 1:
            found = ", ".join(sorted({f"{each.machine} {each.precision}" for each in facts}))
            raise MachineUnfit(facts[0].machine, f"the machines choose different precisions ({found}); name one")
        self.batch_size = min(each.batch_size for each in facts)
        self.capacity = sum(each.batches_in_flight + 1 for each in facts)
        """The number of batches to submit before the first result is taken, so that no process is idle."""

    def submit(self, readings: Sequence[RemoteReading]) -> EncoderTask:
        """Start embedding a batch."""
        task = EncoderTask(readings)
        self._send(task)
        return task

    def result(self, task: EncoderTask, read_again: ReadAgain) -> list[FileOutcome]:
        """Return the outcomes of a batch. `read_again` reads files whose pixels were lost with a machine.

        Raises `ClusterFailed`, `MachineUnfit`, and `RuntimeError` for a failure of Sightline itself.
        """
        while True:
            try:
                outcomes: list[FileOutcome] = self._cluster.get(task.result)
            except self._ray.exceptions.RayError as error:
                if not is_lost(self._ray, error):
                    raise raised(self._ray, error) from error
                self._recover(task, error, read_again)
            else:
                self._leave(task)
                return outcomes
            if task.losses >= LOSSES_TOGETHER and len(task.readings) > 1:
                return [
                    outcome
                    for reading in task.readings
                    for outcome in self.result(self._send(EncoderTask([reading])), read_again)
                ]
            if task.losses >= LOSSES_TOGETHER:
                return [_crashed(reading, task.losses) for reading in task.readings]
            self._send(task)

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            self._ray.kill(process.actor)

    def _send(self, task: EncoderTask) -> EncoderTask:
        """Give a batch to the process that has the fewest."""
        process = min(self._processes, key=lambda each: len(each.tasks))
        process.tasks.append(task)
        task.process = process
        stored = [() if reading.stored is None else reading.stored for reading in task.readings]
        plain = [replace(reading, item=None, stored=None) for reading in task.readings]
        task.result = process.actor.embed.remote(plain, *stored)
        return task

    def _leave(self, task: EncoderTask) -> None:
        if task.process is not None:
            task.process.tasks.remove(task)
        task.process = None

    def _recover(self, task: EncoderTask, error: BaseException, read_again: ReadAgain) -> None:
        """Replace the process of a batch that was lost, or read its files again if their pixels were lost."""
        process = task.process
        self._leave(task)
        if process is None or not isinstance(error, self._ray.exceptions.RayActorError):
            task.readings = read_again(task.readings)
            task.lost_pixels += 1
            if task.lost_pixels == MAX_LOST_PIXELS:
                raise ClusterFailed(f"pixels were lost {MAX_LOST_PIXELS} times: {error}") from error
            return
        task.losses += 1
        self._replace(process)
        waiting, process.tasks = process.tasks, []
        for other in waiting:
            self._send(other)

    def _replace(self, process: _Process) -> None:
        """Start another process on the machine of one that has ended, or on another machine if it was the last one."""
        self._processes.remove(process)
        self._ray.kill(process.actor)  # it may only be out of reach
        machines = self._cluster.machines()
        places = [machine for machine in machines if machine.id == process.machine.id]
        for machine in places if self._processes else [*places, *self._places(machines)]:
            new = self._start(machine)
            if self._facts(new) is not None:
                self._processes.append(new)
                break
        self._require_any()
        if process.machine.id not in {each.machine.id for each in self._processes}:
            self._notice(f"the machine {process.machine.name} of the cluster is gone; the others do its work again")

    def _require_any(self) -> None:
        if not self._processes:
            raise ClusterFailed("there is no machine that can run the model")

    def _places(self, machines: Sequence[ClusterMachine]) -> list[ClusterMachine]:
        """Return the machine of each process that there should be."""
        if self._uses_gpus:
            return [machine for machine in machines for _ in range(machine.gpus)]
        return [machine for machine in machines if machine.cores]

    def _start(self, machine: ClusterMachine) -> _Process:
        """Start a process on a machine. It reserves no core: readers and the model share them, as in a local run."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        model = self._model
        placement = Placement("cuda" if self._uses_gpus else model.placement.device, model.placement.precision)
        actor = self._class.options(
            num_cpus=0,
            num_gpus=int(self._uses_gpus),
            max_restarts=0,
            max_task_retries=0,
            max_concurrency=GPU_BATCHES if self._uses_gpus else 1,
            scheduling_strategy=NodeAffinitySchedulingStrategy(machine.id, soft=False),
        ).remote(model.load, model.space, placement, model.variables)
        return _Process(machine, actor, actor.facts.remote())

    def _facts(self, process: _Process) -> EncoderFacts | None:
        """Wait until a process has loaded the model, and start it again if it ends before.

        Returns None if its machine is gone. A machine that was lost a moment ago may still be in the list.
        """
        cause = ""
        for _ in range(MAX_STARTS):
            try:
                facts: EncoderFacts = self._cluster.get(process.facts)
            except self._ray.exceptions.ActorUnschedulableError:
                return None
            except self._ray.exceptions.RayError as error:
                if not is_lost(self._ray, error):
                    raise raised(self._ray, error) from error
                cause = (str(error).strip().splitlines() or [repr(error)])[-1]
                again = self._start(process.machine)
                process.actor, process.facts = again.actor, again.facts
            else:
                if facts.refusal is not None:
                    raise MachineUnfit(facts.machine, facts.refusal)
                return facts
        raise MachineUnfit(process.machine.name, f"the process with the model ended {MAX_STARTS} times: {cause}")


@contextmanager
def open_encoders(cluster: RayCluster, model: ModelChoice, notice: Callable[[str], None]) -> Iterator[ClusterEncoders]:
    """Start the processes with the model, and end them. `notice` is called with a sentence about a lost machine."""
    encoders = ClusterEncoders(cluster, model, notice)
    try:
        yield encoders
    finally:
        with suppress(Exception):  # they end with the run in any case
            encoders.close()


def _crashed(reading: RemoteReading, losses: int) -> FileOutcome:
    """Return the failure of a file that ended each process that embedded it."""
    error = DecoderCrashed(f"the process with the model ended {losses} times while it embedded this file")
    taken = reading.outcome
    return Rejected(taken.file, taken.size, taken.mtime_ns, error.reason, error.detail, error.transient)
