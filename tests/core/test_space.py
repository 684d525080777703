"""Fingerprints of spaces."""

from core.space import Space

SPACE = Space("mini", "abc", 256, {"size": 128, "fit": "crop"})


def test_fingerprint_does_not_depend_on_key_order() -> None:
    assert SPACE.fingerprint == Space("mini", "abc", 256, {"fit": "crop", "size": 128}).fingerprint
    assert len(SPACE.fingerprint) == 64
    assert str(SPACE) == f"mini ({SPACE.fingerprint[:12]})"


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
