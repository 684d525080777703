"""Plug-in tables: built-in names, entry points of installed packages, and their errors."""

from pathlib import Path

import pytest

from core import plugins
from core.errors import PluginError
from core.plugins import PluginTable
from tests.support.distributions import install_plugin

GROUP = "sightline.test_shapes"


@pytest.fixture
def table() -> PluginTable[type]:
    return PluginTable(
        GROUP, {"counter": "collections:Counter", "path": "pathlib:Path"}, lambda it: isinstance(it, type)
    )


def test_built_in_name_is_imported_when_asked_for(table: PluginTable[type]) -> None:
    assert table.get("path") is Path
    assert table.names() == ("counter", "path")


def test_unknown_name_is_none(table: PluginTable[type]) -> None:
    assert table.get("circle") is None


def test_installed_package_adds_a_name(
    table: PluginTable[type], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "class Circle:\n    sides = 0\n"
    install_plugin(tmp_path, monkeypatch, group=GROUP, name="circle", target="shape_plugin:Circle", source=source)
    assert table.names() == ("counter", "path", "circle")
    circle = table.get("circle")
    assert circle is not None
    assert circle.__dict__["sides"] == 0


def test_built_in_name_wins_over_a_plugin_of_the_same_name(
    table: PluginTable[type], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_plugin(
        tmp_path, monkeypatch, group=GROUP, name="path", target="path_plugin:Path", source="class Path: pass\n"
    )
    assert table.get("path") is Path
    assert table.names() == ("counter", "path")


def test_built_in_name_does_not_read_entry_points(table: PluginTable[type], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda **_: pytest.fail("entry points were read"))
    assert table.get("counter") is not None


ABSTRACT = """
from abc import ABC, abstractmethod


class Circle(ABC):
    @abstractmethod
    def area(self): ...
"""


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("raise ImportError('no libshape')\n", "ImportError: no libshape"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("other = 1\n", "AttributeError"),
        ("Circle = 7\n", "unexpected type int"),
        (ABSTRACT, "missing methods: area"),
    ],
    ids=["import-error", "any-error", "missing-attribute", "wrong-type", "abstract-class"],
)
def test_broken_plugin_is_named_in_the_error(
    table: PluginTable[type], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, detail: str
) -> None:
    install_plugin(tmp_path, monkeypatch, group=GROUP, name="circle", target="broken_plugin:Circle", source=source)
    with pytest.raises(PluginError, match="'circle'") as caught:
        table.get("circle")
    assert detail in caught.value.detail
    assert caught.value.target == "broken_plugin:Circle"
