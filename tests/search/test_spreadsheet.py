"""What a spreadsheet would run, it is not given."""

import pytest

from search.spreadsheet import no_formula


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"])
def test_a_formula_becomes_a_text(text: str) -> None:
    assert no_formula(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=1", " =1", "'=1", "1-1", "é"])
def test_any_other_text_stays(text: str) -> None:
    assert no_formula(text) == text
