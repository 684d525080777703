"""Beach, open sea, lake, harbour and the world under water."""

from math import pi, sin

from PIL import Image

from examples.scenes.canvas import Canvas
from examples.scenes.colour import RGB, darken, lighten, mix
from examples.scenes.pen import Pen
from examples.scenes.scenery import flecks, ridge, sky, water
from examples.scenes.subjects.plants import pine

__all__ = ["beach", "harbour", "lake", "sea", "underwater"]

_SAND: RGB = (238, 212, 160)


def _shoreline(canvas: Canvas, base: float, colour: RGB, lift: float = 0.02) -> None:
    phase = canvas.rng.uniform(0, 2 * pi)
    edge = [(i / 32 * canvas.width, (base + lift * sin(i / 32 * 5 + phase)) * canvas.height) for i in range(33)]
    grade = canvas.light.grade
    foam = [(x, y - 0.016 * canvas.height) for x, y in edge]
    canvas.polygon([*foam, (canvas.width, canvas.height), (0, canvas.height)], grade((250, 252, 252)), 210)
    canvas.polygon([*edge, (canvas.width, canvas.height), (0, canvas.height)], grade(darken(colour, 0.18)))
    dry = [(x, y + 0.035 * canvas.height) for x, y in edge]
    canvas.gradient(
        [*dry, (canvas.width, canvas.height), (0, canvas.height)], grade(colour), grade(darken(colour, 0.06))
    )


def beach(canvas: Canvas) -> None:
    """Sand below, a strip of sea behind it."""
    sky(canvas, 0.42)
    if canvas.rng.random() < 0.6:
        ridge(canvas, 0.42, 0.07, (96, 140, 110), 0.55)
    water(canvas, 0.42, 0.64, (44, 148, 184))
    _shoreline(canvas, 0.6, _SAND)
    flecks(canvas, 0.68, 1.0, ((214, 182, 130), (252, 240, 214), (224, 150, 130)), 26, "pebble")


def sea(canvas: Canvas) -> None:
    """Open water to the horizon."""
    sky(canvas, 0.5)
    water(canvas, 0.5, 1.0, canvas.rng.choice(((28, 112, 170), (34, 134, 168), (30, 92, 150))))
    grade = canvas.light.grade
    for row in range(4):
        y = 0.64 + row * 0.1
        phase = canvas.rng.uniform(0, 6)
        crest = [
            (i / 40 * canvas.width, (y + 0.008 * sin(i * (1.1 - row * 0.15) + phase)) * canvas.height)
            for i in range(41)
        ]
        low = [(x, py + 0.045 * canvas.height) for x, py in reversed(crest)]
        canvas.polygon(crest + low, grade((20, 76, 124)), 36)


