"""Small installed packages, for tests of plug-ins."""

import importlib
import sys
from pathlib import Path

import pytest

__all__ = ["install_plugin"]


def install_plugin(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, group: str, name: str, target: str, source: str
) -> None:
    """Install a distribution into `folder` that holds one module and one entry point, and put it on `sys.path`.

    `target` is `module:attribute`; `source` is the text of the module.
    """
    module = target.partition(":")[0]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, module, raising=False)
