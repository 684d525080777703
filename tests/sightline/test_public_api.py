"""The public API: what `import sightline` offers, and that it stays light and typed."""

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import sightline
from encoders.fake import FakeEncoder
from tests.support.imports import imported_modules


@pytest.mark.parametrize("name", sightline.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(sightline, name) is not None
    assert name in dir(sightline)


def test_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'serch'"):
        _ = sightline.serch  # type: ignore[attr-defined]


def test_errors_are_importable_from_sightline() -> None:
    from core.errors import LibraryNotFound
    from sightline.errors import LibraryNotFound as Public

    assert Public is LibraryNotFound
    assert sightline.errors.LibraryNotFound is LibraryNotFound


def test_import_loads_no_other_package() -> None:
    assert imported_modules("import sightline") == {"core", "sightline"}


def test_import_is_fast_compared_with_the_start_of_python() -> None:
    """The start takes about 20 ms, so the limit is about 50 ms, and more on a slow machine."""

    def cpu_seconds(code: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # Processor time, and the least of several runs: other processes slow single runs down.
    start, with_import = (min(cpu_seconds(code) for _ in range(5)) for code in ("", "import sightline"))
    assert with_import - start < 2.5 * start


def test_type_checkers_see_every_public_name() -> None:
    """The names under `TYPE_CHECKING` are those that `__getattr__` serves."""
    tree = ast.parse(Path(sightline.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    assert names | {"__version__"} == set(sightline.__all__)


def test_index_search_and_forget(tmp_path: Path, album: Path) -> None:
    with sightline.open(tmp_path / "photos.library", create=True) as library:
        summary = sightline.index(library, album, FakeEncoder())
        assert summary.new == 4
        searcher = sightline.Searcher(library)
        assert [hit.path.name for hit in searcher.search("red", k=1)] == ["red.png"]
        options = sightline.SearchOptions(k=2)
        assert len(searcher.search(sightline.Query.of("blue"), options)) == 2
        assert sightline.verify(library) == []
        assert sightline.forget(library, album / "more") == 1
        with pytest.raises(sightline.errors.PathNotIndexed):
            sightline.forget(library, album / "more")


def test_index_uses_the_built_in_model_by_default(tmp_path: Path, album: Path) -> None:
    with sightline.open(tmp_path / "photos.library", create=True) as library:
        sightline.index(library, album)
        assert sightline.Searcher(library).space.space.model == "mini"


def test_index_uses_the_active_model_by_default(tmp_path: Path, album: Path) -> None:
    with sightline.open(tmp_path / "photos.library", create=True) as library:
        sightline.index(library, album / "more", "fake")
        sightline.index(library, album)
        assert sightline.Searcher(library).space.space.model == "fake"
