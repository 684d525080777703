"""Mountains, forest, meadow, desert, snowfield, camp site and farm."""

from examples.scenes.canvas import Canvas
from examples.scenes.colour import RGB, darken, lighten, mix
from examples.scenes.pen import Pen
from examples.scenes.scenery import SNOW, flecks, ground, ridge, sky
from examples.scenes.subjects.plants import pine, tree

__all__ = ["camp", "desert", "farm", "forest", "meadow", "mountains", "peaks", "snowfield"]

_GRASS: RGB = (122, 172, 84)
_MEADOW: RGB = (96, 156, 70)


def peaks(canvas: Canvas, base: float, height: float, depth: float, rock: RGB = (96, 108, 130)) -> None:
    """A chain of snow-capped peaks, each with a lit and a shaded side."""
    rng, w, h = canvas.rng, canvas.width, canvas.height
    grade = canvas.light.grade
    x = rng.uniform(-0.2, 0.0)
    while x < 1.1:
        half, top = rng.uniform(0.16, 0.26), base - height * rng.uniform(0.6, 1.0)
        cx = x + half
        lean = rng.uniform(-0.03, 0.03)
        foot = (cx + lean + half * 0.2, base)
        canvas.polygon([(p * w, q * h) for p, q in ((x, base), (cx, top), (cx + half, base))], grade(rock, depth))
        canvas.polygon(
            [(p * w, q * h) for p, q in (foot, (cx, top), (cx + half, base))], grade(darken(rock, 0.35), depth)
        )
        cap = top + (base - top) * 0.36
        k = half * 0.36
        zigzag = (
            (cx, top),
            (cx - k, cap),
            (cx - k * 0.5, cap - 0.02),
            (cx - k * 0.15, cap + 0.04),
            (cx + k * 0.3, cap - 0.02),
            (cx + k * 0.6, cap + 0.03),
            (cx + k, cap),
        )
        canvas.polygon([(p * w, q * h) for p, q in zigzag], grade(SNOW, depth * 0.7))
        shade = (
            (cx, top),
            (cx + k * 0.1, cap + 0.02),
            (cx + k * 0.3, cap - 0.02),
            (cx + k * 0.6, cap + 0.03),
            (cx + k, cap),
        )
        canvas.polygon([(p * w, q * h) for p, q in shade], grade(mix(SNOW, rock, 0.4), depth * 0.7))
        x += half * rng.uniform(1.0, 1.5)


def mountains(canvas: Canvas) -> None:
    """Snow-capped peaks above green slopes."""
    sky(canvas, 0.6)
    peaks(canvas, 0.62, 0.46, 0.3)
    snowy = canvas.light.name == "snow"
    woods: RGB = (190, 202, 206) if snowy else (74, 124, 88)
    ridge(canvas, 0.66, 0.14, woods, 0.22, 1.4)
    for _ in range(16):
        at = (canvas.rng.random() * canvas.width, canvas.rng.uniform(0.62, 0.67) * canvas.height)
        pine(Pen(canvas, at, canvas.height * canvas.rng.uniform(0.07, 0.12), depth=0.15), (46, 104, 78))
    ground(canvas, 0.65, (128, 176, 92), (92, 146, 70))
    flecks(canvas, 0.7, 1.0, ((150, 194, 104), (76, 130, 60)), 70)


