"""Painting a scene, and the masks of its subjects."""

from dataclasses import replace

from PIL import Image, ImageChops

from examples.scenes.canvas import SUPERSAMPLE, Canvas
from examples.scenes.colour import NAMED
from examples.scenes.kinds import SUBJECTS
from examples.scenes.layout import Placement, place
from examples.scenes.light import LIGHTS
from examples.scenes.pen import Pen
from examples.scenes.places import SETTINGS
from examples.scenes.scene import Scene
from examples.scenes.weather import fall, grain, mist

__all__ = ["masks", "render"]

_LAMPLIGHT = (0.88, 0.76, 0.62)
"""The tint of everything in a room at night."""


def render(scene: Scene, width: int = 384, height: int = 288) -> Image.Image:
    """Paint a scene as an RGB picture; the same scene and size give the same pixels."""
    canvas = Canvas(width * SUPERSAMPLE, height * SUPERSAMPLE, LIGHTS[scene.time], scene.seed)
    SETTINGS[scene.setting].paint(canvas)
    mist(canvas)
    if SETTINGS[scene.setting].lamplit and canvas.light.dark:
        canvas.light = replace(canvas.light, tint=_LAMPLIGHT)
    for spot in place(scene, canvas.width, canvas.height):
        _paint(canvas, scene, spot)
    mist(canvas, 60)
    fall(canvas)
    return grain(canvas.finish(), scene.seed)


def masks(scene: Scene, width: int = 384, height: int = 288) -> dict[str, Image.Image]:
    """What can be seen of every subject in `render` at this size, as L masks by label."""
    seen: dict[str, Image.Image] = {}
    for spot in place(scene, width * SUPERSAMPLE, height * SUPERSAMPLE):
        canvas = Canvas(width * SUPERSAMPLE, height * SUPERSAMPLE, LIGHTS[scene.time], scene.seed, stencil=True)
        _paint(canvas, scene, spot)
        mask = canvas.finish()
        seen = {label: ImageChops.subtract(earlier, mask) for label, earlier in seen.items()}
        seen[scene.subjects[spot.index].label] = mask
    return seen


def _paint(canvas: Canvas, scene: Scene, spot: Placement) -> None:
    subject = scene.subjects[spot.index]
    kind = SUBJECTS[subject.kind]
    canvas.rng.seed(scene.seed * 31 + spot.index)  # so that a mask has the strokes of the picture
    pen = Pen(canvas, (spot.x, spot.y), spot.size, spot.flip, spot.depth)
    kind.paint(pen, NAMED[subject.colour] if subject.colour else kind.plain)
