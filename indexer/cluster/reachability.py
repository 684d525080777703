"""Find out whether there is a Ray cluster at an address, and whether it is still there: Ray waits without end."""

import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec

from core.errors import ClusterFailed, ClusterUnreachable, ExtraMissing

__all__ = ["AUTO", "AliveChecks", "require_answer", "require_reachable"]

AUTO = "auto"
"""The address that stands for a cluster of this machine alone, which is started for the run."""

REACH_SECONDS = 5.0
"""Time in which the address of a cluster must accept a connection."""

GONE_SECONDS = 20.0
"""Time after which a first machine that accepts no connection counts as lost."""

ANSWER_SECONDS = 60.0
"""Time in which a cluster must accept a program of this machine."""

_CONNECT = """
import sys, ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
ray.shutdown()
"""


def require_reachable(address: str) -> None:
    """Check that Ray is installed and that something listens at `address`. Nothing is started.

    Raises `ExtraMissing` and `ClusterUnreachable`.
    """
    if find_spec("ray") is None:
        raise ExtraMissing("Indexing with several machines", "ray")
    if address == AUTO:
        return
    host, colon, port = address.rpartition(":")
    if not colon or not (port.isascii() and port.isdecimal() and 0 < int(port) < 65_536) or not host or "/" in host:
        raise ClusterUnreachable(address, "an address has the form HOST:PORT, as `ray start` prints it")
    try:
        _connect(address)
    except (OSError, UnicodeError) as error:
        raise ClusterUnreachable(address, getattr(error, "strerror", None) or str(error)) from error


@dataclass(frozen=True)
class AliveChecks:
    """Addresses at which a connected cluster listens: that of its first machine, and that of Ray on this machine."""

    first: str
    here: str

    def require(self) -> None:
        """Raise `ClusterFailed` if Ray has ended on this machine, or accepts no connection on the first for a while."""
        try:
            _connect(self.here)
        except OSError as error:
            raise ClusterFailed("Ray has ended on this machine") from error
        limit = time.monotonic() + GONE_SECONDS
        while True:
            try:
                return _connect(self.first)
            except OSError as error:
                if time.monotonic() > limit:
                    raise ClusterFailed(f"its first machine ({self.first}) cannot be reached any more") from error
            time.sleep(0.5)


def _connect(address: str) -> None:
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_SECONDS).close()


def require_answer(address: str) -> None:
    """Connect to a cluster in a process of its own, which can be ended. Raises `ClusterUnreachable`.

    Within this process, a connection to a port that belongs to another program, or to a cluster that has lost the
    processes of this machine, would be tried for ever.
    """
    try:
        command = [sys.executable, "-c", _CONNECT, address]
        done = subprocess.run(command, capture_output=True, timeout=ANSWER_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        reason = f"no Ray cluster that this machine is part of has answered within {ANSWER_SECONDS:g} s"
        raise ClusterUnreachable(address, reason) from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise ClusterUnreachable(address, lines[-1] if lines else f"exit code {done.returncode}")
