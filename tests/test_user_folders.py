"""No test uses a folder of the user who runs it: what one run leaves there would change the next."""

import subprocess
import sys
from pathlib import Path

import pytest

DEFAULT_FOLDERS = """
from core.settings import default_library, local_folder, models_folder
from encoders.compiled.store import _roots
from encoders.fake import FakeEncoder
from cli.evaluate.systems import _private_folder
from pathlib import Path
from web.settings import ServeSettings

folders = [default_library(), local_folder(), models_folder(), *_roots(), ServeSettings().cache]
print(*folders, _private_folder(Path("data"), FakeEncoder()), sep="\\n")
"""


def default_folders() -> list[Path]:
    """Return each folder that Sightline uses when it is given none, as another process finds it."""
    done = subprocess.run([sys.executable, "-c", DEFAULT_FOLDERS], capture_output=True, text=True, check=True)
    return [Path(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def of_the_module() -> list[Path]:
    return default_folders()


def test_no_test_uses_a_folder_of_the_user(tmp_path: Path) -> None:
    folders = default_folders()
    assert len(folders) == 7
    assert all(folder.is_relative_to(tmp_path) for folder in folders), folders


def test_no_fixture_of_a_module_uses_a_folder_of_the_user(
    of_the_module: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert len(of_the_module) == 7
    assert all(folder.is_relative_to(tmp_path_factory.getbasetemp()) for folder in of_the_module), of_the_module
