"""Fingerprints of spaces."""

import pytest

from core.space import Space, weights_of_version

SPACE = Space("mini", "abc", 256, {"size": 128, "fit": "crop"})


def test_fingerprint_does_not_depend_on_key_order() -> None:
    assert SPACE.fingerprint == Space("mini", "abc", 256, {"fit": "crop", "size": 128}).fingerprint
    assert len(SPACE.fingerprint) == 64
    assert str(SPACE) == f"mini ({SPACE.fingerprint[:12]})"


@pytest.mark.parametrize(
    ("weights", "version"),
    [
        ("3:9f86d081", "3"),
        ("2.1-beta:9f86d081", "2.1-beta"),
        ("dd9512311ea4e31df88f986740be3c8ed8c012e301c55c0acb9430674b476cf4", "2"),  # of mini 2, recorded without it
        ("9f86d081", None),
        ("sha256:9f86d081", None),
        ("imported:9f86d081", None),
        ("3:", None),
        ("none", None),
    ],
)
def test_weights_may_name_a_version(weights: str, version: str | None) -> None:
    space = Space("mini", weights, 256)
    assert space.version == version
    assert space.name == ("mini" if version is None else f"mini@{version}")
    assert space.title == ("mini" if version is None else f"mini {version}")
    assert str(space) == f"{space.title} ({space.fingerprint[:12]})"
    digest = weights.rpartition(":")[2]
    assert version is None or weights_of_version(version, digest) == weights


def test_fingerprint_depends_on_every_part() -> None:
    others = [
        Space("mini2", "abc", 256, {"size": 128, "fit": "crop"}),
        Space("mini", "abd", 256, {"size": 128, "fit": "crop"}),
        Space("mini", "abc", 255, {"size": 128, "fit": "crop"}),
        Space("mini", "abc", 256, {"size": 129, "fit": "crop"}),
        Space("mini", "abc", 256, {"size": 128, "fit": "squash"}),
        Space("mini", "abc", 256, {"size": 128, "fit": "crop", "more": None}),
        Space("mini", "abc", 256),
    ]
    assert len({space.fingerprint for space in [SPACE, *others]}) == len(others) + 1


def test_fingerprint_separates_parts() -> None:
    assert Space("a", "bc", 1).fingerprint != Space("ab", "c", 1).fingerprint


def test_fingerprint_treats_tuples_and_lists_alike() -> None:
    """The catalogue stores preprocessing as JSON, which has no tuples."""
    assert Space("a", "b", 1, {"mean": (0.5, 0.5)}).fingerprint == Space("a", "b", 1, {"mean": [0.5, 0.5]}).fingerprint
