"""Fingerprints of spaces."""

from core.space import Space

SPACE = Space("mini", "abc", 256, {"size": 128, "fit": "crop"})


def test_the_same_space_has_the_same_fingerprint_whatever_the_order() -> None:
    assert SPACE.fingerprint == Space("mini", "abc", 256, {"fit": "crop", "size": 128}).fingerprint
    assert len(SPACE.fingerprint) == 64
    assert str(SPACE) == f"mini ({SPACE.fingerprint[:12]})"


def test_every_part_counts() -> None:
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


def test_parts_cannot_run_into_each_other() -> None:
    assert Space("a", "bc", 1).fingerprint != Space("ab", "c", 1).fingerprint


def test_tuples_and_lists_are_the_same() -> None:
    """The catalogue keeps preprocessing as JSON, which knows no tuples."""
    assert Space("a", "b", 1, {"mean": (0.5, 0.5)}).fingerprint == Space("a", "b", 1, {"mean": [0.5, 0.5]}).fingerprint
