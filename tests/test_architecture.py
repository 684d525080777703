"""The structure of the project: package names, layers, and what is imported when."""

import ast
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

import pytest

import sightline
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.imports import imported_modules

PACKAGES = ("cli", "core", "encoders", "indexer", "pictures", "search", "sightline", "store", "web")
SERVERS = {"psycopg", "pymilvus", "milvus_lite", "ray"}
"""What only a library on a server, or a cluster, needs."""
REPOSITORY = Path(__file__).parent.parent


@cache
def distributions() -> Mapping[str, list[str]]:
    """Return the distributions that install each package. Reading the lists of files of all of them takes a second."""
    return packages_distributions()


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_distribution_installs_our_packages(name: str) -> None:
    others = set(distributions().get(name, [])) - {"sightline"}
    assert not others, (
        f"{', '.join(others)} also installs a package called `{name}`. The files overwrite each other, and "
        "uninstalling one package deletes files of the other. Install Sightline into an environment of its own."
    )


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_is_marked_as_typed(name: str) -> None:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert (Path(spec.origin).parent / "py.typed").is_file()


def test_version_matches_the_distribution() -> None:
    assert version("sightline") == sightline.__version__


def test_help_imports_nothing_heavy() -> None:
    """An allow-list: a package added to it must be as light as these."""
    found = imported_modules("from cli.main import sightline\nsightline.main(['--help'], standalone_mode=False)")
    assert found - {*PACKAGES, "click", "platformdirs"} == set()


def test_help_of_every_verb_imports_nothing_heavy() -> None:
    found = imported_modules(
        "from cli.commands.album import album\nfrom cli.commands.models import models\n"
        "from cli.main import VERBS, sightline\n"
        "verbs = [[verb] for verb in VERBS]\n"
        "verbs += [[group.name, verb] for group in (album, models) for verb in group.list_commands(None)]\n"
        "for verb in verbs: sightline.main([*verb, '--help'], standalone_mode=False)"
    )
    assert found - {*PACKAGES, "click", "platformdirs"} == set()


def test_completion_imports_nothing_heavy() -> None:
    found = imported_modules(
        "sys.argv = ['sightline']\nfrom cli.main import sightline\ntry: sightline.main()\nexcept SystemExit: pass",
        _SIGHTLINE_COMPLETE="bash_complete",
        COMP_WORDS="sightline se",
        COMP_CWORD="1",
    )
    assert found - {*PACKAGES, "click", "platformdirs"} == set()


def test_search_imports_no_heavy_module(library: Library, album: Path) -> None:
    index(library, [album], FakeEncoder())
    arguments = ["--library", str(library.path), "search", "red"]
    found = imported_modules(f"from cli.main import sightline\nsightline.main({arguments!r}, standalone_mode=False)")
    assert {"faiss", "numpy", "sqlalchemy"} <= found
    heavy = {"torch", "torchvision", "open_clip", "transformers", "alembic", "onnxruntime", "sentencepiece", "rich"}
    assert found & (heavy | SERVERS | {"pictures"}) == set()


def test_status_imports_no_model_and_no_index_run(library: Library, album: Path) -> None:
    index(library, [album], FakeEncoder())
    arguments = ["--library", str(library.path), "status"]
    found = imported_modules(
        f"from cli.main import sightline\nsightline.main({arguments!r}, standalone_mode=False)\n"
        "assert not {'indexer.pipeline', 'search.searcher', 'encoders.compiled'} & set(sys.modules)"
    )
    assert found & {"torch", "onnxruntime", "alembic", "pictures"} == set()


def test_library_packages_import_no_command_line() -> None:
    found = imported_modules(
        "import store, indexer.pipeline, indexer.filling, search.searcher, encoders.registry, pictures.reading"
    )
    assert found & ({"click", "rich", "cli", "torch", "onnxruntime", "alembic"} | SERVERS) == set()


def test_layers_import_only_lower_layers() -> None:
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


def test_public_class_names_are_unique() -> None:
    places: dict[str, list[str]] = {}
    for package in PACKAGES:
        for file in (REPOSITORY / package).rglob("*.py"):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places.setdefault(node.name, []).append(str(file.relative_to(REPOSITORY)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_libraries_that_report_are_imported_by_encoders_only() -> None:
    """Importing the package `encoders` disables it (core/telemetry.py). `indexer` does so for Ray."""
    reporting = {"onnxruntime", "rapidocr", "openvino", "huggingface_hub", "transformers", "open_clip", "timm"}
    importing = set()
    for file in (file for package in PACKAGES for file in (REPOSITORY / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if {name.partition(".")[0] for name in names} & reporting:
                importing.add(file.relative_to(REPOSITORY).parts[0])
    assert importing == {"encoders"}
