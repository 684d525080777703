"""Where the subjects of a scene go: positions, sizes, directions, and the order of painting."""

from dataclasses import dataclass
from random import Random

from examples.scenes.catalogue import SETTINGS, SUBJECTS, Kind
from examples.scenes.scene import Scene

__all__ = ["Placement", "place"]

_ALOFT = ("sky", "horizon", "wall")
"""Layers whose subjects share the upper part; all others share the lower part."""
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
    for aloft in (True, False):
        members = [i for i, kind in enumerate(kinds) if (kind.layer in _ALOFT) == aloft]
        slots.update(_slots(members, [kinds[i] for i in members], rng))
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
    reach = kind.half * size * 0.95
    middle, slack = (slot[0] + slot[1]) / 2, (slot[1] - slot[0]) * 0.16
    x = (middle + rng.uniform(-slack, slack)) * width
    x = min(max(x, reach), width - reach) if kind.layer not in ("track", "horizon") else 0.5 * width
    return Placement(index, x, y, size, rng.random() < 0.5, 0.12 if kind.layer == "back" else 0.0)
