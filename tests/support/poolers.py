"""PgBouncer in front of a server for tests."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from tests.support.postgres import UNPRIVILEGED, PostgresServer
from tests.support.tools import miss

__all__ = ["PoolMode", "running_pooler"]

START_SECONDS = 60.0
STOP_SECONDS = 60.0

CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server_port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 20
server_round_robin = {in_turn:d}
logfile = {folder}/pgbouncer.log
"""


PoolMode: TypeAlias = Literal["session", "transaction"]


@contextmanager
def running_pooler(server: PostgresServer, url: str, mode: PoolMode, *, in_turn: bool = False) -> Iterator[str]:
    """Start PgBouncer in a mode; yield `url`, a database of `server`, with its port.

    With `in_turn`, it gives the session that has been free longest, instead of the one that became free last.
    """
    program = shutil.which("pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if program is None:
        miss("pgbouncer", "it is not installed.")
    parts = urlsplit(url)
    port = _free_port()
    # With `auth_type = any`, PgBouncer logs in as one user, whichever the client names.
    folder = Path(tempfile.mkdtemp(prefix="sightline-pgbouncer-"))  # the folder of pytest is closed to other users
    configuration = folder / f"{mode}.ini"
    configuration.write_text(
        CONFIGURATION.format(
            server_port=server.port, user=parts.username, port=port, mode=mode, folder=folder, in_turn=in_turn
        )
    )
    command = [program, "-q", str(configuration)]
    if os.geteuid() == 0:  # as which it refuses to run
        folder.chmod(0o777)
        command += ["-u", UNPRIVILEGED]
    process = subprocess.Popen(command, stdout=sys.stderr, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        _wait_for(process, port)
        yield parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}").geturl()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
        shutil.rmtree(folder)


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = monotonic() + START_SECONDS
    while process.poll() is None and monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            sleep(0.02)
    raise RuntimeError("PgBouncer does not start.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
