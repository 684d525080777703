"""Every example of `search --help`, `similar --help`, the README's section on searching and docs/searching.md runs."""

import io
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.search import search
from cli.similar import similar
from encoders.fake import FakeEncoder
from indexer import index
from store import Library

Sightline = Callable[..., Any]
REPOSITORY = Path(__file__).parents[2]


def commands(text: str) -> list[str]:
    """The lines that call `search` or `similar`, without what explains them or is done with their output."""
    found = re.findall(r"^\s+sightline ((?:search|similar) .*)$", text, re.MULTILINE)
    return [re.split(r"\s{3,}|\s+(?:\|\|?|>)\s", line)[0] for line in found]


def section(name: str) -> str:
    """A section of the README."""
    return re.split(
        r"^## ", (REPOSITORY / "README.md").read_text(encoding="utf-8").split(f"## {name}\n")[1], flags=re.M
    )[0]


EXAMPLES = {
    "search --help": commands(search.epilog or ""),
    "similar --help": commands(similar.epilog or ""),
    "README": commands(section("Search")),
    "docs/searching.md": commands((REPOSITORY / "docs" / "searching.md").read_text(encoding="utf-8")),
}


@pytest.fixture
def home(
    library: Library, album: Path, tmp_path: Path, paint: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A home folder with everything that the examples speak of, which is also where one stands."""
    shutil.copytree(album, tmp_path / "Pictures" / "2023")
    paint(tmp_path / "Pictures" / "2021" / "IMG_0042.jpg", "white", (80, 60))
    for name in ("sofa.jpg", "cat.jpg", "my.jpg"):
        paint(tmp_path / name, "blue", (80, 60))
    for number in range(60):  # so that there are the ids that are spoken of
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
        unmeasured = "--relevant" in words and "nobody has measured" in answer.err  # the model here is a test double
        assert answer.code in (0, 1) or unmeasured, (line, answer.err)
        assert "Traceback" not in answer.err
        assert answer.code != 0 or answer.out or "--sheet" in words, line


def test_every_option_of_search_is_explained() -> None:
    page = "".join((REPOSITORY / name).read_text(encoding="utf-8") for name in ("docs/searching.md", "docs/filters.md"))
    ours = {"--image", "--crop", "--like", "--not", "--more", "--less", "--plain", "--long", "--ensemble", "--parts"}
    ours |= {"--interactive", "--queries", "--page", "--diverse", "--sort", "--min-score", "--relevant"}
    assert {option for option in ours if option not in page} == set()
    assert ours <= {name for parameter in search.params for name in parameter.opts}


def test_the_python_of_the_page(tmp_path: Path) -> None:
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
