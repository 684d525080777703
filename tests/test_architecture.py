"""The house itself: its names, its layers, what it imports and when."""

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

import pytest

import sightline
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.imports import imported_modules

PACKAGES = ("cli", "core", "encoders", "indexer", "pictures", "search", "sightline", "store")
REPOSITORY = Path(__file__).parent.parent


@pytest.mark.parametrize("name", PACKAGES)
def test_the_flat_names_are_ours_alone(name: str) -> None:
    others = set(packages_distributions().get(name, [])) - {"sightline"}
    assert not others, (
        f"{', '.join(others)} also installs a package called `{name}`: files of the two overwrite each other, and "
        "uninstalling one takes from the other. Give Sightline an environment of its own (venv, pipx, uv tool)."
    )


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_says_that_it_is_typed(name: str) -> None:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert (Path(spec.origin).parent / "py.typed").is_file()


def test_the_version_is_that_of_the_distribution() -> None:
    assert version("sightline") == sightline.__version__


def test_help_imports_nothing_heavy() -> None:
    """An allow-list: whatever comes to it must be as light as these."""
    found = imported_modules("from cli.main import sightline\nsightline.main(['--help'], standalone_mode=False)")
    assert found - {*PACKAGES, "click", "platformdirs"} == set()


def test_completion_imports_nothing_heavy() -> None:
    found = imported_modules(
        "sys.argv = ['sightline']\nfrom cli.main import sightline\ntry: sightline.main()\nexcept SystemExit: pass",
        _SIGHTLINE_COMPLETE="bash_complete",
        COMP_WORDS="sightline se",
        COMP_CWORD="1",
    )
    assert found - {*PACKAGES, "click", "platformdirs"} == set()


def test_a_search_imports_only_what_it_needs(library: Library, album: Path) -> None:
    index(library, [album], FakeEncoder())
    arguments = ["--library", str(library.path), "search", "red"]
    found = imported_modules(f"from cli.main import sightline\nsightline.main({arguments!r}, standalone_mode=False)")
    assert {"faiss", "numpy", "sqlalchemy"} <= found
    heavy = {"torch", "torchvision", "open_clip", "transformers", "alembic", "onnxruntime", "sentencepiece", "rich"}
    assert found & (heavy | {"pictures"}) == set()


def test_the_library_imports_no_command_line() -> None:
    found = imported_modules("import store, indexer, search, encoders, pictures")
    assert found & {"click", "rich", "cli", "torch", "onnxruntime", "alembic"} == set()


def test_upper_floors_import_lower_floors_only() -> None:
    pytest.importorskip("importlinter")
    if not (REPOSITORY / "pyproject.toml").is_file():
        pytest.skip("the contracts are in the checkout")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("package", ["cli", "core", "encoders", "indexer", "pictures", "search", "sightline", "web"])
def test_only_store_imports_sqlalchemy(package: str) -> None:
    """Other packages call functions of `store`. The web application handles one error of the connection pool."""
    allowed = {"web/errors.py"}
    for path in sorted((REPOSITORY / package).rglob("*.py")):
        if path.relative_to(REPOSITORY).as_posix() in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(module.partition(".")[0] == "sqlalchemy" for module in modules), path
