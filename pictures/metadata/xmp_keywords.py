"""Which keywords to add to an XMP document for the tags of a picture, and which to remove from it.

There are several lists, because programs read different ones. Keywords by other programs are never removed.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pictures.metadata.xmp import HIERARCHICAL, LAST_LEVELS, SUBJECT, TAG_PATHS
from pictures.metadata.xmp_lists import XmpList

__all__ = ["KEYWORD_LISTS", "KeywordChange", "change_keywords", "keyword_key"]

KEYWORD_LISTS = (SUBJECT, HIERARCHICAL, *TAG_PATHS, LAST_LEVELS)
"""The properties with keywords."""

_LEVEL, _XMP_LEVEL = "/", "|"


@dataclass(frozen=True)
class KeywordChange:
    """What to do with a list. `ours` are the items by Sightline afterwards."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    ours: tuple[str, ...]


def change_keywords(
    lists: Mapping[str, XmpList], tags: Sequence[str], known: Mapping[str, Sequence[str]]
) -> dict[str, KeywordChange]:
    """Return how each of the `lists` of a document changes, so that it has the keywords of these tags.

    `known` are the items that Sightline added before. Only they can be removed.
    """
    items = _Items(tags, lists, known)
    return {name: _change(lists, name, items.wanted[name], items.kept[name], known) for name in KEYWORD_LISTS}


def keyword_key(text: str) -> str:
    """Return the form of a keyword that is the same in any case and normalization, and with any blanks."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", " ".join(text.split())).casefold())


def _has_levels(tag: str) -> bool:
    return _LEVEL in tag and _XMP_LEVEL not in tag  # `|` separates levels in XMP, so that such a tag stays flat


def _flat(tag: str) -> str:
    return tag.rpartition(_LEVEL)[2] if _has_levels(tag) else tag


def _path(text: str, separator: str) -> str:
    """Return a keyword as the tag that it is read as."""
    return _LEVEL.join(level.strip() for level in text.split(separator) if level.strip())


class _Items:
    """The items that tags have in each list."""

    def __init__(self, tags: Sequence[str], lists: Mapping[str, XmpList], known: Mapping[str, Sequence[str]]) -> None:
        self._lists, self._known = lists, known
        self._theirs = {
            name: [text for text in lists[name].texts if text not in known.get(name, ())] for name in KEYWORD_LISTS
        }
        others = [_path(text, _XMP_LEVEL) for text in self._theirs[HIERARCHICAL]]
        others += [_path(text, _LEVEL) for name in (SUBJECT, *TAG_PATHS) for text in self._theirs[name]]
        self._there, self._said = set(map(keyword_key, others)), set(map(keyword_key, tags))
        self.kept = self._of(tags)
        """What is not removed."""
        self.wanted = self._of([tag for tag in tags if keyword_key(tag) not in self._there])
        """What is added: the items of tags that no other program wrote into any list."""

    def _of(self, tags: Sequence[str]) -> dict[str, list[str]]:
        ours = {keyword_key(text): text for text in self._known.get(SUBJECT, ())}
        last_levels = [_flat(tag) for tag in tags if _has_levels(tag)]
        alone = [text for text in last_levels if keyword_key(text) not in self._said | self._there]
        return {
            SUBJECT: list(map(_flat, tags)),
            HIERARCHICAL: _wanted_hierarchy(tags, self._theirs[SUBJECT], self._lists[HIERARCHICAL], self._known),
            **{name: list(tags) if self._lists[name].texts else [] for name in TAG_PATHS},
            LAST_LEVELS: [ours.get(keyword_key(text), text) for text in alone],  # as it is written there
        }


def _wanted_hierarchy(
    tags: Sequence[str], theirs: Sequence[str], there: XmpList, known: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the hierarchical keywords: all tags, if any has levels or another program wrote such keywords.

    Programs that know this list read no other. If it is only by Sightline, it has the keywords of others too.
    """
    ours = set(known.get(HIERARCHICAL, ()))
    is_ours = set(there.texts) <= ours
    if is_ours and not any(map(_has_levels, tags)):
        return []
    others = theirs if is_ours else [text for text in theirs if text in ours]
    paths = [tag.replace(_LEVEL, _XMP_LEVEL) for tag in tags if _XMP_LEVEL not in tag]
    return [*paths, *(text for text in others if _XMP_LEVEL not in text)]


def _change(
    lists: Mapping[str, XmpList],
    name: str,
    wanted: Sequence[str],
    kept: Sequence[str],
    known: Mapping[str, Sequence[str]],
) -> KeywordChange:
    texts, before = lists[name].texts, known.get(name, ())
    there, wished = set(map(keyword_key, texts)), set(map(keyword_key, (*wanted, *kept)))
    needed = _levels_of_others(lists, known) if name == SUBJECT and before else set[str]()
    removed = tuple(text for text in before if text in texts and keyword_key(text) not in wished | needed)
    added = {keyword_key(text): text for text in reversed(wanted) if keyword_key(text) not in there}
    new = tuple(reversed(added.values()))
    return KeywordChange(new, removed, (*(text for text in before if text in texts and text not in removed), *new))


def _levels_of_others(lists: Mapping[str, XmpList], known: Mapping[str, Sequence[str]]) -> set[str]:
    """Return all levels of the hierarchical keywords by other programs, which expect them as keywords too."""
    levels = set[str]()
    for name, separator in ((HIERARCHICAL, _XMP_LEVEL), *((name, _LEVEL) for name in TAG_PATHS)):
        ours = known.get(name, ())
        levels |= {
            keyword_key(level) for text in lists[name].texts if text not in ours for level in text.split(separator)
        }
    return levels
