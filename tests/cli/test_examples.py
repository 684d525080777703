"""The examples of `search --help`, `similar --help` and docs/searching.md."""

import io
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.commands.search import search
from cli.commands.similar import similar
from encoders.fake import FakeEncoder
from indexer import index
from store import Library
from tests.support.frame_files import write_pages

Sightline = Callable[..., Any]
REPOSITORY = Path(__file__).parents[2]


def commands(text: str) -> list[str]:
    """Return the calls of `search` and `similar` in a text, without comments and pipes."""
    found = re.findall(r"^\s+sightline ((?:search|similar) .*)$", text, re.MULTILINE)
    return [re.split(r"\s{3,}|\s+(?:\|\|?|>)\s", line)[0] for line in found]


EXAMPLES = {
    "search --help": commands(search.epilog or ""),
    "similar --help": commands(similar.epilog or ""),
    "README": commands((REPOSITORY / "README.md").read_text(encoding="utf-8")),
    "docs/searching.md": commands((REPOSITORY / "docs" / "searching.md").read_text(encoding="utf-8")),
}


@pytest.fixture
def home(
    library: Library, album: Path, tmp_path: Path, paint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Create a home folder with all files that the examples mention, and make it the working directory."""
    shutil.copytree(album, tmp_path / "Pictures" / "2023")
    paint(tmp_path / "Pictures" / "2021" / "IMG_0042.jpg", "white", (80, 60))
    for name in ("sofa.jpg", "cat.jpg", "my.jpg"):
        paint(tmp_path / name, "blue", (80, 60))
    write_pages(tmp_path / "scan.tif", "white", "blue", "red")
    for number in range(60):  # the IDs in the examples
        paint(tmp_path / "Pictures" / "many" / f"{number}.png", (number, 2 * number, 255 - number))
    (tmp_path / "questions.txt").write_text("red\nblue\n", encoding="utf-8")
    index(library, [tmp_path / "Pictures"], FakeEncoder())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(library.path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("place", EXAMPLES)
def test_every_example_runs(sightline: Sightline, home: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(EXAMPLES[place]) >= 3
    monkeypatch.setattr("sys.stdin", io.StringIO("+1\nquit\n"))
    for line in EXAMPLES[place]:
        words = [re.sub(r"^~(?=/)", str(home), word) for word in shlex.split(line)]
        answer = sightline(*words)
        unmeasured = "--relevant" in words and "is not calibrated" in answer.err  # for the fake model
        assert answer.code in (0, 1) or unmeasured, (line, answer.err)
        assert "Traceback" not in answer.err
        assert answer.code != 0 or answer.out or "--sheet" in words, line


def test_documents_explain_every_option_of_search() -> None:
    page = "".join((REPOSITORY / name).read_text(encoding="utf-8") for name in ("docs/searching.md", "docs/filters.md"))
    ours = {"--image", "--crop", "--like", "--not", "--more", "--less", "--plain", "--long", "--ensemble", "--parts"}
    ours |= {"--interactive", "--queries", "--page", "--diverse", "--sort", "--min-score", "--relevant"}
    assert {option for option in ours if option not in page} == set()
    assert ours <= {name for parameter in search.params for name in parameter.opts}


@pytest.mark.sqlite("the example opens a folder, in a process of its own")
def test_python_example_of_searching_page_runs(tmp_path: Path) -> None:
    import subprocess
    import sys

    from encoders import registry

    gallery = REPOSITORY / "examples" / "gallery" / "home"
    shutil.copy(next(iter(sorted(gallery.glob("*.jpg")))), tmp_path / "cat.jpg")
    with Library.open(tmp_path / "photos.library", create=True) as library:
        index(library, [gallery], registry.load("mini"))
    page = (REPOSITORY / "docs" / "searching.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    *ranked, best = done.stdout.splitlines()
    assert [line.split()[0] for line in ranked] == [str(number + 1) for number in range(len(ranked))]
    assert len(ranked) > 3
    assert Path(best).parent == gallery
