"""Exports that are imported when they are used."""

import pkgutil
import subprocess
import sys
from importlib import import_module
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


def test_an_export_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("package")
    monkeypatch.setitem(sys.modules, "package", package)
    package.__getattr__ = lazy_exports("package", {"sqrt": "math"})  # type: ignore[method-assign]
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
