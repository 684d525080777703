"""City street, village, park and railway line."""

from examples.scenes.canvas import Canvas
from examples.scenes.colour import RGB, darken, lighten, mix
from examples.scenes.pen import Pen
from examples.scenes.scenery import SNOW, flecks, ground, ridge, sky
from examples.scenes.subjects.buildings import church, house
from examples.scenes.subjects.plants import tree

__all__ = ["city", "park", "railway", "village"]


def city(canvas: Canvas) -> None:
    """Blocks of flats behind a pavement and a road."""
    sky(canvas, 0.6, sun=False)
    rng, w, h = canvas.rng, canvas.width, canvas.height
    for depth, low, high in ((0.5, 0.3, 0.5), (0.0, 0.28, 0.44)):
        x = rng.uniform(-0.06, 0.0) * h
        while x < w:
            width = rng.uniform(0.14, 0.24)
            tone = rng.choice(((150, 116, 100), (110, 124, 144), (186, 160, 126), (130, 136, 128), (168, 104, 88)))
            _block(Pen(canvas, (x, 0.68 * h), h, depth=depth), width, rng.uniform(low, high), tone)
            x += (width + 0.004) * h
    grade = canvas.light.grade
    pavement: RGB = SNOW if canvas.light.name == "snow" else (176, 174, 172)
    canvas.backdrop((grade(pavement), grade(darken(pavement, 0.1))), 0.68, 0.76)
    canvas.backdrop((grade((96, 98, 106)), grade((70, 72, 82))), 0.76, 1.0)
    for i in range(9):
        left = (i - 0.3) / 8 * w
        canvas.polygon(
            ((left, 0.885 * h), (left + 0.06 * w, 0.885 * h), (left + 0.055 * w, 0.9 * h), (left - 0.006 * w, 0.9 * h)),
            grade((236, 232, 214)),
        )
    for x in (0.08, 0.92):
        _street_lamp(Pen(canvas, (x * w, 0.745 * h), 0.36 * h, flip=x > 0.5))
    if canvas.light.name in ("rain", "night"):
        _wet_glints(canvas)


def _block(pen: Pen, width: float, height: float, paint: RGB) -> None:
    pen.shaded(((0, 0), (0, height), (width, height), (width, 0)), paint, strength=0.1)
    pen.rect(-0.004, height, width + 0.004, height + 0.012, SNOW if pen.snowy else darken(paint, 0.3))
    columns = max(2, int(width / 0.05))
    pitch = width / columns
    rows = int((height - 0.1) / 0.06)
    for row in range(rows):
        for column in range(columns):
            x, y = (column + 0.28) * pitch, 0.11 + row * 0.06
            if pen.dark and pen.rng.random() < 0.45:
                pen.rect(x, y, x + pitch * 0.46, y + 0.036, (52, 60, 84))
            elif pen.dark:
                lamp = pen.rng.choice(((255, 214, 130), (255, 232, 170), (250, 190, 110)))
                pen.rect(x, y, x + pitch * 0.46, y + 0.036, lamp, lit=True)
            else:
                pen.rect(x, y, x + pitch * 0.46, y + 0.036, (176, 204, 220))
    shop = pen.rng.choice(((206, 76, 66), (60, 130, 120), (236, 180, 80), (70, 100, 160)))
    if pen.depth < 0.2:
        pen.window(0.012, 0.01, width - 0.012, 0.062)
        pen.poly(((0.004, 0.085), (width - 0.004, 0.085), (width - 0.01, 0.058), (0.01, 0.058)), shop)


def _street_lamp(pen: Pen) -> None:
    pen.line(((0, 0), (0, 0.95), (0.12, 1.0)), 0.025, (58, 62, 70))
    if pen.dark:
        pen.glow(0.14, 0.97, 0.5, alpha=190)
    pen.ellipse(0.15, 0.98, 0.06, 0.035, (255, 236, 180), lit=pen.dark)


def _wet_glints(canvas: Canvas) -> None:
    for _ in range(26):
        x, y = canvas.rng.random() * canvas.width, canvas.rng.uniform(0.78, 0.98) * canvas.height
        half = canvas.rng.uniform(0.01, 0.04) * canvas.width
        colour: RGB = (250, 206, 130) if canvas.light.dark else (206, 214, 222)
        canvas.line(((x - half, y), (x + half, y)), 0.004 * canvas.height, colour, 80)


