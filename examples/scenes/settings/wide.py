"""Autumn forest, lavender field, savannah, polar ice, river, football pitch and outer space."""

from math import pi, sin

from examples.scenes.canvas import Canvas
from examples.scenes.colour import RGB, darken, lighten, mix
from examples.scenes.pen import Pen
from examples.scenes.scenery import SNOW, flecks, ground, ridge, sky, water
from examples.scenes.settings.coast import water_glints
from examples.scenes.settings.country import forest, peaks
from examples.scenes.subjects.plants import tree

__all__ = ["autumn", "football", "ice", "lavender", "river", "savannah", "space"]


def autumn(canvas: Canvas) -> None:
    """The forest with its leaves turned."""
    forest(canvas, (214, 122, 44))


def lavender(canvas: Canvas) -> None:
    """Purple rows that run to the horizon."""
    sky(canvas, 0.46)
    ridge(canvas, 0.48, 0.18, (120, 140, 160), 0.5, 1.0)
    ridge(canvas, 0.49, 0.06, (120, 150, 100), 0.25, 1.7)
    w, h, grade, rng = canvas.width, canvas.height, canvas.light.grade, canvas.rng
    for x in (0.12, 0.2, 0.86):
        tree(Pen(canvas, (x * w, 0.49 * h), rng.uniform(0.1, 0.15) * h, depth=0.15), (90, 140, 80))
    canvas.backdrop((grade((176, 160, 120), 0.2), grade((170, 140, 100))), 0.48, 1.0)
    vanish = (0.5 * w, 0.4 * h)
    for i in range(-8, 9):
        foot = 0.5 + i * 0.16
        rows = [
            (vanish[0] + ((foot + k) * w - vanish[0]) * t, vanish[1] + (1.02 * h - vanish[1]) * t)
            for k, t in ((-0.055, 0.13), (0.055, 0.13), (0.055, 1.0), (-0.055, 1.0))
        ]
        canvas.gradient(rows, grade((150, 120, 190), 0.2), grade((112, 70, 164)))
        for _ in range(34):
            t = 0.16 + 0.84 * rng.random() ** 0.7
            x = vanish[0] + ((foot + rng.uniform(-0.05, 0.05)) * w - vanish[0]) * t
            y = vanish[1] + (1.02 * h - vanish[1]) * t
            r = 0.011 * h * t
            tone = grade(rng.choice(((170, 130, 214), (132, 90, 186), (96, 60, 146))))
            canvas.ellipse((x - r * 0.6, y - r * 1.6, x + r * 0.6, y + r * 0.4), tone)


def savannah(canvas: Canvas) -> None:
    """Dry grass with flat-topped acacias."""
    sky(canvas, 0.56)
    ridge(canvas, 0.57, 0.1, (150, 130, 110), 0.5, 1.0)
    ground(canvas, 0.56, (226, 192, 110), (190, 150, 76))
    w, h, rng = canvas.width, canvas.height, canvas.rng
    for x in (0.1, 0.36, 0.66, 0.92):
        pen = Pen(
            canvas,
            ((x + rng.uniform(-0.06, 0.06)) * w, rng.uniform(0.58, 0.64) * h),
            rng.uniform(0.14, 0.26) * h,
            depth=0.12,
        )
        pen.line(((0, 0), (0.03, 0.4), (-0.2, 0.74)), 0.06, (104, 78, 58))
        pen.line(((0.03, 0.4), (0.24, 0.72)), 0.045, (104, 78, 58))
        pen.blob(
            ((-0.62, 0.74), (-0.4, 0.92), (0, 1.0), (0.44, 0.92), (0.66, 0.74), (0.2, 0.7), (-0.2, 0.7)), (110, 134, 66)
        )
        pen.blob(((-0.5, 0.8), (-0.3, 0.92), (0, 0.98), (0.2, 0.9), (-0.1, 0.82)), (136, 156, 80))
    flecks(canvas, 0.62, 1.0, ((238, 206, 124), (160, 124, 60), (206, 170, 90)), 130)


def ice(canvas: Canvas) -> None:
    """Ice floes on a cold sea, icebergs behind."""
    sky(canvas, 0.48)
    water(canvas, 0.48, 1.0, (70, 150, 190))
    w, h, grade, rng = canvas.width, canvas.height, canvas.light.grade, canvas.rng
    for x in (0.12, 0.44, 0.8):
        cx, size = x + rng.uniform(-0.06, 0.06), rng.uniform(0.1, 0.2)
        top, shade = grade((232, 242, 250), 0.15), grade((160, 196, 222), 0.15)
        base = 0.53
        shape = (
            (cx - size, base),
            (cx - size * 0.6, base - size),
            (cx - size * 0.1, base - size * 1.5),
            (cx + size * 0.3, base - size * 0.8),
            (cx + size * 0.6, base - size),
            (cx + size, base),
        )
        canvas.polygon([(p * w, q * h) for p, q in shape], top)
        canvas.polygon(
            [(p * w, q * h) for p, q in (shape[2], shape[3], shape[4], shape[5], (cx + size * 0.1, base))], shade
        )
    canvas.backdrop((grade((238, 244, 250)), grade((214, 228, 242))), 0.74, 1.0)
    edge = [(i / 24 * w, (0.735 + 0.012 * sin(i * 1.7)) * h) for i in range(25)]
    canvas.polygon([*edge, (w, 0.77 * h), (0, 0.77 * h)], grade((170, 206, 230)))
    lifted = [(x, y - 0.0 * h + 0.015 * h) for x, y in edge]
    canvas.gradient([*lifted, (w, h), (0, h)], grade((246, 250, 253)), grade((218, 230, 244)))
    for _ in range(6):
        x, y = rng.random() * w, rng.uniform(0.8, 0.98) * h
        canvas.ellipse((x - 0.06 * w, y - 0.006 * h, x + 0.06 * w, y + 0.006 * h), grade((198, 216, 234)), 120)


