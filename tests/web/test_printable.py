"""Names of files that are not UTF-8, in JSON."""

import pytest

from web.printable import printable


@pytest.mark.parametrize(("text", "shown"), [("caf\udce9", "caf\\xe9"), ("\ud800", "\\ud800"), ("é", "é")])
def test_printable_escapes_what_is_not_utf8(text: str, shown: str) -> None:
    assert printable(text) == shown
