"""How the time of day and the weather colour everything: sky, tint, haze."""

from dataclasses import dataclass

from examples.scenes.colour import RGB, mix

__all__ = ["LIGHTS", "Light"]


@dataclass(frozen=True)
class Light:
    """One kind of light; colours are graded when they are painted, lamps are not."""

    name: str
    skies: tuple[tuple[RGB, RGB, RGB], ...]  # top, middle, horizon; one is picked per scene
    tint: tuple[float, float, float]  # multiplies every painted colour
    haze: RGB  # what distance fades into
    shadow: int = 90  # opacity of cast shadows, 0-255
    clouds: RGB = (255, 255, 255)

    @property
    def dark(self) -> bool:
        """Whether lamps and windows are lit."""
        return self.name == "night"

    def grade(self, colour: RGB, depth: float = 0.0) -> RGB:
        """Tint a colour and fade it by `depth` (0 near, 1 far) into the haze."""
        r, g, b = (min(255, round(c * t)) for c, t in zip(colour, self.tint, strict=True))
        return mix((r, g, b), self.haze, depth)


LIGHTS: dict[str, Light] = {
    light.name: light
    for light in (
        Light(
            "day",
            (
                ((58, 140, 214), (128, 190, 236), (206, 232, 246)),
                ((84, 168, 220), (150, 208, 234), (232, 240, 232)),
                ((40, 118, 196), (110, 176, 228), (220, 234, 240)),
            ),
            (1.0, 1.0, 1.0),
            (204, 226, 240),
        ),
        Light(
            "sunset",
            (
                ((62, 58, 120), (226, 110, 98), (255, 204, 118)),
                ((96, 74, 140), (240, 140, 120), (255, 214, 150)),
                ((140, 66, 90), (244, 124, 66), (255, 206, 96)),
            ),
            (0.98, 0.82, 0.76),
            (246, 168, 120),
            shadow=110,
            clouds=(255, 176, 140),
        ),
        Light(
            "night",
            (
                ((8, 12, 40), (24, 34, 82), (54, 70, 122)),
                ((12, 10, 38), (38, 32, 84), (84, 70, 126)),
                ((6, 18, 40), (16, 46, 84), (42, 92, 124)),
            ),
            (0.52, 0.58, 0.83),
            (46, 58, 106),
            shadow=60,
            clouds=(60, 72, 116),
        ),
        Light(
            "rain",
            (((96, 110, 128), (136, 150, 164), (176, 186, 194)), ((82, 96, 118), (120, 134, 152), (168, 176, 186))),
            (0.74, 0.79, 0.86),
            (156, 168, 180),
            shadow=50,
            clouds=(120, 130, 144),
        ),
        Light(
            "snow",
            (((150, 168, 192), (188, 202, 218), (226, 232, 240)), ((164, 172, 196), (204, 208, 222), (236, 232, 236))),
            (0.90, 0.93, 1.0),
            (220, 228, 238),
            shadow=50,
            clouds=(232, 236, 242),
        ),
        Light(
            "fog",
            (((178, 190, 198), (204, 212, 216), (226, 230, 230)), ((190, 186, 180), (214, 210, 204), (232, 230, 224))),
            (0.88, 0.91, 0.92),
            (216, 221, 223),
            shadow=40,
            clouds=(228, 230, 232),
        ),
    )
}
