"""The folders of the user who runs the tests: no test reads them, and none leaves anything there.

What one run leaves would change the next. All tests of a run share an empty home folder, and the fixtures of whole
modules the folders that Sightline uses by default; they are deleted at the end. Each test has default folders of its
own within its temporary folder.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from core.errors import HomeFolderNotFound
from core.settings import models_folder

__all__ = ["left_in", "use_folders_below", "use_new_home"]

OF_TESTS = re.compile("SIGHTLINE_(TEST_.*|EXAMPLES|KILLS|REQUIRED_TOOLS|WEIGHTS)")
"""Variables that say how tests are run."""

OF_USER = re.compile(
    "SIGHTLINE_.*|XDG_(CACHE|CONFIG|DATA|STATE)_HOME|HF_(?!HUB_DISABLE_TELEMETRY).*|HUGGING.*|AWS_.*|PG[A-Z]+"
)
"""Variables that name folders, servers or secrets of the user, or are the user's settings."""

OF_SIGHTLINE = re.compile("sightline|onnxruntime|openvino", re.IGNORECASE)
"""Names of what Sightline leaves in a home folder, or libraries that report their use. Browsers leave other files."""


def use_new_home() -> Callable[[], None]:
    """Give this process and those that it starts an empty home folder and other default folders.

    Return a function that deletes them. `SIGHTLINE_WEIGHTS` still names the models of the user.
    """
    with suppress(HomeFolderNotFound):
        os.environ.setdefault("SIGHTLINE_WEIGHTS", str(models_folder()))
    for name in list(os.environ):
        if OF_USER.fullmatch(name) and not OF_TESTS.fullmatch(name):
            del os.environ[name]
    folder = Path(tempfile.mkdtemp(prefix="sightline-tests-"))
    (folder / "home").mkdir()
    os.environ["HOME"] = str(folder / "home")
    use_folders_below(folder, os.environ.__setitem__)
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def left_in(home: Path) -> list[Path]:
    """Return what tests have left in a home folder, and should have put into other folders."""
    return sorted(path for path in home.rglob("*") if OF_SIGHTLINE.search(path.name))


def use_folders_below(folder: Path, set_variable: Callable[[str, str], None]) -> None:
    """Replace the folders that Sightline has by default in the home folder. They do not exist yet."""
    set_variable("SIGHTLINE_LIBRARY", str(folder / "default-library"))
    set_variable("SIGHTLINE_MODELS", str(folder / "models"))
    set_variable("SIGHTLINE_LOCAL", str(folder / "servers"))
    set_variable("XDG_CACHE_HOME", str(folder / "user-cache"))
