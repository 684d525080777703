"""The exceptions: what they carry, and that their messages depend on no caller."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import VERBS
from core import errors
from core.errors import PictureError, SightlineError
from tests.support.errors import EXAMPLES

REPOSITORY = Path(__file__).parents[2]
LIBRARY_PACKAGES = ("core", "encoders", "indexer", "pictures", "search", "store")

NAMES_A_CALLER = re.compile(rf"\bsightline ({'|'.join(VERBS)})\b|(?<![\w-])--[a-z]{{2,}}")
"""A command of the terminal, or an option."""

LISTS_COMMANDS = {"encoders/model_info.py"}
"""`ModelDescription.missing` lists commands by contract; the JSON of the terminal and of the API contains it."""


def classes() -> list[type[SightlineError]]:
    return [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SightlineError)]


@pytest.mark.parametrize("kind", classes())
def test_every_error_is_exported_documented_and_has_an_example(kind: type[SightlineError]) -> None:
    assert kind.__name__ in errors.__all__
    assert kind.__doc__
    assert type(EXAMPLES[kind]) is kind


def test_everything_exported_is_an_error() -> None:
    assert {kind.__name__ for kind in classes()} == set(errors.__all__)


@pytest.mark.parametrize("error", EXAMPLES.values(), ids=lambda error: type(error).__name__)
def test_messages_name_no_command_or_option(error: SightlineError) -> None:
    assert str(error)
    assert not NAMES_A_CALLER.search(str(error))


def string_literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and value of all string literals except docstrings and other strings that stand alone."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.lineno, node.value


@pytest.mark.parametrize("package", LIBRARY_PACKAGES)
def test_no_text_of_the_library_names_a_command_or_option(package: str) -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}:{line}: {text}"
        for path in sorted((REPOSITORY / package).rglob("*.py"))
        if str(path.relative_to(REPOSITORY)) not in LISTS_COMMANDS
        for line, text in string_literals(ast.parse(path.read_text(encoding="utf-8")))
        if NAMES_A_CALLER.search(text)
    ]
    assert found == []


def test_reasons_of_picture_errors_are_stable_words() -> None:
    kinds = [kind for kind in classes() if issubclass(kind, PictureError)]
    permanent, transient = {"failed", "undecodable", "too-large"}, {"unreadable", "unsupported", "crashed"}
    assert {kind.reason for kind in kinds} == permanent | transient
    assert {kind.reason for kind in kinds if kind.transient} == transient


def test_errors_carry_their_data() -> None:
    path = Path("/photos")
    assert errors.LibraryNotFound(path).path == path
    assert errors.LibraryUnusable(path, "disk full").reason == "disk full"
    assert errors.LibraryTooNew(path, "0009").revision == "0009"
    missing = errors.RootUnavailable(path, 70, 2)
    assert (missing.root, missing.known, missing.found) == (path, 70, 2)
    assert errors.UnknownModel("clop", ("mini", "fake")).known == ("mini", "fake")
    assert errors.PictureTooLarge(10, 20, "too many").width == 10
    assert errors.ModelUnavailable("a/b", "its files", pull="a/b").pull == "a/b"


def test_a_file_instead_of_a_folder_is_told_from_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    assert errors.FolderNotFound(tmp_path / "a.jpg").is_file
    assert "is a file" in str(errors.FolderNotFound(tmp_path / "a.jpg"))
    assert "no folder" in str(errors.FolderNotFound(tmp_path / "b"))
