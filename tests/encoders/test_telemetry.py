"""ONNX Runtime reports nothing to its makers. From version 1.29 on it does, unless it is told not to."""

import os
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

from encoders.onnx_session import open_session
from encoders.telemetry import VARIABLES, disable_telemetry

REPOSITORY = Path(__file__).parents[2]
COMMAND = "import sys; from cli.main import main; sys.argv = {words}; main()"

PROGRAMS = {
    "vectors": "from encoders import registry; registry.load('mini').encode_texts(['a dog'])",
    "a command": COMMAND.format(words=["sightline", "models", "info", "mini"]),
    "another library": "import encoders, onnxruntime",
}


def left_by(program: str, home: Path) -> list[str]:
    """Run a program as a user does, not a build server, and return what ONNX Runtime leaves in the home folder.

    If it reports anything, an identifier of the machine and events that were not sent yet are there.
    """
    home.mkdir()
    subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    return [str(path) for path in home.rglob("*") if "onnxruntime" in path.name]


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_program_reports_its_use(name: str, tmp_path: Path) -> None:
    assert left_by(PROGRAMS[name], tmp_path / "home") == []


def test_what_reports_its_use_is_noticed(tmp_path: Path) -> None:
    """The test above would pass as well if ONNX Runtime kept its files elsewhere."""
    if sys.platform != "linux" or tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 29):
        pytest.skip("this build of ONNX Runtime reports nothing")
    assert left_by("import onnxruntime", tmp_path / "home") != []


def test_events_are_disabled_if_onnx_runtime_was_imported_before(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[None] = []
    monkeypatch.setattr(onnxruntime, "disable_telemetry_events", lambda: calls.append(None))
    open_session(next((REPOSITORY / "encoders/mini").rglob("*.onnx")))
    assert calls == [None]


def test_what_the_user_has_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = VARIABLES
    monkeypatch.setenv(first, "0")
    for name in others:
        monkeypatch.delenv(name)
    disable_telemetry()
    assert os.environ[first] == "0"
    assert [os.environ[name] for name in others] == [VARIABLES[name] for name in others]
