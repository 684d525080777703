"""Where the subjects of a scene go: positions, sizes, directions, and the order of painting."""

from dataclasses import dataclass
from random import Random

from examples.scenes.kinds import SUBJECTS, Kind
from examples.scenes.places import SETTINGS
from examples.scenes.scene import Scene

__all__ = ["Placement", "place"]

_ALOFT = ("sky", "horizon", "wall")
"""Layers whose subjects share the upper part; all others share the lower part."""
_CENTRED = ("track", "horizon", "wall")
_PERSPECTIVE = {"water": 0.5, "ground": 0.75, "table": 0.85}
"""Size at the far end of a layer over the size at its near end."""


@dataclass(frozen=True)
class Placement:
    """A subject's foot (sheet pixels), its height in sheet pixels, direction and distance."""

    index: int  # into the scene's subjects
    x: float
    y: float
    size: float
    flip: bool
    depth: float


def place(scene: Scene, width: int, height: int) -> list[Placement]:
    """Give every subject its place on a sheet, ordered from far to near."""
    rng = Random(scene.seed * 7919 + 17)
    kinds = [SUBJECTS[s.kind] for s in scene.subjects]
    slots: dict[int, tuple[float, float]] = {}
    for aloft in (False, True):
        members = [i for i, kind in enumerate(kinds) if (kind.layer in _ALOFT) == aloft]
        slots.update(_slots(members, [kinds[i] for i in members], rng))
    _clear_sky(slots, kinds)
    places = [_stand(scene, i, kinds[i], slots[i], (width, height), rng) for i in range(len(kinds))]
    rank = {"horizon": 0, "wall": 1, "sky": 1, "back": 2}
    return sorted(places, key=lambda p: (rank.get(kinds[p.index].layer, 3), p.y))


def _slots(members: list[int], kinds: list[Kind], rng: Random) -> dict[int, tuple[float, float]]:
    """Divide the width among the members in proportion to their widths, in random order."""
    order = list(range(len(members)))
    rng.shuffle(order)
    widths = [max(0.12, kind.half * kind.height) for kind in kinds]
    total, left = sum(widths), 0.0
    slots: dict[int, tuple[float, float]] = {}
    for k in order:
        share = widths[k] / total
        slots[members[k]] = (left, left + share)
        left += share
    return slots


def _clear_sky(slots: dict[int, tuple[float, float]], kinds: list[Kind]) -> None:
    """Move a lone flyer away from the tallest subject below it."""
    above = [i for i, kind in enumerate(kinds) if kind.layer in _ALOFT]
    below = [i for i in slots if i not in above]
    if len(above) == 1 and below:
        tallest = max(below, key=lambda i: kinds[i].height)
        middle = sum(slots[tallest]) / 2
        if len(below) == 1:
            slots[tallest] = (0.45, 1.0) if tallest % 2 == above[0] % 2 or middle > 0.5 else (0.0, 0.55)
            middle = sum(slots[tallest]) / 2
        slots[above[0]] = (0.0, 0.5) if middle >= 0.5 else (0.5, 1.0)


def _stand(
    scene: Scene, index: int, kind: Kind, slot: tuple[float, float], sheet: tuple[int, int], rng: Random
) -> Placement:
    width, height = sheet
    far, near = SETTINGS[scene.setting].layers[kind.layer]
    where = rng.uniform(0.45, 1.0) if index == 0 else rng.uniform(0.0, 0.85)
    unit = min(height, 1.2 * width)
    shrink = _PERSPECTIVE.get(kind.layer, 1.0)
    size = unit * kind.height * (shrink + (1 - shrink) * where) * rng.uniform(0.92, 1.1)
    size *= 1.12 if index == 0 else 0.95
    size = min(size, 0.44 * width * (1.4 if kind.layer in ("track", "horizon") else 1.0) / kind.half)
    y = (far + (near - far) * where) * height
    if kind.layer in ("sky", "wall", "deep", "low"):  # their span bounds the middle, not the foot
        y = max(y + size / 2, size * 1.06)
    reach = kind.half * size
    middle, slack = (slot[0] + slot[1]) / 2, (slot[1] - slot[0]) * 0.16
    x = (middle + rng.uniform(-slack, slack)) * width
    x = 0.5 * width if kind.layer in _CENTRED else min(max(x, reach), width - reach)
    return Placement(index, x, y, size, rng.random() < 0.5, 0.12 if kind.layer == "back" else 0.0)
