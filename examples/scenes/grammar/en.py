"""English captions."""

import re
from typing import ClassVar

from examples.scenes.grammar.phrase import Language, Noun, Parts, Place, capital

__all__ = ["LANGUAGE"]

_WHERE = {"near": "nearby", "below": "below", "sky": "in the sky", "wall": "on the wall"}


def _n(noun: str, verb: str) -> Noun:
    return Noun("a", noun, "", verb)


class English(Language):
    """Subject, verb, place, time."""

    code = "en"
    joint = " and "
    nouns: ClassVar[dict[str, Noun]] = {
        "car": _n("{} car", "is parked"),
        "bus": _n("{} bus", "stops"),
        "bicycle": _n("{} bicycle", "stands"),
        "tractor": _n("{} tractor", "stands"),
        "train": _n("{} train", "passes"),
        "sailing_boat": _n("{} sailing boat", "sails"),
        "rowing_boat": _n("{} rowing boat", "floats"),
        "ship": _n("{} steamship", "cruises"),
        "duck": _n("{} duck", "swims"),
        "dog": _n("{} dog", "stands"),
        "cat": _n("{} cat", "sits"),
        "horse": _n("{} horse", "stands"),
        "cow": _n("{} and white cow", "grazes"),
        "sheep": _n("{} sheep", "grazes"),
        "fish": _n("{} fish", "swims"),
        "tree": _n("tree", "grows"),
        "pine": _n("fir tree", "grows"),
        "palm": _n("palm tree", "grows"),
        "cactus": _n("cactus", "grows"),
        "sunflower": _n("sunflower", "blooms"),
        "house": _n("{} house", "stands"),
        "church": _n("church", "stands"),
        "castle": _n("castle", "stands"),
        "lighthouse": _n("{} and white lighthouse", "stands"),
        "windmill": _n("windmill", "stands"),
        "tent": _n("{} tent", "is pitched"),
        "campfire": _n("campfire", "burns"),
        "parasol": _n("{} beach umbrella", "stands"),
        "person": _n("person in a {} jacket", "walks"),
        "child": _n("child in a {} shirt", "plays with a ball"),
        "umbrella_walker": _n("person with a {} umbrella", "walks"),
        "snowman": _n("snowman with a {} scarf", "stands"),
        "balloon": _n("{} hot-air balloon", "floats"),
        "plane": _n("white plane with a {} tail", "flies"),
        "bird_flock": _n("flock of birds", "flies"),
        "butterfly": _n("{} butterfly", "flutters"),
        "kite": _n("{} kite", "flies"),
        "moon": _n("full moon", "shines"),
        "rainbow": _n("rainbow", "arches"),
        "vase": _n("vase with {} flowers", "stands"),
        "cup": _n("{} cup of coffee", "stands"),
        "apple": _n("{} apple", "lies"),
        "fruit_bowl": _n("{} fruit bowl", "stands"),
        "cake": _n("birthday cake with {} icing", "stands"),
        "books": _n("stack of books", "lies"),
        "clock": _n("{} clock", "hangs"),
        "lamp": _n("{} floor lamp", "stands"),
        "guitar": _n("{} guitar", "stands"),
        "truck": _n("{} truck", "is parked"),
        "elephant": _n("grey elephant", "walks"),
        "giraffe": _n("giraffe", "stands"),
        "camel": _n("camel", "stands"),
        "penguin": _n("penguin with a {} scarf", "stands"),
        "fox": _n("red fox", "stands"),
        "deer": _n("stag with antlers", "stands"),
        "rabbit": _n("{} rabbit", "sits"),
        "chicken": _n("{} hen", "stands"),
        "whale": _n("blue whale", "surfaces"),
        "turtle": _n("sea turtle", "swims"),
        "jellyfish": _n("{} jellyfish", "drifts"),
        "octopus": _n("{} octopus", "swims"),
        "fish_school": _n("school of {} fish", "swims"),
        "rocket": _n("rocket with a {} nose", "flies"),
        "planet": _n("{} planet with a ring", "shines"),
        "woman": _n("woman in a {} dress", "stands"),
        "girl": _n("girl with a {} balloon", "stands"),
        "footballer": _n("football player in a {} shirt", "plays"),
        "teapot": _n("{} teapot", "stands"),
        "sofa": _n("{} sofa", "stands"),
        "potted_plant": _n("potted plant in a {} pot", "stands"),
        "christmas_tree": _n("decorated Christmas tree", "stands"),
    }
    places: ClassVar[dict[str, Place]] = {
        "beach": Place("on the beach", "over the beach", "beach", "on the sea off the beach"),
        "sea": Place("by the sea", "over the sea", "sea", "on the sea"),
        "lake": Place("by the lake", "over the lake", "lake", "on the lake"),
        "harbour": Place("in the harbour", "over the harbour", "harbour", "in the harbour"),
        "underwater": Place("under water among corals", "over the coral reef", "coral reef"),
        "mountains": Place("in the mountains", "over the mountains", "mountains"),
        "forest": Place("in the forest", "over the forest", "forest"),
        "meadow": Place("in a flower meadow", "over a flower meadow", "flower meadow"),
        "desert": Place("in the desert", "over the desert", "desert"),
        "snowfield": Place("in a snowy field", "over a snowy field", "snowy field"),
        "camp": Place("in a clearing in the woods", "over a clearing in the woods", "clearing in the woods"),
        "farm": Place("on a farm", "over a farm", "farm"),
        "city": Place("on a city street", "over a city street", "city street"),
        "village": Place("in a village", "over a village", "village"),
        "park": Place("in the park", "over the park", "park"),
        "railway": Place("on the railway line", "over the railway line", "railway line"),
        "living_room": Place("in the living room", "", "living room", wall="on the living room wall"),
        "kitchen": Place("on the kitchen table", "", "kitchen table", wall="on the kitchen wall"),
        "space": Place("in space", "in space", "outer space"),
        "river": Place(
            "on the bank of the river by a stone bridge",
            "over the river with a stone bridge",
            "river with a stone bridge",
            "on the river by a stone bridge",
        ),
        "savannah": Place("in the savannah", "over the savannah", "savannah"),
        "ice": Place("on the ice by the polar sea", "over the polar sea", "polar ice", "in the polar sea"),
        "autumn": Place("in an autumn forest", "over an autumn forest", "autumn forest"),
        "lavender": Place("in a lavender field", "over a lavender field", "lavender field"),
        "football": Place("on a football pitch", "over a football pitch", "football pitch"),
    }
    times: ClassVar[dict[str, tuple[str, str]]] = {
        "day": ("on a sunny day", "sunny day"),
        "sunset": ("at sunset", "sunset"),
        "night": ("at night", "night"),
        "rain": ("in the rain", "rain"),
        "snow": ("in falling snow", "snowfall"),
        "fog": ("in the fog", "fog"),
        "evening": ("in the evening", "evening"),
    }

    def colour(self, name: str, form: str) -> str:  # noqa: ARG002 - other languages need it
        """English adjectives have one form."""
        return name

    def phrase(self, kind: str, colour: str | None) -> str:
        """With "an" before a vowel sound."""
        return re.sub(r"\ba (?=[aeiou])", "an ", super().phrase(kind, colour))

    def sentence(self, parts: Parts) -> str:
        """A red car is parked on the beach at sunset, with a dog nearby and a balloon in the sky."""
        main = " ".join(filter(None, (parts.subject, parts.verb, parts.place, parts.time)))
        others = " and ".join(f"{things} {_WHERE[where]}" for where, things in self.grouped(parts.others))
        return capital(f"{main}, with {others}." if others else f"{main}.")

    def short(self, subjects: list[str], place: str) -> str:
        """A red car and a dog on the beach."""
        return capital(f"{self.listing(subjects)} {place}")


LANGUAGE = English()
