"""The table of faults in docs/recovery.md names tests that exist."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.sqlite("recovers the pages of its file")

ROOT = Path(__file__).parents[3]


def test_every_row_names_a_test_that_exists() -> None:
    text = (ROOT / "docs" / "recovery.md").read_text(encoding="utf-8")
    section = text.partition("## Failing disks, kills and clocks")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
    named = [re.findall(r"`(test_\w+)`", row) for row in rows]
    assert len(rows) > 10
    assert all(len(names) == 1 for names in named)
    sources = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert [name for (name,) in named if f"def {name}(" not in sources] == []
