"""Words of a question that look like a filter and are none: they mean themselves, and that should be said."""

import difflib
import re

from search.filters import FIELD_NAMES
from search.query import Query, Text

__all__ = ["misspelt"]

_LOOKS_LIKE_A_FILTER = re.compile(r"(?<!\S)-?([a-z]{3,}):(?=[^\s:/])", re.IGNORECASE | re.ASCII)
_WITHOUT_VALUE = re.compile(r"(?<!\S)-?([a-z]+):(?!\S)", re.IGNORECASE | re.ASCII)
COMPARED = frozenset(
    ("aperture", "date", "exposure", "focal", "height", "iso", "mp", "rating", "size", "width", "year")
)
"""Fields that people compare with `>`, at which a shell takes the rest away."""
ALIKE = 0.8
"""How similar a name must be to that of a field (`difflib`), so that `note:this` and `http://` stay words unsaid."""


def misspelt(query: Query) -> tuple[str, ...]:
    """What to tell whoever asked `query`; mostly nothing."""
    texts = [part.source.text for part in query.parts if isinstance(part.source, Text)]
    names = dict.fromkeys(name for text in texts for name in _LOOKS_LIKE_A_FILTER.findall(text))
    close = {name: difflib.get_close_matches(name.casefold(), FIELD_NAMES, 1, ALIKE) for name in names}
    bare = dict.fromkeys(name.casefold() for text in texts for name in _WITHOUT_VALUE.findall(text))
    return tuple(
        f"{name}: names no field, so it was taken for words; did you mean {found[0]}:?"
        for name, found in close.items()
        if found
    ) + tuple(
        f"{name}: has no value, so it was taken for a word; in a shell, > and < need quotation marks: '{name}:>=...'"
        for name in bare
        if name in COMPARED
    )
