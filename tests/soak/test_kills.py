"""The soak of kills, for a short time. benchmarks/README.md has the figures of a long one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = int(os.environ.get("SIGHTLINE_KILLS", "40"))


@pytest.mark.slow
@pytest.mark.processes
def test_nothing_is_lost_whenever_a_command_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.soak.kills", "--kills", str(KILLS), "--keep", str(tmp_path / "soak")]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
