"""ONNX Runtime reports nothing to its makers. From version 1.29 on it does, unless it is told not to."""

import os
import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest

from encoders.onnx_session import open_session

REPOSITORY = Path(__file__).parents[2]

PROGRAMS = {
    "a command": "import sys; from cli.main import main; sys.argv[1:] = {command}; main()",
    "the API": "from sightline import load_model; load_model('mini').encode_texts(['a dog'])",
    "both libraries": "import sightline, onnxruntime",
    "a package alone": "import encoders, onnxruntime",
    "a step of the training": "import training, onnxruntime",
}
COMMAND = ["--library", "library", "index", str(REPOSITORY / "examples/gallery/reef")]


def left_by(program: str, home: Path) -> list[str]:
    """Run a program as a user does, not a build server, and return what ONNX Runtime leaves in the home folder.

    If it records anything to send, an identifier of the machine and the events are there.
    """
    home.mkdir()
    noted = f"import atexit, sys; atexit.register(lambda: print('onnxruntime' in sys.modules)); {program}"
    done = subprocess.run(
        [sys.executable, "-c", noted],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "HOME": str(home),
            "https_proxy": "http://127.0.0.1:9",  # nothing listens there
        },
        cwd=home,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split()[-1] == "True", "the program did not import ONNX Runtime"
    return [str(path) for path in home.rglob("*") if "onnxruntime" in path.name]


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_program_reports_its_use(name: str, tmp_path: Path) -> None:
    assert left_by(PROGRAMS[name].format(command=COMMAND), tmp_path / "home") == []


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