def forest(canvas: Canvas, crown: RGB = (62, 124, 66)) -> None:
    """Rows of trees that fade into the distance, a path between them."""
    sky(canvas, 0.6, sun=False)
    rng, w, h = canvas.rng, canvas.width, canvas.height
    autumn = crown[0] > crown[1]
    ground(
        canvas, 0.58, mix(_GRASS, crown, 0.4) if autumn else (104, 150, 78), (120, 104, 60) if autumn else (70, 116, 58)
    )
    for row, (base, size, depth, count) in enumerate(((0.6, 0.36, 0.5, 9), (0.64, 0.48, 0.3, 8), (0.7, 0.64, 0.1, 6))):
        if row == 2:
            _path(canvas, 0.6)
        for i in range(count):
            x = (i + rng.uniform(0.2, 0.8)) / count
            if row == 2 and 0.3 < x < 0.7:
                continue
            others: tuple[RGB, ...] = ((196, 60, 40), (244, 180, 60)) if autumn else ((40, 100, 70), (110, 150, 60))
            tone = mix(crown, rng.choice(others), rng.uniform(0.2, 0.6))
            pen = Pen(
                canvas, (x * w, (base + rng.uniform(0, 0.03)) * h), size * h * rng.uniform(0.85, 1.15), depth=depth
            )
            (tree if autumn or rng.random() < 0.5 else pine)(pen, tone)
    leaves: tuple[RGB, ...] = ((206, 110, 40), (226, 160, 60)) if autumn else ((122, 170, 84), (50, 96, 48))
    flecks(canvas, 0.74, 1.0, leaves, 60, "pebble" if autumn else "grass")


def _path(canvas: Canvas, top: float) -> None:
    earth: RGB = (226, 228, 232) if canvas.light.name == "snow" else (190, 158, 112)
    shape = ((0.49, top), (0.51, top), (0.56, 0.72), (0.54, 0.82), (0.72, 1.0), (0.3, 1.0), (0.4, 0.82), (0.47, 0.72))
    points = [(x * canvas.width, y * canvas.height) for x, y in shape]
    canvas.gradient(points, canvas.light.grade(earth, 0.2), canvas.light.grade(darken(earth, 0.1)))


def meadow(canvas: Canvas) -> None:
    """Rolling hills and a flowering meadow."""
    sky(canvas, 0.56)
    ridge(canvas, 0.56, 0.2, (110, 152, 130), 0.5, 1.0)
    ridge(canvas, 0.57, 0.1, (120, 170, 96), 0.2, 1.4)
    for _ in range(7):
        at = (canvas.rng.random() * canvas.width, canvas.rng.uniform(0.55, 0.58) * canvas.height)
        tree(Pen(canvas, at, canvas.height * canvas.rng.uniform(0.06, 0.1), depth=0.2), (80, 138, 70))
    ground(canvas, 0.56, (150, 194, 96), _MEADOW)
    flecks(canvas, 0.6, 1.0, ((168, 206, 106), (72, 130, 56)), 60)
    petals: tuple[RGB, ...] = ((236, 84, 84), (250, 250, 244), (246, 204, 70), (176, 116, 206), (244, 140, 180))
    if canvas.light.name != "snow":
        flecks(canvas, 0.62, 1.0, petals, 90, "flower")


def desert(canvas: Canvas) -> None:
    """Dunes with a lit and a shaded side."""
    sky(canvas, 0.56)
    rng = canvas.rng
    for base, height, depth in ((0.6, 0.16, 0.45), (0.7, 0.16, 0.2)):
        ridge(canvas, base, height, (230, 176, 104), depth, rng.uniform(0.7, 1.2))
    ground(canvas, 0.68, (236, 184, 112), (214, 152, 84))
    w, h, grade = canvas.width, canvas.height, canvas.light.grade
    x = rng.uniform(0.15, 0.6)
    crest = (
        (x, 0.66),
        (x + 0.1, 0.74),
        (x + 0.04, 0.84),
        (x + 0.24, 1.0),
        (x + 0.8, 1.0),
        (x + 0.7, 0.78),
        (x + 0.4, 0.69),
    )
    canvas.polygon([(p * w, q * h) for p, q in crest], grade((196, 132, 76)), 130)
    for i in range(10):
        y = 0.72 + i * 0.028
        points = [(k / 20 * w, (y + 0.006 * ((k * 7 + i * 3) % 5 - 2) / 2) * h) for k in range(21)]
        canvas.line(points, 0.003 * h, grade((246, 206, 140)), 110)


