"""The hints that the terminal adds to the library's messages."""

import sys
from pathlib import Path

import pytest

from cli.error_hints import HINTS, describe_error, hint_for, installation_of
from core import errors
from core.errors import SightlineError
from core.notices import Notice
from tests.support.errors import EXAMPLES

PATH = Path("/photos")


def test_every_hint_belongs_to_an_error_of_the_library() -> None:
    assert set(HINTS) <= set(EXAMPLES)


@pytest.mark.parametrize("kind", HINTS)
def test_every_hint_is_a_sentence(kind: type[SightlineError]) -> None:
    hint = hint_for(EXAMPLES[kind])
    assert hint.endswith(".") or kind is errors.FolderNotFound  # it has a hint for a file only


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (errors.LibraryNotFound(PATH), f"`sightline --library {PATH} index FOLDER`"),
        (errors.RootUnavailable(PATH, 70, 2), "--accept-missing"),
        (errors.HomeFolderNotFound("SIGHTLINE_LIBRARY"), "--library or SIGHTLINE_LIBRARY"),
        (errors.FolderExcluded(PATH / "a", PATH), ".sightlineignore"),
        (errors.ModelUnavailable("a/b", "its files", pull="a/b"), "sightline models pull a/b"),
        (errors.DownloadFailed("a/b", "no network", "", by_hand=True), "sightline models pull a/b --from FOLDER"),
        (errors.ImportedSpaceHasNoModel("clip"), "sightline similar"),
        (errors.SpaceMismatch("a", "b"), "sightline models use MODEL"),
        (errors.WeightsChanged("a", "b", "mini"), "sightline models use mini"),
        (errors.DeviceUnavailable("cuda:1", "its memory is too small"), "--device cpu"),
        (errors.SpaceExists("clip", is_imported=True), "--replace"),
        (errors.DamagedVectors("mini"), "sightline verify"),
        (errors.EmptyQuery(has_negative_parts=False), "--image"),
        (errors.QuerySyntax("a + + b", 4, Notice("two_operators", "Two operators"), is_operator=True), "--plain"),
        (errors.AlbumIsRanked("Rome"), "`sightline album show Rome`"),
        (errors.RelevanceNotCalibrated("fake"), "--min-score"),
        (errors.MigrationFailed(PATH, "tags", "the row (1,) is not the same afterwards"), "sightline verify"),
        (errors.MigrationFailed(PATH, "tags", "a text has a NUL character", is_limit=True), "is not damaged"),
    ],
)
def test_hints_name_the_command_or_option(error: SightlineError, hint: str) -> None:
    assert hint in hint_for(error)
    assert describe_error(error) == f"{error}\nHint: {hint_for(error)}"


@pytest.mark.parametrize(
    ("pip", "command"),
    [
        (object(), f"{sys.executable} -m pip install 'sightline[ocr]'"),
        (None, f"uv pip install --python {sys.executable} 'sightline[ocr]'"),
    ],
)
def test_extra_is_installed_into_this_environment(monkeypatch: pytest.MonkeyPatch, pip: object, command: str) -> None:
    """Environments that uv made have no pip."""
    monkeypatch.setattr("cli.error_hints.find_spec", lambda _: pip)
    assert hint_for(errors.ExtraMissing("Reading text", "ocr")) == f"`{command}` installs them into this environment."
    assert installation_of("ocr") == command


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidQuery("This is not a filter."),
        errors.ModelUnavailable("mini", "its weights"),
        errors.DownloadFailed("a/b", "no network", ""),
        errors.DeviceUnavailable("fp8", "choose a precision from: fp32, bf16, fp16"),
        errors.SpaceExists("mini", is_imported=False),
        errors.QuerySyntax("(a", 0, Notice("unclosed_bracket", "This bracket is never closed")),
        errors.UnsafeServerSettings("The token is too short."),
    ],
)
def test_errors_without_a_hint_are_only_their_message(error: SightlineError) -> None:
    assert describe_error(error) == str(error)


def test_a_file_instead_of_a_folder_has_a_hint(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    assert "indexes its folder" in hint_for(errors.FolderNotFound(tmp_path / "a.jpg"))


def test_an_error_that_wraps_another_has_its_hint() -> None:
    wrapper = errors.InvalidQuery("Line 3: the query is empty.")
    wrapper.__cause__ = errors.EmptyQuery(has_negative_parts=False)
    assert "--image" in hint_for(wrapper)
