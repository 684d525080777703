"""Where a library lives when nobody says."""

from pathlib import Path

import pytest

from sightline.errors import NoHomeFolder
from sightline.settings import default_library


def test_the_environment_names_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_LIBRARY", "/srv/photos.library")
    assert default_library() == Path("/srv/photos.library")


def test_without_a_word_it_lies_in_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for value in (None, ""):
        monkeypatch.delenv("SIGHTLINE_LIBRARY", raising=False)
        if value is not None:
            monkeypatch.setenv("SIGHTLINE_LIBRARY", value)
        assert default_library().parts[-2:] == ("sightline", "library")


def test_without_a_home_folder_there_is_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs as a user nobody has heard of."""
    for name in ("SIGHTLINE_LIBRARY", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_123)
    with pytest.raises(NoHomeFolder, match="SIGHTLINE_LIBRARY"):
        default_library()
