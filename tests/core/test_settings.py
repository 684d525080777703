"""Default locations of the library and of models."""

from pathlib import Path

import pytest

from core.errors import HomeFolderNotFound
from core.settings import default_library, models_folder, slug


def test_library_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_LIBRARY", "/srv/photos.library")
    assert default_library() == Path("/srv/photos.library")


def test_default_library_is_in_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for value in (None, ""):
        monkeypatch.delenv("SIGHTLINE_LIBRARY", raising=False)
        if value is not None:
            monkeypatch.setenv("SIGHTLINE_LIBRARY", value)
        assert default_library().parts[-2:] == ("sightline", "library")


def test_default_library_without_a_home_folder_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs as a user without an entry in the password file."""
    for name in ("SIGHTLINE_LIBRARY", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_123)
    with pytest.raises(HomeFolderNotFound, match="SIGHTLINE_LIBRARY"):
        default_library()


def test_models_folder_from_the_environment_or_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIGHTLINE_MODELS", "/srv/models")
    assert models_folder() == Path("/srv/models")
    monkeypatch.delenv("SIGHTLINE_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert models_folder() == tmp_path / "sightline" / "models"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("ViT-B-32/laion2b_s34b_b79k", "ViT-B-32--laion2b_s34b_b79k"),
        (" hf-hub:org/name ", "hf-hub:org--name"),
        ("../../etc", "--..--etc"),
        ("..", "--"),
        (".hidden", "hidden"),
        ("a\\b", "a--b"),
    ],
)
def test_model_subfolder_is_a_single_visible_name(name: str, folder: str) -> None:
    assert slug(name) == folder
    assert Path(folder).name == folder
