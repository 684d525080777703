"""Ray on this machine for tests, its processes, and models and files that end them."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import DeviceUnavailable
from core.space import Space
from encoders.base import Encoder
from encoders.fake import FakeEncoder
from encoders.placement import Placement
from encoders.preprocess import Preprocess
from tests.support.readers import Misbehaving

__all__ = [
    "MisbehavingEncoder",
    "Occupant",
    "SmallBatches",
    "kill",
    "load_as_environment_says",
    "load_misbehaving",
    "load_mistaken",
    "load_small_batches",
    "ray_processes",
]


class SmallBatches(FakeEncoder):
    """Has batches of eight pictures, so that runs have several."""

    def __init__(self) -> None:
        super().__init__(batch_size=8)


class MisbehavingEncoder(FakeEncoder):
    """Reads with a preprocessing that crashes at pictures of certain widths, and ends its process at black ones."""

    def __init__(self) -> None:
        super().__init__(batch_size=4)
        self.preprocess: Preprocess = Misbehaving(size=8, mean=(0, 0, 0), std=(1, 1, 1), fit="squash")

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        if any(not picture.any() for picture in pixels):
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().forward_images(pixels)


def load_small_batches(space: Space, placement: Placement) -> Encoder:
    return SmallBatches()


def load_misbehaving(space: Space, placement: Placement) -> Encoder:
    return MisbehavingEncoder()


def load_as_environment_says(space: Space, placement: Placement) -> Encoder:
    """Refuse, and tell which runtime the environment of this process asks for."""
    raise DeviceUnavailable("this one", f"SIGHTLINE_RUNTIME is {os.environ.get('SIGHTLINE_RUNTIME')}")


class Occupant:
    """A program of others that keeps cores."""

    def ready(self) -> bool:
        return True


def load_mistaken(space: Space, placement: Placement) -> Encoder:
    """Return a model that is not the one of the run."""
    from encoders.registry import load

    return load("mini", placement)


def ray_processes(name: str) -> list[int]:
    """Return the processes that Ray has started for this one and whose names begin with `name`, such as `ray::`."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = (folder / "cmdline").read_text().partition("\0")[0]
    return sorted(pid for pid in parents if names.get(pid, "").startswith(name) and os.getpid() in above(pid, parents))


def above(pid: int, parents: dict[int, int]) -> Iterator[int]:
    """Yield the parent of a process, and those above it."""
    while pid in parents:
        pid = parents[pid]
        yield pid


def kill(pids: Sequence[int]) -> int:
    """Kill the first of these processes that is still there, and wait for its end; return how many were killed."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            limit = time.monotonic() + 60
            while (Path("/proc") / str(pid)).exists():
                assert time.monotonic() < limit, f"process {pid} did not end"
                time.sleep(0.01)
            return 1
    return 0
