"""What many settings share: sky, sun, stars, clouds, ridges, water, grass."""

from math import pi, sin

from examples.scenes.canvas import Canvas
from examples.scenes.colour import RGB, darken, lighten, mix

__all__ = ["SNOW", "clouds", "flecks", "ground", "ridge", "sky", "water"]

SNOW: RGB = (242, 245, 250)


def sky(canvas: Canvas, horizon: float, sun: bool = True) -> None:
    """The sky down to the horizon (fraction of the height), with sun, stars or clouds as the light has it."""
    colours = canvas.rng.choice(canvas.light.skies)
    canvas.backdrop(colours, 0.0, horizon + 0.02)
    canvas.backdrop((colours[-1], colours[-1]), horizon + 0.02, 1.0)
    name = canvas.light.name
    if name == "night":
        _stars(canvas, horizon)
    if sun and name in ("day", "sunset"):
        _sun(canvas, horizon)
    if name in ("rain", "snow"):
        clouds(canvas, 0.0, 0.3, 7)
    elif name != "fog":
        clouds(canvas, 0.06, horizon * 0.7, canvas.rng.randint(1, 4) if name != "night" else 1)


def _stars(canvas: Canvas, horizon: float) -> None:
    for _ in range(90):
        x, y = canvas.rng.random() * canvas.width, canvas.rng.random() ** 1.4 * horizon * canvas.height
        r = canvas.rng.choice((0.8, 0.8, 1.2, 1.8)) * canvas.height / 576
        canvas.ellipse((x - r, y - r, x + r, y + r), (255, 250, 230), canvas.rng.randint(130, 255))


def _sun(canvas: Canvas, horizon: float) -> None:
    low = canvas.light.name == "sunset"
    x = canvas.width * canvas.rng.uniform(0.18, 0.82)
    y = canvas.height * horizon * (canvas.rng.uniform(0.72, 0.92) if low else canvas.rng.uniform(0.14, 0.35))
    r = canvas.height * (0.075 if low else 0.05)
    colour: RGB = (255, 236, 170) if low else (255, 246, 206)
    canvas.soft_ellipse((x, y), (r * 5, r * 5), colour, 170 if low else 150)
    canvas.ellipse((x - r, y - r, x + r, y + r), colour)


def clouds(canvas: Canvas, top: float, bottom: float, count: int) -> None:
    """Flat-bottomed cumulus clouds between two heights (fractions)."""
    rng, unit = canvas.rng, canvas.height
    for _ in range(count):
        size = rng.uniform(0.035, 0.065) * unit
        x, y = rng.random() * canvas.width, rng.uniform(top, max(top, bottom)) * unit + 1.5 * size
        half = rng.uniform(1.9, 3.2)
        puffs = [(-half, 0.55), (half, 0.5)]
        puffs += [(rng.uniform(-0.75, 0.75) * half, rng.uniform(0.8, 1.5)) for _ in range(5)]
        canvas.cloud((x, y), size, puffs, canvas.light.clouds, rng.randint(170, 230))


def ridge(canvas: Canvas, base: float, height: float, colour: RGB, depth: float, waves: float = 1.5) -> None:
    """Rolling hills: a graded band whose upper edge is a sum of sines."""
    rng = canvas.rng
    parts = [(waves * k, rng.uniform(0, 2 * pi), rng.uniform(0.5, 1.0) / k) for k in (1, 2.1, 3.7)]
    total = sum(p[2] for p in parts)
    edge = []
    for i in range(49):
        t = i / 48
        lift = sum(a * (0.6 + 0.4 * sin(2 * pi * f * t + p)) for f, p, a in parts) / total
        edge.append((t * canvas.width, (base - height * lift) * canvas.height))
    tone = canvas.light.grade(colour, depth)
    low = canvas.light.grade(darken(colour, 0.12), min(1.0, depth + 0.08))
    bottom = (base + 0.1) * canvas.height
    canvas.gradient([*edge, (canvas.width, bottom), (0, bottom)], tone, low)


def ground(canvas: Canvas, top: float, far: RGB, near: RGB) -> None:
    """The ground from `top` down to the lower edge."""
    if canvas.light.name == "snow":
        far, near = mix(far, SNOW, 0.85), mix(near, SNOW, 0.88)
    grade = canvas.light.grade
    canvas.backdrop((grade(far, 0.25), grade(mix(far, near, 0.6)), grade(near)), top, 1.0)


def flecks(
    canvas: Canvas, top: float, bottom: float, colours: tuple[RGB, ...], count: int, shape: str = "grass"
) -> None:
    """Tufts, petals or pebbles, smaller towards the horizon, so that the ground is not bare."""
    rng = canvas.rng
    spots = sorted((top + (bottom - top) * rng.random() ** 0.8, rng.random()) for _ in range(count))
    for y, x in spots:
        near = (y - top) / max(1e-6, bottom - top)
        size = (0.004 + 0.014 * near) * canvas.height
        colour = canvas.light.grade(rng.choice(colours), 0.3 * (1 - near))
        px, py = x * canvas.width, y * canvas.height
        if shape == "grass":
            for lean in (-0.5, 0.0, 0.5):
                canvas.polygon(
                    ((px - size * 0.2, py), (px + lean * size, py - size * 1.4), (px + size * 0.2, py)), colour
                )
        elif shape == "flower":
            stem = canvas.light.grade((70, 130, 60))
            canvas.line(((px, py), (px, py - size * 1.6)), size * 0.18, stem)
            py -= size * 1.7
            for dx, dy in ((-0.45, 0.0), (0.45, 0.0), (0.0, -0.45), (0.0, 0.45)):
                r = size * 0.4
                cx, cy = px + dx * size, py + dy * size
                canvas.ellipse((cx - r, cy - r, cx + r, cy + r), colour)
            r = size * 0.25
            canvas.ellipse((px - r, py - r, px + r, py + r), canvas.light.grade((250, 220, 90)))
        else:
            canvas.ellipse((px - size, py - size * 0.4, px + size, py + size * 0.4), colour, 150)


def water(canvas: Canvas, top: float, bottom: float, colour: RGB) -> None:
    """Water that takes the colour of the sky towards the horizon, with glints."""
    grade, rng = canvas.light.grade, canvas.rng
    deep = grade(darken(colour, 0.2))
    canvas.backdrop((mix(grade(colour), canvas.light.haze, 0.45), grade(colour), deep), top, bottom)
    glint = mix(grade(lighten(colour, 0.75)), canvas.light.haze, 0.35)
    for _ in range(60):
        near = rng.random()
        y = (top + (bottom - top) * (0.03 + 0.97 * near)) * canvas.height
        half = (0.01 + 0.05 * near * rng.random()) * canvas.width
        x = rng.random() * canvas.width
        canvas.line(((x - half, y), (x + half, y)), (0.001 + 0.0045 * near) * canvas.height, glint, 120)
