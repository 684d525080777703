"""Options of `sightline serve` that are refused before a server starts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Sightline = Callable[..., Any]


@pytest.mark.parametrize("template", ["tiles.example.org", "https://tiles.example.org/{z}/{x}.png"])
def test_invalid_url_of_map_tiles_is_refused(sightline: Sightline, filled: Path, template: str) -> None:
    result = sightline("serve", "--map-tiles", template)
    assert (result.code, result.out) == (2, b"")
    assert f"'{template}' is not a URL of map tiles" in result.err
    assert "https://tiles.example.org/{z}/{x}/{y}.png" in result.err


def test_attribution_needs_map_tiles(sightline: Sightline, filled: Path) -> None:
    result = sightline("serve", "--map-attribution", "© Example")
    assert result.code == 2
    assert "--map-tiles" in result.err


def test_allowed_folder_must_exist(sightline: Sightline, filled: Path) -> None:
    result = sightline("serve", "--allow-folder", "/no/such/folder")
    assert result.code == 2
    assert "'/no/such/folder' does not exist" in result.err


def test_allowed_folders_are_absolute_and_let_clients_index_with_a_token(
    sightline: Sightline, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    given = []
    monkeypatch.setattr("web.server.run", lambda library, settings, ready: given.append(settings))  # noqa: ARG005
    sightline("serve", "--token", "0123456789abcdef", "--allow-folder", "photos")
    sightline("serve", "--token", "0123456789abcdef")
    assert [settings.allowed_folders for settings in given] == [(tmp_path / "photos",), ()]
    assert [settings.may_index_folders for settings in given] == [True, False]
    assert not any(settings.may_use_any_folder for settings in given)


def test_options_for_several_servers(
    sightline: Sightline, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    monkeypatch.setattr("web.server.run", lambda library, settings, ready: given.append(settings))  # noqa: ARG005
    monkeypatch.setenv("SIGHTLINE_SHARED", "")
    sightline("serve")
    sightline("serve", "--shared", tmp_path, "--no-jobs")
    assert [(settings.shared, settings.run_jobs) for settings in given] == [(None, True), (tmp_path, False)]
    missing = sightline("serve", "--shared", tmp_path / "nothing")
    assert (missing.code, "does not exist" in missing.err) == (2, True)
