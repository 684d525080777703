"""The project speaks plain English: phrases that read as riddles are refused, in code, documents and page texts."""

import json
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent

BANNED = (
    "anew",
    "as they do",
    "is none; there are",
    "is said of",
    "meanwhile",
    "nobody",
    "of its own accord",
    "of which",
    "one's own",
    "says so",
    "somebody",
    "thereof",
    "to be had",
    "what becomes of",
    "what is not there",
    "whatever",
    "whoever",
)
PATTERN = re.compile(r"\b(?i:" + "|".join(re.escape(phrase) for phrase in BANNED) + r")\b")


def texts() -> dict[str, str]:
    """The files that people read, by path; of the page's translations only the English one."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.splitlines() if name.endswith((".py", ".md", ".js", ".html", ".css"))]
    names += ["web/static/i18n/en.json", "Makefile", ".ci/run", "pyproject.toml"]
    left_out = ("tests/test_prose.py", "examples/")  # captions are data
    files = [REPOSITORY / name for name in names if not name.startswith(left_out) and (REPOSITORY / name).is_file()]
    return {str(file.relative_to(REPOSITORY)): file.read_text(encoding="utf-8") for file in files}


def test_banned_phrases_are_not_used() -> None:
    uses = [
        f"{name}:{number}: {match.group()}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), start=1)
        for match in PATTERN.finditer(line.replace("_", " "))  # names of tests, too
    ]
    assert uses == []


def test_banned_phrases_are_found() -> None:
    assert PATTERN.search("Nobody knows.")
    assert PATTERN.search("'x' is none; there are: y")
    assert not PATTERN.search("a renewed index")


def test_english_page_texts_are_read() -> None:
    assert "web/static/i18n/en.json" in texts()
    assert json.loads(texts()["web/static/i18n/en.json"])
