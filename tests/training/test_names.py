"""Reading WordNet, concepts and nouns."""

import json
from pathlib import Path

import numpy as np
import pytest

from training.names import CLASSES, read_concepts, read_nouns, read_senses

LICENCE = "  1 This software and database is being provided to you, the LICENSEE\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write a WordNet where 00000001 (puppy) is below 00000002 (dog), and that below 00000003 (animal)."""
    folder = tmp_path / "wordnet"
    folder.mkdir()
    lines = [
        "00000001 05 n 01 puppy 0 001 @ 00000002 n 0000 | a young dog",
        "00000002 05 n 02 dog 0 hound 0 002 @ 00000003 n 0000 ~ 00000001 n 0000 | a pet",
        "00000003 03 n 01 animal 0 000 | a living thing",
    ]
    (folder / "data.noun").write_text(LICENCE + "\n".join(lines) + "\n")
    index = ["dog n 2 3 @ ~ #m 2 1 00000002 00000009", "sea_horse n 1 1 @ 1 0 00000007"]
    (folder / "index.noun").write_text(LICENCE + "\n".join(index) + "\n")
    classes = [{"off": "00000001", "names": {"en": ["puppy"]}}, {"off": "00000002", "names": {"en": ["dog"]}}]
    classes += [{"off": f"1{number:07}", "names": {"en": [f"class {number}"]}} for number in range(CLASSES - 2)]
    nodes = [{"off": "00000003", "names": {"en": ["animal"], "de": ["Tier"]}}]
    (folder / "concepts.json").write_text(json.dumps(classes + nodes))
    (folder / "nouns.json").write_text(json.dumps([["00000002", ["dog", "hound"], {"de": ["Hund"]}]]))
    return tmp_path


def test_a_class_belongs_to_all_concepts_above_it(data: Path) -> None:
    concepts = read_concepts(data)
    assert concepts.members.shape == (CLASSES, CLASSES + 1)
    assert np.flatnonzero(concepts.members[0]).tolist() == [0, 1, CLASSES]
    assert np.flatnonzero(concepts.members[1]).tolist() == [1, CLASSES]
    assert np.flatnonzero(concepts.members[2]).tolist() == [2]
    assert concepts.names[CLASSES]["de"] == ["Tier"]


def test_senses_come_in_the_order_of_wordnet(data: Path) -> None:
    assert read_senses(data) == {"dog": ["00000002", "00000009"], "sea horse": ["00000007"]}


def test_nouns_have_names_by_language(data: Path) -> None:
    (noun,) = read_nouns(data)
    assert (noun.offset, noun.names) == ("00000002", {"en": ["dog", "hound"], "de": ["Hund"]})