def snowfield(canvas: Canvas) -> None:
    """A field under snow with dark firs."""
    sky(canvas, 0.56)
    ridge(canvas, 0.57, 0.16, (176, 194, 214), 0.4, 1.1)
    grade = canvas.light.grade
    for _ in range(12):
        at = (canvas.rng.random() * canvas.width, canvas.rng.uniform(0.55, 0.6) * canvas.height)
        pen = Pen(canvas, at, canvas.height * canvas.rng.uniform(0.1, 0.2), depth=0.2)
        pen.snowy = True
        pine(pen, (60, 108, 96))
    canvas.backdrop((grade((226, 234, 244), 0.15), grade((244, 247, 251)), grade((222, 230, 242))), 0.57, 1.0)
    for base in (0.74, 0.88):
        ridge(canvas, base + 0.03, 0.05, (238, 243, 250), 0.0, 0.8)
    canvas.backdrop((grade((236, 241, 248)), grade((222, 230, 242))), 0.92, 1.0)


def camp(canvas: Canvas) -> None:
    """A clearing among firs below a wide sky."""
    sky(canvas, 0.66)
    ridge(canvas, 0.66, 0.24, (70, 92, 116), 0.45, 1.2)
    for i in range(15):
        side = canvas.rng.random() * 0.38
        x = side if i % 2 else 1 - side
        pen = Pen(
            canvas,
            (x * canvas.width, canvas.rng.uniform(0.66, 0.7) * canvas.height),
            canvas.height * canvas.rng.uniform(0.2, 0.42),
            depth=0.08,
        )
        pine(pen, (40, 92, 74))
    ground(canvas, 0.68, (110, 150, 84), (78, 118, 62))
    flecks(canvas, 0.72, 1.0, ((140, 176, 100), (60, 100, 50)), 60)


def farm(canvas: Canvas) -> None:
    """Fields in stripes, a fence, and a red barn far off."""
    sky(canvas, 0.5)
    ridge(canvas, 0.52, 0.1, (112, 156, 110), 0.4, 1.1)
    ground(canvas, 0.5, (176, 190, 96), (116, 162, 76))
    w, h, grade = canvas.width, canvas.height, canvas.light.grade
    snowy = canvas.light.name == "snow"
    for i, colour in enumerate(((222, 190, 96), (150, 180, 84), (196, 160, 90), (134, 172, 84))):
        tone = mix(colour, SNOW, 0.8) if snowy else colour
        left, right = i * 0.25, (i + 1) * 0.25
        far = [(0.5 + (x - 0.5) * 0.55, 0.52) for x in (left, right)]
        canvas.polygon(
            [(p * w, q * h) for p, q in (*far, (right * 1.2 - 0.1, 0.66), (left * 1.2 - 0.1, 0.66))], grade(tone, 0.2)
        )
    _barn(Pen(canvas, (canvas.rng.choice((0.16, 0.84)) * w, 0.58 * h), 0.2 * h, depth=0.12))
    post = grade(lighten((150, 112, 76), 0.1))
    for y in (0.635, 0.66):
        canvas.line(((0, y * h), (w, y * h)), 0.008 * h, post)
    for i in range(12):
        x = (i + 0.5) / 12 * w
        canvas.line(((x, 0.61 * h), (x, 0.69 * h)), 0.012 * h, post)
    flecks(canvas, 0.7, 1.0, ((150, 190, 96), (86, 134, 60)), 80)


def _barn(pen: Pen) -> None:
    red: RGB = (178, 62, 52)
    pen.shaded(((-0.5, 0), (-0.5, 0.6), (-0.3, 0.9), (0, 1.0), (0.3, 0.9), (0.5, 0.6), (0.5, 0)), red, strength=0.08)
    roof: RGB = SNOW if pen.snowy else (92, 84, 84)
    pen.line(((-0.54, 0.58), (-0.32, 0.9), (0, 1.02), (0.32, 0.9), (0.54, 0.58)), 0.07, roof)
    pen.rect(-0.2, 0, 0.2, 0.4, (236, 228, 214))
    pen.rect(-0.17, 0, 0.17, 0.37, red)
    pen.line(((-0.17, 0), (0.17, 0.37)), 0.03, (236, 228, 214))
    pen.line(((-0.17, 0.37), (0.17, 0)), 0.03, (236, 228, 214))
    pen.window(-0.1, 0.6, 0.1, 0.76)
