"""Exports that are imported when they are used."""

import ast
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from core.lazy import lazy_exports

PACKAGES = ("indexer", "search", "search.evaluate")


@pytest.mark.parametrize("name", PACKAGES)
def test_every_export_can_be_imported(name: str) -> None:
    package = import_module(name)
    for export in package.__all__:
        assert getattr(package, export) is not None


@pytest.mark.parametrize("name", PACKAGES)
def test_no_export_has_the_name_of_a_module(name: str) -> None:
    """Importing the module would replace the export."""
    package = import_module(name)
    assert {module.name for module in pkgutil.iter_modules(package.__path__)} & set(package.__all__) == set()


@pytest.mark.parametrize("name", PACKAGES)
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'Nothing'"):
        _ = import_module(name).Nothing


@pytest.mark.parametrize("name", PACKAGES)
def test_exports_are_listed_before_they_are_used(name: str) -> None:
    """`dir` is what completion and `help` show."""
    code = f"import {name} as package\nprint(*set(package.__all__) - set(dir(package)), 'Nothing' in dir(package))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@pytest.mark.parametrize("name", [*PACKAGES, "sightline"])
def test_type_checkers_find_misspelt_exports(name: str) -> None:
    """They accept any name of a package in which they see a `__getattr__`."""
    tree = ast.parse(Path(import_module(name).__file__ or "").read_text(encoding="utf-8"))
    hidden = [each for each in tree.body if isinstance(each, ast.If) and ast.unparse(each.test) == "not TYPE_CHECKING"]
    seen = [each for each in tree.body if each not in hidden]
    assert not any("__getattr__" in ast.unparse(each) for each in seen)
    assert "__getattr__" in ast.unparse(hidden[0])


def test_an_export_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("package")
    monkeypatch.setitem(sys.modules, "package", package)
    package.__getattr__, _ = lazy_exports("package", {"sqrt": "math"})  # type: ignore[method-assign]
    assert "sqrt" not in vars(package)
    assert package.sqrt(4) == 2
    assert "sqrt" in vars(package)


def test_a_package_imports_its_modules_when_they_are_used() -> None:
    code = (
        "import sys, indexer, search\n"
        "print(*sorted(name for name in sys.modules if name.startswith(('indexer.', 'search.'))))\n"
        "from indexer import Progress\nprint('indexer.summary' in sys.modules, 'indexer.pipeline' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["", "True False"]