def lake(canvas: Canvas) -> None:
    """A lake between wooded hills that are mirrored in it."""
    sky(canvas, 0.46)
    snowy = canvas.light.name == "snow"
    hills: RGB = (170, 186, 200) if snowy else (92, 122, 130)
    ridge(canvas, 0.46, 0.3, hills, 0.5, 1.1)
    woods: RGB = (150, 170, 170) if snowy else (64, 118, 84)
    ridge(canvas, 0.46, 0.13, woods, 0.2, 1.9)
    for _ in range(14):
        x = canvas.rng.random() * canvas.width
        pine(
            Pen(canvas, (x, 0.475 * canvas.height), canvas.height * canvas.rng.uniform(0.07, 0.13), depth=0.15),
            (44, 100, 74),
        )
    top = round(0.47 * canvas.height)
    water(canvas, 0.47, 1.0, (60, 136, 168))
    if not canvas.stencil:
        depth = min(top, canvas.height - top)
        mirror = canvas.image.crop((0, top - depth, canvas.width, top)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        fade = canvas.fade(mirror.size, 150, 20)
        canvas.image.paste(mirror, (0, top), fade)
    water_glints(canvas, 0.5, 1.0)
    grade = canvas.light.grade
    bank = [(0.0, 0.9), (0.2, 0.92), (0.45, 0.955), (0.75, 0.93), (1.0, 0.9)]
    points = [(x * canvas.width, y * canvas.height) for x, y in bank]
    near: RGB = (234, 238, 244) if snowy else (92, 142, 74)
    canvas.gradient([*points, (canvas.width, canvas.height), (0, canvas.height)], grade(near), grade(darken(near, 0.2)))
    flecks(canvas, 0.93, 1.0, (lighten(near, 0.2), darken(near, 0.2)), 26)


def water_glints(canvas: Canvas, top: float, bottom: float) -> None:
    """Thin pale lines that break a mirrored surface."""
    tone = mix(canvas.light.haze, (255, 255, 255), 0.3)
    for _ in range(34):
        near = canvas.rng.random()
        y, x = (top + (bottom - top) * near) * canvas.height, canvas.rng.random() * canvas.width
        half = (0.015 + 0.06 * near) * canvas.width
        canvas.line(((x - half, y), (x + half, y)), (0.001 + 0.003 * near) * canvas.height, tone, 100)


def harbour(canvas: Canvas) -> None:
    """Water before a quay with a row of narrow coloured houses."""
    sky(canvas, 0.46)
    ridge(canvas, 0.44, 0.12, (100, 136, 120), 0.5)
    colours: tuple[RGB, ...] = (
        (214, 108, 84),
        (236, 190, 110),
        (120, 164, 180),
        (232, 224, 206),
        (164, 92, 84),
        (126, 160, 120),
        (240, 160, 140),
    )
    unit = canvas.height
    x, last = -0.02 * unit, -1
    while x < canvas.width:
        width = canvas.rng.uniform(0.11, 0.15)
        pick = canvas.rng.randrange(len(colours))
        pick = (pick + 1) % len(colours) if pick == last else pick
        last = pick
        _quay_house(Pen(canvas, (x, 0.47 * unit), unit), width, canvas.rng.uniform(0.17, 0.27), colours[pick])
        x += width * unit
    grade = canvas.light.grade
    canvas.backdrop((grade((150, 140, 130)), grade((112, 104, 100))), 0.465, 0.51)
    water(canvas, 0.51, 1.0, (46, 112, 146))
    if not canvas.stencil:
        top, depth = round(0.51 * unit), round(0.22 * unit)
        mirror = canvas.image.crop((0, round(0.28 * unit), canvas.width, round(0.28 * unit) + depth)).transpose(
            Image.Transpose.FLIP_TOP_BOTTOM
        )
        canvas.image.paste(mirror, (0, top), canvas.fade(mirror.size, 110, 0))
    water_glints(canvas, 0.54, 1.0)


def _quay_house(pen: Pen, width: float, height: float, paint: RGB) -> None:
    pen.shaded(((0, 0), (0, height), (width, height), (width, 0)), paint, strength=0.08)
    roof: RGB = SNOWY_ROOF if pen.snowy else (140, 72, 60)
    pen.poly(((-0.006, height), (width / 2, height + 0.06), (width + 0.006, height)), roof)
    y = 0.05
    while y < height - 0.03:
        for k in (0.18, 0.6):
            pen.window(width * k, y, width * (k + 0.22), y + 0.035)
        y += 0.06


SNOWY_ROOF: RGB = (240, 244, 250)


def underwater(canvas: Canvas) -> None:
    """The sea floor with corals, weed and rays of light."""
    canvas.backdrop(((96, 206, 220), (34, 138, 186), (12, 70, 124)), 0.0, 1.0)
    w, h = canvas.width, canvas.height
    for _ in range(6):
        x = canvas.rng.random() * w
        spread = canvas.rng.uniform(0.03, 0.09) * w
        canvas.polygon(
            ((x, 0), (x + spread, 0), (x - 0.25 * w + spread * 3, h), (x - 0.25 * w, h)), (230, 255, 250), 26
        )
    ridge(canvas, 0.92, 0.2, (30, 96, 140), 0.0, 1.3)
    ridge(canvas, 1.0, 0.16, (214, 196, 150), 0.0, 0.8)
    for _ in range(13):
        pen = Pen(
            canvas, (canvas.rng.random() * w, canvas.rng.uniform(0.9, 0.99) * h), canvas.rng.uniform(0.1, 0.24) * h
        )
        (_weed if canvas.rng.random() < 0.55 else _coral)(pen)
    for _ in range(16):
        x, y, r = canvas.rng.random() * w, canvas.rng.random() * h * 0.8, canvas.rng.uniform(0.004, 0.012) * h
        canvas.ellipse((x - r, y - r, x + r, y + r), (220, 248, 252), 110)


def _weed(pen: Pen) -> None:
    tone = pen.rng.choice(((44, 140, 92), (70, 160, 80), (30, 110, 90)))
    for lean in (-0.16, 0.0, 0.15):
        pen.blob(
            (
                (lean - 0.03, 0),
                (lean * 1.6 - 0.08, 0.4),
                (lean * 2 + 0.05, 0.75),
                (lean * 2.4, 1.0),
                (lean * 2 + 0.1, 0.7),
                (lean * 1.6, 0.38),
                (lean + 0.05, 0),
            ),
            tone,
        )


def _coral(pen: Pen) -> None:
    tone = pen.rng.choice(((240, 110, 120), (246, 160, 90), (220, 120, 190), (250, 200, 110)))
    for points in (
        ((0, 0), (0, 0.5)),
        ((0, 0.2), (-0.24, 0.46), (-0.24, 0.62)),
        ((0, 0.24), (0.22, 0.4), (0.24, 0.64)),
        ((0, 0.44), (-0.1, 0.72)),
        ((0, 0.44), (0.12, 0.7)),
    ):
        pen.line(points, 0.09, tone)
