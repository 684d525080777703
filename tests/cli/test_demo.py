"""`sightline demo`, with a gallery of four colours and the fake model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.demonstration import QUERIES
from store import Library


def test_demo_runs_queries_and_writes_sheets(
    sightline: Callable[..., Any], album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.demonstration._gallery", lambda: album)
    monkeypatch.setattr("encoders.registry.DEFAULT_MODEL", "fake")
    for _ in range(2):  # the second run embeds nothing
        answer = sightline("demo", "--out", tmp_path / "demo")
        assert (answer.code, answer.err) == (0, "")
        for language, question in QUERIES:
            assert f"$ sightline search {question}    ({language})" in answer.lines
        assert "4 pictures in" in answer.text
        assert "index ~/Pictures" in answer.text
    assert "0 embedded" in answer.text
    assert (tmp_path / "demo" / "sheet.png").stat().st_size > 1000
    page = (tmp_path / "demo" / "sheet.html").read_text(encoding="utf-8")
    assert page.count("<h2") == len(QUERIES) + 1


def test_demo_works_after_model_update(
    sightline: Callable[..., Any], album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.demonstration._gallery", lambda: album)
    monkeypatch.setattr("encoders.registry.DEFAULT_MODEL", "fake")
    for version in (1, 2):
        monkeypatch.setattr("encoders.preprocess.Preprocess.as_dict", lambda _, version=version: {"version": version})
        answer = sightline("demo", "--out", tmp_path / "demo")
        assert (answer.code, answer.err) == (0, "")
        assert "4 embedded" in answer.text


@pytest.mark.parametrize("found", [True, False])
def test_demo_prints_how_to_browse_gallery(
    sightline: Callable[..., Any], album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    monkeypatch.setattr("cli.demonstration._gallery", lambda: album)
    monkeypatch.setattr("encoders.registry.DEFAULT_MODEL", "fake")
    monkeypatch.setattr("cli.demonstration.find_spec", lambda name: name if found else None)
    answer = sightline("demo", "--out", tmp_path / "demo")
    (command,) = [line for line in answer.lines if " serve --library " in line]
    library = Path(command.partition("--library ")[2].removesuffix(" --open"))
    assert Library.exists(library)
    installs = [line for line in answer.lines if " install " in line]
    assert (installs == []) if found else ("[web]" in installs[0] and installs[0].split()[-2] == "-e")
