"""The PostgreSQL server that tests use."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.servers

REPOSITORY = Path(__file__).parents[1]
KILLED = """
import os, signal
from tests.support.postgres import running_server
with running_server() as server:
    print(server.pid, server.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_databases_are_copies_of_a_template_and_independent_of_it(postgres_server: PostgresServer) -> None:
    import psycopg

    template = postgres_server.create_database()
    with psycopg.connect(postgres_server.url(template)) as connection:
        connection.execute("CREATE TABLE numbers (n INTEGER)")
        connection.execute("INSERT INTO numbers VALUES (1)")
    copy = postgres_server.create_database(template)
    with psycopg.connect(postgres_server.url(copy)) as connection:
        connection.execute("INSERT INTO numbers SELECT n + 1 FROM numbers")
        assert connection.execute("SELECT n FROM numbers ORDER BY n").fetchall() == [(1,), (2,)]
    with psycopg.connect(postgres_server.url(template)) as connection:
        assert connection.execute("SELECT n FROM numbers").fetchall() == [(1,)]
    for name in (copy, template):
        postgres_server.drop_database(name)


def test_the_server_ends_with_the_process_that_started_it_even_if_that_is_killed(
    postgres_server: PostgresServer,
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=REPOSITORY, capture_output=True, check=False, timeout=300
    )
    pid, folder = killed.stdout.decode().split()
    deadline = monotonic() + 60
    while _runs(int(pid)):
        assert monotonic() < deadline, "The server is still running."
        sleep(0.05)
    shutil.rmtree(Path(folder).parent)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
