"""The README's Python example runs as printed, and its numbers are those of the model card."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ModelUnavailable
from encoders import registry

REPOSITORY = Path(__file__).parent.parent
README = REPOSITORY / "README.md"
MODEL_CARD = REPOSITORY / "encoders" / "mini" / "MODEL_CARD.md"
GALLERY = REPOSITORY / "examples" / "gallery" / "home"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with a few pictures in it, which is also where one stands."""
    try:
        registry.load(registry.DEFAULT_MODEL)
    except ModelUnavailable as exc:
        pytest.skip(str(exc))
    shutil.copytree(GALLERY, tmp_path / "Pictures")
    shutil.copy(next(iter(sorted(GALLERY.glob("*.jpg")))), tmp_path / "cat.jpg")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.processes
def test_python_of_the_readme(home: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=home, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    hits = done.stdout.splitlines()
    assert len(hits) == 5
    for hit in hits:
        assert -1 <= float(hit.split()[0]) <= 1
        assert Path(hit.split()[1]).parent == home / "Pictures"
    scores = [float(hit.split()[0]) for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").split()) <= 900


def test_scores_of_the_readme_are_those_of_the_model_card() -> None:
    readme = " ".join(README.read_text(encoding="utf-8").split())
    (scores,) = re.findall(r"among the first ten for (.*?\)\.)", readme)
    said = {language: percent for percent, language in re.findall(r"^([\d.]+) % of the (\w+) captions", scores)}
    said |= dict(re.findall(r"(\w+) ([\d.]+) %", scores))
    card = MODEL_CARD.read_text(encoding="utf-8").partition("### Flickr8k, dev split")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| ([A-Z]\w+) \| [\d,]+ \| \S+ \S+ \| \S+ \S+ \| (0\.\d+) ", card, re.MULTILINE)
    assert {language: float(percent) for language, percent in said.items()} == {
        language: round(100 * float(recall), 1) for language, recall in rows
    }
    assert len(said) == 6