def village(canvas: Canvas) -> None:
    """Cottages and a church among hills."""
    sky(canvas, 0.5)
    snowy = canvas.light.name == "snow"
    ridge(canvas, 0.54, 0.22, (196, 206, 216) if snowy else (98, 146, 112), 0.4, 1.0)
    ground(canvas, 0.53, (144, 186, 96), (104, 154, 76))
    rng, w, h = canvas.rng, canvas.width, canvas.height
    church(Pen(canvas, (rng.uniform(0.3, 0.7) * w, 0.57 * h), 0.32 * h, depth=0.18), (150, 80, 66))
    walls: tuple[RGB, ...] = ((246, 236, 214), (240, 206, 150), (232, 180, 160), (206, 216, 206), (250, 244, 236))
    for i in range(6):
        x = (i + rng.uniform(0.25, 0.75)) / 6
        pen = Pen(canvas, (x * w, rng.uniform(0.58, 0.66) * h), rng.uniform(0.13, 0.18) * h, depth=0.06)
        house(pen, rng.choice(walls))
    for _ in range(7):
        tree(Pen(canvas, (rng.random() * w, rng.uniform(0.6, 0.68) * h), rng.uniform(0.1, 0.16) * h), (76, 140, 72))
    road: RGB = (232, 234, 238) if snowy else (206, 186, 146)
    shape = ((0.0, 0.8), (0.3, 0.76), (0.7, 0.74), (1.0, 0.7), (1.0, 0.79), (0.6, 0.86), (0.0, 0.95))
    canvas.gradient([(x * w, y * h) for x, y in shape], canvas.light.grade(road), canvas.light.grade(darken(road, 0.1)))
    flecks(canvas, 0.9, 1.0, ((150, 194, 100), (76, 126, 60)), 40)


def park(canvas: Canvas) -> None:
    """Lawns, a curved path and big trees."""
    sky(canvas, 0.5)
    rng, w, h = canvas.rng, canvas.width, canvas.height
    ridge(canvas, 0.54, 0.12, (92, 146, 92), 0.35, 2.3)
    ground(canvas, 0.52, (150, 196, 100), (104, 164, 78))
    for i in range(9):
        x = (i + rng.uniform(0.1, 0.9)) / 9
        pen = Pen(canvas, (x * w, rng.uniform(0.55, 0.62) * h), rng.uniform(0.24, 0.4) * h, depth=0.12)
        tree(pen, rng.choice(((84, 150, 74), (112, 160, 66), (66, 130, 80))))
    way: RGB = (236, 238, 242) if canvas.light.name == "snow" else (226, 206, 164)
    shape = (
        (0.56, 0.62),
        (0.62, 0.62),
        (0.72, 0.72),
        (0.66, 0.82),
        (0.86, 1.0),
        (0.46, 1.0),
        (0.46, 0.84),
        (0.6, 0.72),
    )
    canvas.gradient([(x * w, y * h) for x, y in shape], canvas.light.grade(way), canvas.light.grade(darken(way, 0.08)))
    flecks(canvas, 0.64, 1.0, ((164, 206, 112), (86, 140, 66)), 60)
    if canvas.light.name != "snow":
        flecks(canvas, 0.66, 1.0, ((250, 246, 240), (246, 206, 80)), 16, "flower")


def railway(canvas: Canvas) -> None:
    """A double track through the fields."""
    sky(canvas, 0.52)
    ridge(canvas, 0.54, 0.2, (106, 146, 128), 0.5, 1.0)
    ridge(canvas, 0.56, 0.1, (116, 164, 96), 0.2, 1.6)
    ground(canvas, 0.54, (154, 190, 100), (108, 156, 78))
    rng, w, h, grade = canvas.rng, canvas.width, canvas.height, canvas.light.grade
    for _ in range(8):
        tree(
            Pen(canvas, (rng.random() * w, rng.uniform(0.56, 0.62) * h), rng.uniform(0.1, 0.18) * h, depth=0.1),
            (80, 140, 74),
        )
    gravel: RGB = mix((168, 160, 150), SNOW, 0.5) if canvas.light.name == "snow" else (168, 160, 150)
    canvas.backdrop((grade(gravel), grade(darken(gravel, 0.15))), 0.74, 0.86)
    for i in range(31):
        x = i / 30 * w
        canvas.polygon(
            ((x, 0.77 * h), (x + 0.014 * w, 0.77 * h), (x + 0.01 * w, 0.835 * h), (x - 0.006 * w, 0.835 * h)),
            grade((110, 84, 66)),
        )
    for y in (0.78, 0.822):
        canvas.line(((0, y * h), (w, y * h)), 0.009 * h, grade(lighten((120, 124, 132), 0.2)))
    flecks(canvas, 0.88, 1.0, ((160, 200, 106), (84, 134, 62)), 50)
