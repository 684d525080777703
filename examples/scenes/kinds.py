"""Every subject: who paints it, in which layer, how large, and in which colours."""

from collections.abc import Callable
from dataclasses import dataclass

from examples.scenes.colour import RGB
from examples.scenes.pen import Pen
from examples.scenes.subjects import (
    animals,
    boats,
    buildings,
    furniture,
    home,
    people,
    plants,
    seaworld,
    sky,
    space,
    things,
    vehicles,
    wildlife,
    woodland,
)

__all__ = ["SUBJECTS", "Kind"]

_ANY = ("red", "blue", "green", "yellow", "orange", "white", "purple", "pink", "turquoise")
_PAINTED = ("red", "blue", "green", "yellow", "orange", "white", "black", "grey")
_FUR = ("brown", "black", "white", "grey")
_SAILS = ("white", "red", "blue", "yellow", "orange")


@dataclass(frozen=True)
class Kind:
    """How a subject is placed: its layer, its height over the picture's height when near, half its width."""

    paint: Callable[[Pen, RGB], None]
    layer: str  # sky, back, ground, water, deep, table, wall
    height: float
    half: float  # half the width, in heights
    colours: tuple[str, ...] = ()
    plain: RGB = (90, 140, 70)  # painted so when the caption names no colour


SUBJECTS: dict[str, Kind] = {
    "car": Kind(vehicles.car, "ground", 0.19, 1.3, _PAINTED),
    "bus": Kind(vehicles.bus, "ground", 0.27, 1.2, _PAINTED[:5]),
    "bicycle": Kind(vehicles.bicycle, "ground", 0.22, 0.9, ("red", "blue", "green", "yellow", "black")),
    "tractor": Kind(vehicles.tractor, "ground", 0.28, 0.85, ("red", "green", "blue", "orange")),
    "train": Kind(vehicles.train, "track", 0.17, 3.1, ("red", "blue", "green", "yellow")),
    "sailing_boat": Kind(boats.sailing_boat, "water", 0.4, 0.55, _SAILS),
    "rowing_boat": Kind(boats.rowing_boat, "water", 0.11, 1.6, ("red", "blue", "green", "white", "yellow")),
    "ship": Kind(boats.ship, "water", 0.27, 1.15, ("red", "blue", "white", "black")),
    "duck": Kind(things.duck, "water", 0.12, 0.8, ("white", "yellow", "brown")),
    "dog": Kind(animals.dog, "ground", 0.24, 0.9, _FUR),
    "cat": Kind(animals.cat, "ground", 0.24, 0.6, ("black", "white", "grey", "orange")),
    "horse": Kind(animals.horse, "ground", 0.38, 0.65, _FUR),
    "cow": Kind(animals.cow, "ground", 0.29, 0.95, ("black", "brown")),
    "sheep": Kind(animals.sheep, "ground", 0.22, 0.7, ("white", "black")),
    "fish": Kind(things.fish, "deep", 0.2, 1.0, ("orange", "yellow", "red", "blue", "purple")),
    "tree": Kind(plants.tree, "back", 0.5, 0.4, (), (84, 148, 70)),
    "pine": Kind(plants.pine, "back", 0.48, 0.3, (), (46, 110, 80)),
    "palm": Kind(plants.palm, "back", 0.58, 0.45, (), (66, 150, 76)),
    "cactus": Kind(plants.cactus, "back", 0.36, 0.35, (), (78, 146, 90)),
    "sunflower": Kind(plants.sunflower, "ground", 0.4, 0.3, (), (250, 196, 50)),
    "house": Kind(buildings.house, "back", 0.36, 0.65, ("white", "yellow", "red", "blue", "green", "pink")),
    "church": Kind(buildings.church, "back", 0.46, 0.55, (), (150, 74, 62)),
    "castle": Kind(buildings.castle, "back", 0.46, 0.75, (), (196, 188, 182)),
    "lighthouse": Kind(buildings.lighthouse, "back", 0.58, 0.35, ("red", "blue", "green", "black")),
    "windmill": Kind(buildings.windmill, "back", 0.56, 0.5, (), (110, 76, 62)),
    "tent": Kind(buildings.tent, "ground", 0.26, 1.05, ("orange", "green", "blue", "red", "yellow")),
    "campfire": Kind(things.campfire, "ground", 0.17, 0.75),
    "parasol": Kind(things.parasol, "ground", 0.4, 0.75, _ANY),
    "person": Kind(people.person, "ground", 0.34, 0.3, ("red", "blue", "green", "yellow", "orange", "white", "black")),
    "child": Kind(people.child, "ground", 0.26, 0.6, ("red", "blue", "green", "yellow", "orange")),
    "umbrella_walker": Kind(people.umbrella_walker, "ground", 0.38, 0.5, _ANY),
    "snowman": Kind(people.snowman, "ground", 0.4, 0.5, ("red", "blue", "green", "orange")),
    "balloon": Kind(sky.balloon, "sky", 0.34, 0.4, _ANY),
    "plane": Kind(sky.plane, "sky", 0.15, 1.25, ("red", "blue", "orange", "green")),
    "bird_flock": Kind(sky.bird_flock, "sky", 0.13, 1.5, (), (48, 50, 64)),
    "butterfly": Kind(sky.butterfly, "low", 0.17, 0.65, ("orange", "blue", "yellow", "purple", "red", "white")),
    "kite": Kind(sky.kite, "sky", 0.2, 0.7, _ANY),
    "moon": Kind(sky.moon, "sky", 0.15, 0.6),
    "rainbow": Kind(sky.rainbow, "horizon", 0.44, 1.3),
    "vase": Kind(home.vase, "table", 0.5, 0.45, ("red", "yellow", "pink", "purple", "white", "orange")),
    "cup": Kind(home.cup, "table", 0.19, 0.95, ("white", "red", "blue", "green", "yellow", "black")),
    "apple": Kind(home.apple, "table", 0.15, 0.55, ("red", "green", "yellow")),
    "fruit_bowl": Kind(home.fruit_bowl, "table", 0.29, 0.85, ("blue", "white", "green", "brown")),
    "cake": Kind(home.cake, "table", 0.33, 0.9, ("pink", "white", "brown", "blue")),
    "books": Kind(home.books, "table", 0.24, 0.75),
    "clock": Kind(home.clock, "wall", 0.24, 0.55, ("red", "blue", "black", "brown", "white")),
    "lamp": Kind(home.lamp, "back", 0.62, 0.25, ("yellow", "red", "white", "green")),
    "truck": Kind(vehicles.truck, "ground", 0.29, 1.15, _PAINTED[:6]),
    "elephant": Kind(wildlife.elephant, "ground", 0.44, 1.08, (), (140, 146, 156)),
    "giraffe": Kind(wildlife.giraffe, "ground", 0.66, 0.4, (), (240, 204, 128)),
    "camel": Kind(wildlife.camel, "ground", 0.38, 0.75, (), (174, 116, 66)),
    "penguin": Kind(wildlife.penguin, "ground", 0.3, 0.45, ("red", "blue", "green", "yellow", "orange", "pink")),
    "fox": Kind(woodland.fox, "ground", 0.22, 1.05, (), (222, 112, 46)),
    "deer": Kind(woodland.deer, "ground", 0.46, 0.5, (), (160, 104, 62)),
    "rabbit": Kind(woodland.rabbit, "ground", 0.18, 0.55, _FUR),
    "chicken": Kind(woodland.chicken, "ground", 0.19, 0.6, ("white", "brown", "black")),
    "whale": Kind(seaworld.whale, "water", 0.25, 1.25, (), (66, 100, 144)),
    "turtle": Kind(seaworld.turtle, "deep", 0.2, 1.0, (), (110, 120, 60)),
    "jellyfish": Kind(seaworld.jellyfish, "deep", 0.27, 0.45, ("pink", "purple", "white", "orange")),
    "octopus": Kind(seaworld.octopus, "deep", 0.26, 0.85, ("red", "orange", "purple", "pink")),
    "fish_school": Kind(things.fish_school, "deep", 0.3, 0.9, ("yellow", "blue", "red", "orange", "white")),
    "rocket": Kind(space.rocket, "deep", 0.58, 0.32, ("red", "blue", "orange", "green")),
    "planet": Kind(space.planet, "sky", 0.3, 0.95, ("orange", "blue", "red", "green", "purple")),
    "woman": Kind(people.woman, "ground", 0.34, 0.3, ("red", "blue", "green", "yellow", "purple", "pink", "white")),
    "girl": Kind(people.girl, "ground", 0.42, 0.32, ("red", "blue", "green", "yellow", "pink", "orange")),
    "footballer": Kind(people.footballer, "ground", 0.36, 0.5, ("red", "blue", "yellow", "green", "white", "orange")),
    "teapot": Kind(home.teapot, "table", 0.22, 0.95, ("blue", "white", "red", "green", "yellow")),
    "sofa": Kind(furniture.sofa, "back", 0.27, 1.2, ("red", "blue", "green", "yellow", "grey", "orange")),
    "potted_plant": Kind(furniture.potted_plant, "back", 0.4, 0.45, ("white", "red", "blue", "orange")),
    "christmas_tree": Kind(furniture.christmas_tree, "back", 0.58, 0.42),
    "guitar": Kind(home.guitar, "ground", 0.5, 0.3, ("brown", "red", "black", "orange")),
}
