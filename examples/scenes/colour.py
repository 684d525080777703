"""Colours by name, and the few operations painters need on them."""

__all__ = ["NAMED", "RGB", "darken", "lighten", "mix"]

RGB = tuple[int, int, int]

NAMED: dict[str, RGB] = {
    "red": (206, 52, 48),
    "blue": (46, 104, 190),
    "green": (62, 142, 74),
    "yellow": (246, 200, 60),
    "orange": (240, 130, 42),
    "white": (244, 243, 238),
    "black": (46, 46, 54),
    "brown": (130, 84, 52),
    "grey": (140, 146, 154),
    "pink": (240, 140, 170),
    "purple": (128, 78, 168),
    "turquoise": (52, 178, 176),
}


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """Go from `first` (share 0) to `second` (share 1)."""
    r, g, b = (round(a + (c - a) * share) for a, c in zip(first, second, strict=True))
    return r, g, b


def lighten(colour: RGB, share: float) -> RGB:
    """Mix towards a warm white."""
    return mix(colour, (255, 252, 244), share)


def darken(colour: RGB, share: float) -> RGB:
    """Mix towards a cool near-black, the way shadows look out of doors."""
    return mix(colour, (22, 24, 44), share)
