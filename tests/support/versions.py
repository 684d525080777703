"""A second, newer version of the built-in model: the newest that ships, with other preprocessing."""

import json
from pathlib import Path

import pytest

from core.space import weights_of_version
from encoders.mini import encoder as mini

__all__ = ["NEWER", "install_newer_mini"]

NEWER = "99"
"""The version of the newer model."""


def install_newer_mini(folder: Path, monkeypatch: pytest.MonkeyPatch, **card: object) -> Path:
    """Make `mini` 99 the newest version, from files in `folder`; `card` replaces fields of its `model.json`."""
    old = mini.VERSIONS[0]
    folder.mkdir()
    for file in old.iterdir():
        (folder / file.name).symlink_to(file)
    fields = json.loads((old / "model.json").read_text(encoding="utf-8"))
    other_pixels = {**fields["preprocess"], "mean": [0.2, 0.5, 0.7]}
    fields |= {"version": NEWER, "digest": 64 * "9", "preprocess": other_pixels, **card}
    _replace(folder / "model.json", fields)
    calibration = json.loads((old / "calibration.json").read_text(encoding="utf-8"))
    _replace(folder / "calibration.json", calibration | {"weights": weights_of_version(NEWER, 64 * "9")})
    monkeypatch.setattr(mini, "VERSIONS", (folder, *mini.VERSIONS))
    return folder


def _replace(file: Path, content: dict[str, object]) -> None:
    file.unlink()  # not the file that the link points to
    file.write_text(json.dumps(content), encoding="utf-8")