def river(canvas: Canvas) -> None:
    """A river under a stone bridge of three arches."""
    sky(canvas, 0.5)
    snowy = canvas.light.name == "snow"
    peaks(canvas, 0.5, 0.2, 0.55)
    ridge(canvas, 0.51, 0.14, (186, 198, 204) if snowy else (96, 146, 104), 0.3, 1.2)
    w, h, rng, grade = canvas.width, canvas.height, canvas.rng, canvas.light.grade
    ground(canvas, 0.5, (140, 182, 96), (96, 148, 72))
    for x in (0.06, 0.16, 0.84, 0.95):
        tree(Pen(canvas, (x * w, rng.uniform(0.53, 0.56) * h), rng.uniform(0.16, 0.26) * h, depth=0.08), (84, 144, 76))
    water(canvas, 0.58, 1.0, (62, 138, 168))
    _bridge(Pen(canvas, (0.5 * w, 0.6 * h), 0.22 * h, depth=0.05), w / (0.22 * h))
    water_glints(canvas, 0.64, 1.0)
    bank = [(0.0, 0.88), (0.25, 0.93), (0.5, 0.955), (0.8, 0.93), (1.0, 0.89)]
    near: RGB = SNOW if snowy else (98, 152, 74)
    canvas.gradient([*((x * w, y * h) for x, y in bank), (w, h), (0, h)], grade(near), grade(darken(near, 0.2)))
    flecks(canvas, 0.93, 1.0, (lighten(near, 0.2), darken(near, 0.25)), 30)


def _bridge(pen: Pen, width: float) -> None:
    stone: RGB = (188, 172, 150)
    half = width / 2
    top = [(-half + width * i / 24, 0.5 + 0.34 * sin(pi * i / 24)) for i in range(25)]
    pen.shaded([*top, (half, -0.06), (-half, -0.06)], stone, strength=0.1)
    span = width / 3
    for k in (-1, 0, 1):
        rise = 0.62 if k == 0 else 0.4
        arch = [(k * span + 0.4 * span * (2 * i / 16 - 1), -0.08 + rise * sin(pi * i / 16)) for i in range(17)]
        rim = [(k * span + (x - k * span) * 1.1, y * 1.1 + 0.01) for x, y in arch]
        pen.poly(rim, darken(stone, 0.25))
        pen.poly(arch, (58, 104, 128))
        pen.poly([(x, min(y, 0.04)) for x, y in arch], (50, 116, 148))
    pen.line(top, 0.05, lighten(stone, 0.3))


def football(canvas: Canvas) -> None:
    """A pitch mown in stripes, a goal, and trees behind."""
    sky(canvas, 0.46)
    w, h, rng, grade = canvas.width, canvas.height, canvas.rng, canvas.light.grade
    ridge(canvas, 0.48, 0.1, (90, 142, 96), 0.25, 2.6)
    for i in range(12):
        pen = Pen(
            canvas, ((i + rng.random()) / 12 * w, rng.uniform(0.46, 0.49) * h), rng.uniform(0.12, 0.2) * h, depth=0.15
        )
        tree(pen, rng.choice(((80, 140, 76), (100, 156, 70))))
    ground(canvas, 0.48, (112, 178, 84), (84, 154, 66))
    snowy = canvas.light.name == "snow"
    for i in range(0, 10, 2):
        far = [(0.5 + ((i + k) / 10 - 0.5), 0.48) for k in (0, 1)]
        near = [(0.5 + ((i + k) / 10 - 0.5) * 2.2, 1.0) for k in (1, 0)]
        points = [(x * w, y * h) for x, y in (*far, *near)]
        canvas.polygon(points, grade(mix((140, 200, 100), SNOW, 0.7) if snowy else (140, 200, 100)), 110)
    white = grade((250, 250, 250))
    for line in (((0.0, 0.56), (1.0, 0.56)), ((0.24, 0.56), (0.12, 0.7), (0.88, 0.7), (0.76, 0.56))):
        canvas.line([(x * w, y * h) for x, y in line], 0.008 * h, white)
    for y in range(7):
        canvas.line(((0.34 * w, (0.36 + y * 0.03) * h), (0.66 * w, (0.36 + y * 0.03) * h)), 0.002 * h, white, 150)
    for x in range(15):
        px = (0.34 + x * 0.32 / 14) * w
        canvas.line(((px, 0.36 * h), (px, 0.56 * h)), 0.002 * h, white, 150)
    canvas.line([(x * w, y * h) for x, y in ((0.34, 0.56), (0.34, 0.36), (0.66, 0.36), (0.66, 0.56))], 0.016 * h, white)


def space(canvas: Canvas) -> None:
    """Stars and a soft nebula."""
    rng, w, h = canvas.rng, canvas.width, canvas.height
    canvas.backdrop(((10, 8, 34), (26, 18, 62), (14, 12, 44)), 0.0, 1.0)
    for _ in range(7):
        colour = rng.choice(((120, 60, 160), (50, 80, 170), (180, 70, 120), (40, 120, 150)))
        radius = rng.uniform(0.2, 0.45) * h
        canvas.soft_ellipse((rng.random() * w, rng.random() * h), (radius * 1.4, radius), colour, 70)
    for _ in range(150):
        x, y, r = rng.random() * w, rng.random() * h, rng.choice((0.8, 1.0, 1.4, 2.2)) * h / 576
        canvas.ellipse(
            (x - r, y - r, x + r, y + r),
            rng.choice(((255, 255, 255), (255, 236, 200), (200, 220, 255))),
            rng.randint(120, 255),
        )
