"""A living room and a kitchen table."""

from examples.scenes.canvas import Canvas
from examples.scenes.colour import RGB, darken, lighten, mix
from examples.scenes.pen import Pen
from examples.scenes.scenery import ridge, sky

__all__ = ["kitchen", "living_room"]


def _view(canvas: Canvas, left: float, top: float, right: float, bottom: float) -> None:
    """A window that shows the light outside."""
    w, h = canvas.width, canvas.height
    if canvas.stencil:
        return
    box = (round(left * w), round(top * h), round(right * w), round(bottom * h))
    outside = Canvas(box[2] - box[0], box[3] - box[1], canvas.light, canvas.rng.randrange(1 << 30))
    sky(outside, 0.8)
    ridge(outside, 1.0, 0.4, (98, 150, 100), 0.2)
    canvas.image.paste(outside.image, box[:2])
    frame: RGB = (246, 244, 238)
    tone = canvas.light.grade(frame)
    for a, b in (
        ((left, top), (right, top)),
        ((left, bottom), (right, bottom)),
        ((left, top), (left, bottom)),
        ((right, top), (right, bottom)),
        (((left + right) / 2, top), ((left + right) / 2, bottom)),
        ((left, (top + bottom) / 2), (right, (top + bottom) / 2)),
    ):
        canvas.line(((a[0] * w, a[1] * h), (b[0] * w, b[1] * h)), 0.016 * h, tone)
    canvas.line(((left * w - 0.02 * h, bottom * h), (right * w + 0.02 * h, bottom * h)), 0.03 * h, tone)


def _room(canvas: Canvas, wall: RGB, floor_top: float) -> None:
    lamp = canvas.light.dark
    shade = mix(wall, (84, 62, 54), 0.45) if lamp else wall
    canvas.backdrop((lighten(shade, 0.1), shade), 0.0, floor_top)


def living_room(canvas: Canvas) -> None:
    """A wall with a window and a wooden floor with a rug."""
    rng, w, h = canvas.rng, canvas.width, canvas.height
    wall = rng.choice(((222, 206, 180), (176, 200, 198), (214, 180, 168), (190, 196, 218), (206, 212, 178)))
    _room(canvas, wall, 0.68)
    dark = canvas.light.dark
    floor: RGB = darken((176, 128, 86), 0.4) if dark else (186, 138, 94)
    canvas.backdrop((floor, darken(floor, 0.15)), 0.68, 1.0)
    for i in range(7):
        y = (0.68 + 0.32 * (i / 7) ** 1.3) * h
        canvas.line(((0, y), (w, y)), 0.003 * h, darken(floor, 0.25))
    canvas.backdrop((lighten(wall, 0.1 if dark else 0.6),) * 2, 0.665, 0.685)
    left = rng.choice((0.08, 0.62))
    _view(canvas, left, 0.12, left + 0.28, 0.5)
    rug = rng.choice(((176, 70, 66), (70, 110, 150), (200, 150, 90), (110, 140, 110)))
    tone = darken(rug, 0.35) if dark else rug
    canvas.ellipse((0.12 * w, 0.8 * h, 0.88 * w, 1.04 * h), tone)
    canvas.ellipse((0.16 * w, 0.815 * h, 0.84 * w, 1.02 * h), lighten(tone, 0.25))
    canvas.ellipse((0.19 * w, 0.83 * h, 0.81 * w, 1.0 * h), tone)
    picture = Pen(canvas, ((0.78 if left < 0.5 else 0.22) * w, 0.42 * h), 0.24 * h)
    picture.rect(-0.5, 0, 0.5, 0.8, (104, 78, 58))
    picture.rect(-0.44, 0.06, 0.44, 0.74, (236, 226, 200))
    picture.blob(((-0.44, 0.06), (-0.2, 0.4), (0.1, 0.2), (0.3, 0.46), (0.44, 0.06)), (110, 150, 120))
    picture.ellipse(0.2, 0.58, 0.08, 0.08, (240, 160, 80))


def kitchen(canvas: Canvas) -> None:
    """A table seen from the front, tiles and a window behind."""
    rng, w, h = canvas.rng, canvas.width, canvas.height
    wall = rng.choice(((232, 222, 200), (196, 216, 214), (236, 206, 178), (206, 216, 190)))
    _room(canvas, wall, 0.66)
    dark = canvas.light.dark
    tile = darken(wall, 0.46 if dark else 0.06)
    for i in range(15):
        canvas.line(((i / 14 * w, 0.36 * h), (i / 14 * w, 0.66 * h)), 0.003 * h, tile)
    for i in range(5):
        y = (0.36 + 0.075 * i) * h
        canvas.line(((0, y), (w, y)), 0.003 * h, tile)
    left = rng.choice((0.05, 0.65))
    _view(canvas, left, 0.06, left + 0.3, 0.4)
    wood = rng.choice(((186, 132, 84), (206, 160, 110), (150, 104, 70)))
    top = darken(wood, 0.35) if dark else wood
    canvas.backdrop((lighten(top, 0.12), top), 0.64, 0.93)
    for i in range(4):
        y = (0.7 + i * 0.06) * h
        canvas.line(((0, y), (w, y + 0.01 * h)), 0.003 * h, darken(top, 0.12))
    canvas.backdrop((darken(top, 0.3), darken(top, 0.4)), 0.93, 1.0)
