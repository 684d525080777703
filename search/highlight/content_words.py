"""The words of a prompt that name something, to look for each of them on its own.

The maps of words that only join others (articles, prepositions, conjunctions, auxiliary verbs) mean nothing. The list
covers the languages of the built-in model. Chinese has no blanks: its characters are grouped between such words.
"""

import re

__all__ = ["MAX_WORDS", "content_words"]

MAX_WORDS = 12
"""Words that are looked for; each has a map of its own."""

_FUNCTION_WORDS = frozenset(
    (  # noqa: SIM905 (a list of quoted words would be much longer)
        # English
        "a an the and or but not no of in on at by to from with without into onto over under behind before between "
        "near next beside is are was were be being been has have had it its his her their this that these those there "
        "some any for as up down out off while who which "
        # German
        "der die das den dem des ein eine einen einem einer eines und oder aber nicht kein keine von in im ins an am "
        "ans auf bei beim zu zum zur aus mit ohne über unter hinter vor zwischen neben ist sind war wird sich es er "
        "sie sein seine ihr ihre dieser diese dieses für als während "
        # French
        "le la les l un une des du de d et ou mais ne pas dans en sur à au aux par vers avec sans sous derrière devant "
        "entre près chez est sont était être il elle son sa ses leur ce cette ces qui que pour comme se s "
        # Czech
        "a i nebo ale ne v ve na u k ke z ze s se si od do po před za nad pod mezi vedle bez je jsou byl byla bylo být "
        "to ten ta tento tato jeho její který která které pro jako "
        # Arabic
        "في من على إلى عن مع بين تحت فوق أمام خلف و أو لا هو هي هذا هذه ذلك التي الذي كان"
    ).split()
)
_FUNCTION_CHARACTERS = "的了着过在是和与或里上下中有一个只艘条张座棵朵位名把被从到向对于这那之也不没"
_HAN = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_HAN}]+|[^\W{_HAN}]+(?:[-’']\w+)*")
_HAN_WORD = re.compile(rf"(?:(?![{_FUNCTION_CHARACTERS}])[{_HAN}])+")


def content_words(text: str) -> list[tuple[int, str]]:
    """Return the words of `text` that name something, with their positions, at most `MAX_WORDS`; each of them once."""
    found: dict[str, tuple[int, str]] = {}
    for match in _WORD.finditer(text):
        word = match.group()
        if re.match(f"[{_HAN}]", word):
            for part in _HAN_WORD.finditer(word):
                found.setdefault(part.group(), (match.start() + part.start(), part.group()))
        elif word.casefold() not in _FUNCTION_WORDS and not word.isdecimal():
            found.setdefault(word.casefold(), (match.start(), word))
    return list(found.values())[:MAX_WORDS]
