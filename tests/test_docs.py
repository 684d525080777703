"""What the documentation shows runs as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ModelUnavailable
from encoders import registry

REPOSITORY = Path(__file__).parent.parent


def test_the_python_of_the_evaluation_page(tmp_path: Path) -> None:
    try:
        registry.load(registry.DEFAULT_MODEL)
    except ModelUnavailable as exc:
        pytest.skip(str(exc))
    page = (REPOSITORY / "docs" / "evaluation.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [lang for lang, *_ in lines] == ["ar", "cs", "de", "en", "fr", "zh", "all"]
    for _, score, low, _, high in lines:
        assert 0 <= float(low.strip("(")) <= float(score) <= float(high.strip(")")) <= 1


def test_every_option_of_eval_and_every_measure_is_explained() -> None:
    from cli.evaluate.verb import evaluate
    from search.evaluate.metrics import KNOWN

    page = (REPOSITORY / "docs" / "evaluation.md").read_text(encoding="utf-8")
    options = {option for parameter in evaluate.params for option in parameter.opts if option.startswith("--")}
    assert {option for option in options if option not in page} == set()
    assert {name for name in KNOWN if f"`{name}`" not in page} == set()


def test_the_python_of_the_highlight_page(tmp_path: Path) -> None:
    try:
        registry.load(registry.DEFAULT_MODEL)
    except ModelUnavailable as exc:
        pytest.skip(str(exc))
    page = (REPOSITORY / "docs" / "highlight.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert 0 <= float(done.stdout.split()[0]) <= 1
    assert {path.name for path in tmp_path.iterdir()} == {"examples", "dog.png", "figure.png"}


def test_a_shell_takes_nothing_out_of_an_example() -> None:
    """Outside quotation marks, `rating:>=4` writes to a file called `=4`."""
    files = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md"), *(REPOSITORY / "cli").rglob("*.py")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    examples = [re.split(r"\s{3,}", line.strip())[0] for line in lines if re.match(r"\s{2,}sightline ", line)]
    assert len(examples) > 150
    assert [line for line in examples if re.search(r"\S[<>]", re.sub(r"'[^']*'|\"[^\"]*\"", "''", line))] == []


def test_every_option_of_highlight_is_explained() -> None:
    from cli.highlight import highlight

    page = (REPOSITORY / "docs" / "highlight.md").read_text(encoding="utf-8")
    options = {option for parameter in highlight.params for option in parameter.opts if option.startswith("--")}
    assert {option for option in options if option not in page} == set()


def test_the_page_on_models_says_what_the_list_says() -> None:
    from encoders.model_catalog import RECOMMENDED, XM3600

    page = (REPOSITORY / "docs" / "models.md").read_text(encoding="utf-8")
    rows = {cells[1].strip().strip("`"): cells for line in page.splitlines() if len(cells := line.split("|")) == 15}
    for model in RECOMMENDED.values():
        assert f"| `{model.name}` | {model.summary} |" in page
        if model.measure is XM3600:
            shown = [cell.strip() for cell in rows[model.name][2:-1]]
            scores = [f"{model.scores[lang]:.1f}" if lang in model.scores else "" for lang in XM3600.languages]
            assert (shown[0], shown[4:]) == (model.licence, scores)
