"""What things are called: the classes of the teacher and the WordNet nodes above them, and other nouns, by language.

Files in `DATA/wordnet`: `concepts.json` (WordNet offset and names by language; the first 1,000 are the classes of
ImageNet in order), `nouns.json` (offset, English names, other names by language), and `data.noun` and `index.noun` of
WordNet 3.0 (Miller, 1995; the Debian package `wordnet-base` contains them). Names in other languages come from the Open
Multilingual Wordnet (Bond & Foster, 2013).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLASSES", "Concepts", "Noun", "read_concepts", "read_nouns", "read_senses"]


CLASSES = 1000
"""The classes of ImageNet (ILSVRC 2012), which the teacher tells apart."""


@dataclass(frozen=True)
class Concepts:
    """C concepts; the first 1,000 are the classes of the teacher."""

    offsets: list[str]
    names: Sequence[Mapping[str, list[str]]]
    """Names by language."""
    members: NDArray[np.bool_]
    """(1000, C): which concepts a class belongs to, itself included."""


@dataclass(frozen=True)
class Noun:
    """A noun of WordNet with at least one name in several languages."""

    offset: str
    names: Mapping[str, list[str]]


def read_concepts(data: Path) -> Concepts:
    """Read the concepts, and derive from WordNet which classes belong to which."""
    rows = json.loads((data / "wordnet" / "concepts.json").read_text(encoding="utf-8"))
    offsets = [row["off"] for row in rows]
    above = _hypernyms((data / "wordnet" / "data.noun").read_text(encoding="utf-8").splitlines())
    columns = {offset: column for column, offset in enumerate(offsets)}
    members = np.zeros((CLASSES, len(rows)), dtype=np.bool_)
    for row, offset in enumerate(offsets[:CLASSES]):
        members[row, [columns[each] for each in _ancestors(offset, above) if each in columns]] = True
    return Concepts(offsets, [row["names"] for row in rows], members)


def read_nouns(data: Path) -> list[Noun]:
    """Read the nouns."""
    rows = json.loads((data / "wordnet" / "nouns.json").read_text(encoding="utf-8"))
    return [Noun(offset, {"en": english, **others}) for offset, english, others in rows]


def read_senses(data: Path) -> dict[str, list[str]]:
    """Return the offsets of the synsets of each English noun, the most frequent sense first."""
    senses = {}
    for line in (data / "wordnet" / "index.noun").read_text(encoding="utf-8").splitlines():
        if not line.startswith(" "):  # the licence
            lemma, _, count, *rest = line.split()
            senses[lemma.replace("_", " ")] = rest[-int(count) :]
    return senses


def _hypernyms(lines: Iterable[str]) -> dict[str, list[str]]:
    """Return the direct hypernyms of each synset (`wndb(5WN)` describes the format)."""
    above = {}
    for line in lines:
        if line.startswith(" "):  # the licence
            continue
        fields = line.split(" | ")[0].split()
        first = 4 + 2 * int(fields[3], 16)  # after the words and their sense numbers
        pointers = [fields[first + 1 + 4 * number :][:2] for number in range(int(fields[first]))]
        above[fields[0]] = [offset for kind, offset in pointers if kind in {"@", "@i"}]
    return above


def _ancestors(offset: str, above: Mapping[str, list[str]]) -> set[str]:
    """Return a synset and all synsets above it."""
    found, waiting = {offset}, [offset]
    while waiting:
        new = [each for each in above.get(waiting.pop(), ()) if each not in found]
        found.update(new)
        waiting.extend(new)
    return found
