"""`sightline mcp` as a process, with the client of the SDK."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from tests.support.processes import SCRIPT, Cli

pytestmark = pytest.mark.processes

Paint = Callable[..., list[Path]]
PATIENCE_SECONDS = 90


def test_assistant_searches_over_standard_input_and_output(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "photos", red="red", blue="blue")
    cli.index_in_process(tmp_path / "photos")
    server = StdioServerParameters(command=str(SCRIPT), args=["--library", str(cli.library), "mcp"])

    async def ask() -> dict[str, Any]:
        async with Client(server, read_timeout_seconds=PATIENCE_SECONDS) as client:
            return dict((await client.call_tool("search", {"query": "blue", "k": 1})).structured_content or {})

    found = anyio.run(ask)
    assert [Path(each["path"]).name for each in found["pictures"]] == ["blue.png"]


def test_server_ends_with_its_input_and_prints_nothing(cli: Cli, tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "photos", red="red")
    cli.index_in_process(tmp_path / "photos")
    ended = subprocess.run(
        [SCRIPT, "--library", cli.library, "mcp"],
        input=b"",
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_library_that_does_not_exist_is_an_error(cli: Cli) -> None:
    assert b"There is no library" in cli("mcp", code=2).stderr
