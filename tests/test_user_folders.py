"""No test uses a folder of the user who runs it: what one run leaves there would change the next."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.evaluate.systems import _private_folder
from core.settings import default_library, local_folder, models_folder
from encoders.compiled.store import _roots
from encoders.fake import FakeEncoder
from tests.support.user_folders import left_in, use_new_home
from web.settings import ServeSettings

REPOSITORY = Path(__file__).parents[1]


def test_default_folders_are_those_of_the_test(tmp_path: Path) -> None:
    folders = [default_library(), local_folder(), models_folder(), *_roots(), ServeSettings().cache]
    folders.append(_private_folder(Path("data"), FakeEncoder()))
    assert [folder for folder in folders if not folder.is_relative_to(tmp_path)] == []


def test_the_home_folder_of_a_run_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.setenv(name, os.environ[name])  # restored at the end
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("SIGHTLINE_DEVICE", "cuda")
    monkeypatch.setenv("SIGHTLINE_TEST_IMAGES", "kept")
    first = Path.home()
    delete = use_new_home()
    home = Path.home()
    assert home != first
    assert list(home.iterdir()) == []
    assert {"HF_TOKEN", "PGPASSWORD", "SIGHTLINE_DEVICE"} & set(os.environ) == set()
    assert os.environ["SIGHTLINE_TEST_IMAGES"] == "kept"
    delete()
    assert not home.exists()


def test_what_tests_leave_in_the_home_folder_is_noticed(tmp_path: Path) -> None:
    for name in ("sightline", "intel/openvino_ga_cid", "Microsoft/.onnxruntime", "chromium"):
        (tmp_path / ".cache" / name).mkdir(parents=True)
    found = [path.relative_to(tmp_path).as_posix() for path in left_in(tmp_path)]
    assert found == [".cache/Microsoft/.onnxruntime", ".cache/intel/openvino_ga_cid", ".cache/sightline"]


def test_a_run_that_leaves_something_in_the_home_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "test_home.py").write_text(
        "from pathlib import Path\n\ndef test_leaves_a_file():\n    Path.home().joinpath('.sightline').touch()\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-c",
        str(tmp_path / "pytest.ini"),
        str(tmp_path),
    ]
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "FAILED: a test has left ~/.sightline in the home folder" in done.stdout
    assert done.returncode == 1
