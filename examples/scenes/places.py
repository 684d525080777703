"""Every setting: its backdrop, the heights at which subjects stand, float or fly, and what fits in."""

from collections.abc import Callable
from dataclasses import dataclass

from examples.scenes.canvas import Canvas
from examples.scenes.settings import coast, country, indoor, town, wide

__all__ = ["SETTINGS", "Setting"]

Span = tuple[float, float]


@dataclass(frozen=True)
class Setting:
    """A backdrop, and between which heights (fractions from the top) subjects stand, float or fly."""

    paint: Callable[[Canvas], None]
    layers: dict[str, Span]
    kinds: tuple[str, ...]  # what fits in; named twice, it comes up twice as often
    times: tuple[str, ...]  # likewise
    lamplit: bool = False  # a room, warm at night


def _setting(
    paint: Callable[[Canvas], None],
    layers: dict[str, Span],
    kinds: str,
    times: str = "day day sunset night rain snow fog",
    lamplit: bool = False,
) -> Setting:
    return Setting(paint, layers, tuple(kinds.split()), tuple(times.split()), lamplit)


_SKY = "balloon plane bird_flock kite moon rainbow"
_MIXED = "car bicycle dog cat person child umbrella_walker"

SETTINGS: dict[str, Setting] = {
    "beach": _setting(
        coast.beach,
        {
            "sky": (0.08, 0.34),
            "horizon": (0.42, 0.42),
            "water": (0.48, 0.57),
            "back": (0.68, 0.74),
            "ground": (0.78, 0.95),
            "low": (0.5, 0.7),
        },
        f"{_SKY} sailing_boat ship palm parasol dog person child lighthouse woman girl horse",
        "day day day sunset night rain fog",
    ),
    "sea": _setting(
        coast.sea,
        {"sky": (0.08, 0.36), "horizon": (0.5, 0.5), "water": (0.62, 0.9)},
        f"{_SKY} sailing_boat sailing_boat ship ship rowing_boat whale whale",
        "day day sunset sunset night rain fog",
    ),
    "lake": _setting(
        coast.lake,
        {
            "sky": (0.06, 0.26),
            "horizon": (0.46, 0.46),
            "water": (0.62, 0.86),
            "back": (0.94, 0.97),
            "ground": (0.95, 0.98),
        },
        f"{_SKY} sailing_boat rowing_boat duck dog person woman tent sailing_boat duck deer",
    ),
    "harbour": _setting(
        coast.harbour,
        {"sky": (0.06, 0.18), "horizon": (0.46, 0.46), "water": (0.66, 0.9)},
        "sailing_boat rowing_boat ship duck bird_flock plane moon",
    ),
    "underwater": _setting(
        coast.underwater,
        {"deep": (0.25, 0.72)},
        "fish fish_school turtle jellyfish octopus",
        "day",
    ),
    "space": _setting(
        wide.space,
        {"deep": (0.5, 0.56), "sky": (0.15, 0.6)},
        "rocket planet",
        "night",
    ),
    "river": _setting(
        wide.river,
        {"sky": (0.06, 0.2), "horizon": (0.5, 0.5), "water": (0.74, 0.88), "ground": (0.94, 0.98)},
        f"{_SKY} rowing_boat duck duck rowing_boat cow sheep dog woman bicycle person",
        "day day sunset rain fog snow night",
    ),
    "savannah": _setting(
        wide.savannah,
        {"sky": (0.06, 0.3), "ground": (0.8, 0.95)},
        "elephant giraffe elephant giraffe truck balloon bird_flock plane tent moon",
        "day day sunset sunset night",
    ),
    "ice": _setting(
        wide.ice,
        {"sky": (0.06, 0.3), "horizon": (0.48, 0.48), "water": (0.62, 0.68), "ground": (0.86, 0.96)},
        "penguin penguin penguin whale ship moon bird_flock plane",
        "day day sunset night snow fog",
    ),
    "autumn": _setting(
        wide.autumn,
        {"back": (0.76, 0.8), "ground": (0.84, 0.96)},
        "fox deer rabbit dog horse bicycle woman person child umbrella_walker house girl",
        "day day sunset rain fog",
    ),
    "lavender": _setting(
        wide.lavender,
        {"sky": (0.06, 0.26), "horizon": (0.47, 0.47), "back": (0.6, 0.66), "ground": (0.82, 0.95), "low": (0.4, 0.75)},
        f"{_SKY} butterfly woman house bicycle windmill tractor horse girl dog castle",
        "day day sunset rain fog night",
    ),
    "football": _setting(
        wide.football,
        {"sky": (0.06, 0.22), "horizon": (0.48, 0.48), "ground": (0.8, 0.96)},
        "footballer footballer footballer child dog balloon plane moon rainbow bird_flock",
        "day day sunset rain night snow",
    ),
    "mountains": _setting(
        country.mountains,
        {"sky": (0.06, 0.2), "horizon": (0.6, 0.6), "back": (0.7, 0.76), "ground": (0.8, 0.95), "low": (0.5, 0.8)},
        f"{_SKY} horse cow sheep dog house church castle tent person woman car bicycle pine deer",
    ),
    "forest": _setting(
        country.forest,
        {"back": (0.76, 0.8), "ground": (0.84, 0.96), "low": (0.45, 0.8)},
        "dog horse tent bicycle person child campfire butterfly fox fox deer deer rabbit rabbit woman "
        "umbrella_walker house",
    ),
    "meadow": _setting(
        country.meadow,
        {
            "sky": (0.06, 0.34),
            "horizon": (0.56, 0.56),
            "back": (0.62, 0.68),
            "ground": (0.78, 0.95),
            "low": (0.4, 0.75),
        },
        f"{_SKY} butterfly horse cow sheep dog cat child tree windmill house sunflower tractor castle bicycle "
        "rabbit girl woman",
        "day day day sunset rain fog night",
    ),
    "desert": _setting(
        country.desert,
        {"sky": (0.06, 0.34), "horizon": (0.58, 0.58), "back": (0.7, 0.76), "ground": (0.82, 0.95)},
        "cactus camel camel car truck person tent palm balloon plane moon campfire castle cactus",
        "day day sunset night",
    ),
    "snowfield": _setting(
        country.snowfield,
        {"sky": (0.06, 0.32), "horizon": (0.56, 0.56), "back": (0.66, 0.72), "ground": (0.8, 0.95)},
        "snowman house dog horse person child church pine bird_flock moon balloon snowman fox deer woman",
        "day sunset night snow snow fog",
    ),
    "camp": _setting(
        country.camp,
        {"sky": (0.08, 0.3), "back": (0.72, 0.76), "ground": (0.82, 0.95)},
        "tent campfire tent campfire guitar dog person bicycle car moon bird_flock",
        "night night night sunset day rain",
    ),
    "farm": _setting(
        country.farm,
        {"sky": (0.06, 0.28), "horizon": (0.5, 0.5), "back": (0.66, 0.7), "ground": (0.8, 0.95), "low": (0.5, 0.8)},
        f"{_SKY} tractor cow sheep horse dog cat windmill house sunflower tree tractor chicken chicken truck",
    ),
    "city": _setting(
        town.city,
        {"sky": (0.05, 0.12), "ground": (0.84, 0.96)},
        "car car bus bus bicycle person umbrella_walker dog moon woman truck",
        "night night day sunset rain rain snow",
    ),
    "village": _setting(
        town.village,
        {"sky": (0.06, 0.22), "horizon": (0.5, 0.5), "ground": (0.82, 0.95), "low": (0.5, 0.8)},
        f"{_SKY} {_MIXED} horse sheep tractor bus truck chicken woman girl",
    ),
    "park": _setting(
        town.park,
        {"sky": (0.06, 0.2), "horizon": (0.5, 0.5), "back": (0.68, 0.72), "ground": (0.8, 0.95), "low": (0.45, 0.75)},
        f"{_MIXED} balloon kite butterfly bird_flock moon rainbow woman girl rabbit",
    ),
    "railway": _setting(
        town.railway,
        {
            "sky": (0.06, 0.3),
            "horizon": (0.52, 0.52),
            "track": (0.815, 0.815),
            "back": (0.64, 0.68),
            "ground": (0.94, 0.97),
        },
        "train train train train balloon bird_flock moon rainbow plane house tree windmill",
    ),
    "living_room": _setting(
        indoor.living_room,
        {"wall": (0.3, 0.36), "back": (0.76, 0.78), "ground": (0.86, 0.95)},
        "cat dog lamp guitar clock cat sofa sofa potted_plant christmas_tree",
        "day night",
        lamplit=True,
    ),
    "kitchen": _setting(
        indoor.kitchen,
        {"table": (0.76, 0.89), "wall": (0.3, 0.36)},
        "vase cup apple fruit_bowl cake books clock teapot",
        "day night",
        lamplit=True,
    ),
}
