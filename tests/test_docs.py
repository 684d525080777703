"""What the documentation shows runs as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from encoders import registry
from sightline.errors import ModelUnavailable

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
