"""German captions."""

from typing import ClassVar

from examples.scenes.grammar.phrase import Language, Noun, Parts, Place, capital

__all__ = ["LANGUAGE"]

_STEMS = {
    "red": "rot", "blue": "blau", "green": "grün", "yellow": "gelb", "orange": "orangefarben", "white": "weiß",
    "black": "schwarz", "brown": "braun", "grey": "grau", "pink": "rosafarben", "purple": "violett",
    "turquoise": "türkisfarben",
}  # fmt: skip
_WHERE = {"near": "daneben", "below": "darunter", "sky": "am Himmel", "wall": "an der Wand"}


def _m(noun: str, verb: str, form: str = "er") -> Noun:
    return Noun("ein", noun, form, verb)


def _f(noun: str, verb: str, form: str = "e") -> Noun:
    return Noun("eine", noun, form, verb)


def _n(noun: str, verb: str, form: str = "es") -> Noun:
    return Noun("ein", noun, form, verb)


class German(Language):
    """Subject, verb, time, place. The form of a colour is its ending; after "mit" it is the strong dative."""

    code = "de"
    joint = " und "
    nouns: ClassVar[dict[str, Noun]] = {
        "car": _n("{} Auto", "steht"),
        "bus": _m("{} Bus", "hält"),
        "bicycle": _n("{} Fahrrad", "steht"),
        "tractor": _m("{} Traktor", "steht"),
        "train": _m("{} Zug", "fährt"),
        "sailing_boat": _n("{} Segelboot", "segelt"),
        "rowing_boat": _n("{} Ruderboot", "schwimmt"),
        "ship": _n("{} Dampfschiff", "fährt"),
        "duck": _f("{} Ente", "schwimmt"),
        "dog": _m("{} Hund", "steht"),
        "cat": _f("{} Katze", "sitzt"),
        "horse": _n("{} Pferd", "steht"),
        "cow": _f("{}-weiße Kuh", "grast", ""),
        "sheep": _n("{} Schaf", "grast"),
        "fish": _m("{} Fisch", "schwimmt"),
        "tree": _m("Baum", "wächst"),
        "pine": _f("Tanne", "wächst"),
        "palm": _f("Palme", "wächst"),
        "cactus": _m("Kaktus", "wächst"),
        "sunflower": _f("Sonnenblume", "blüht"),
        "house": _n("{} Haus", "steht"),
        "church": _f("Kirche", "steht"),
        "castle": _f("Burg", "steht"),
        "lighthouse": _m("{}-weißer Leuchtturm", "steht", ""),
        "windmill": _f("Windmühle", "steht"),
        "tent": _n("{} Zelt", "steht"),
        "campfire": _n("Lagerfeuer", "brennt"),
        "parasol": _m("{} Sonnenschirm", "steht"),
        "person": _f("Person in {} Jacke", "spaziert", "er"),
        "child": _n("Kind in {} Hemd", "spielt mit einem Ball", "em"),
        "umbrella_walker": _f("Person mit {} Regenschirm", "spaziert", "em"),
        "snowman": _m("Schneemann mit {} Schal", "steht", "em"),
        "balloon": _m("{} Heißluftballon", "schwebt"),
        "plane": _n("weißes Flugzeug mit {} Heck", "fliegt", "em"),
        "bird_flock": _m("Vogelschwarm", "fliegt"),
        "butterfly": _m("{} Schmetterling", "flattert"),
        "kite": _m("{} Drachen", "fliegt"),
        "moon": _m("Vollmond", "leuchtet"),
        "rainbow": _m("Regenbogen", "spannt sich"),
        "vase": _f("Vase mit {} Blumen", "steht", "en"),
        "cup": _f("{} Tasse Kaffee", "steht"),
        "apple": _m("{} Apfel", "liegt"),
        "fruit_bowl": _f("{} Obstschale", "steht"),
        "cake": _f("Geburtstagstorte mit {} Glasur", "steht", "er"),
        "books": _m("Stapel Bücher", "liegt"),
        "clock": _f("{} Uhr", "hängt"),
        "lamp": _f("{} Stehlampe", "steht"),
        "guitar": _f("{} Gitarre", "steht"),
        "truck": _m("{} Lastwagen", "steht"),
        "elephant": _m("grauer Elefant", "läuft"),
        "giraffe": _f("Giraffe", "steht"),
        "camel": _n("Kamel", "steht"),
        "penguin": _m("Pinguin mit {} Schal", "steht", "em"),
        "fox": _m("roter Fuchs", "steht"),
        "deer": _m("Hirsch mit Geweih", "steht"),
        "rabbit": _n("{} Kaninchen", "sitzt"),
        "chicken": _f("{} Henne", "steht"),
        "whale": _m("blauer Wal", "schwimmt"),
        "turtle": _f("Meeresschildkröte", "schwimmt"),
        "jellyfish": _f("{} Qualle", "treibt"),
        "octopus": _m("{} Krake", "schwimmt"),
        "fish_school": _m("Schwarm {} Fische", "schwimmt", "er"),
        "rocket": _f("Rakete mit {} Spitze", "fliegt", "er"),
        "planet": _m("{} Planet mit Ring", "leuchtet"),
        "woman": _f("Frau in {} Kleid", "steht", "em"),
        "girl": _n("Mädchen mit {} Luftballon", "steht", "em"),
        "footballer": _m("Fußballspieler in {} Trikot", "spielt", "em"),
        "teapot": _f("{} Teekanne", "steht"),
        "sofa": _n("{} Sofa", "steht"),
        "potted_plant": _f("Zimmerpflanze in {} Topf", "steht", "em"),
        "christmas_tree": _m("geschmückter Weihnachtsbaum", "steht"),
    }
    places: ClassVar[dict[str, Place]] = {
        "beach": Place("am Strand", "über dem Strand", "Strand", "auf dem Meer vor dem Strand"),
        "sea": Place("am Meer", "über dem Meer", "Meer", "auf dem Meer"),
        "lake": Place("am See", "über dem See", "See", "auf dem See"),
        "harbour": Place("im Hafen", "über dem Hafen", "Hafen", "im Hafen"),
        "underwater": Place("unter Wasser zwischen Korallen", "über dem Korallenriff", "Korallenriff"),
        "mountains": Place("in den Bergen", "über den Bergen", "Berge"),
        "forest": Place("im Wald", "über dem Wald", "Wald"),
        "meadow": Place("auf einer Blumenwiese", "über einer Blumenwiese", "Blumenwiese"),
        "desert": Place("in der Wüste", "über der Wüste", "Wüste"),
        "snowfield": Place("auf einem verschneiten Feld", "über einem verschneiten Feld", "verschneites Feld"),
        "camp": Place("auf einer Waldlichtung", "über einer Waldlichtung", "Waldlichtung"),
        "farm": Place("auf einem Bauernhof", "über einem Bauernhof", "Bauernhof"),
        "city": Place("auf einer Straße in der Stadt", "über einer Straße in der Stadt", "Straße in der Stadt"),
        "village": Place("in einem Dorf", "über einem Dorf", "Dorf"),
        "park": Place("im Park", "über dem Park", "Park"),
        "railway": Place("auf der Bahnstrecke", "über der Bahnstrecke", "Bahnstrecke"),
        "living_room": Place("im Wohnzimmer", "", "Wohnzimmer", wall="an der Wand im Wohnzimmer"),
        "kitchen": Place("auf dem Küchentisch", "", "Küchentisch", wall="an der Küchenwand"),
        "space": Place("im Weltraum", "im Weltraum", "Weltraum"),
        "river": Place(
            "am Flussufer bei einer Steinbrücke",
            "über dem Fluss mit einer Steinbrücke",
            "Fluss mit Steinbrücke",
            "auf dem Fluss bei einer Steinbrücke",
        ),
        "savannah": Place("in der Savanne", "über der Savanne", "Savanne"),
        "ice": Place("auf dem Eis am Polarmeer", "über dem Polarmeer", "Polareis", "im Polarmeer"),
        "autumn": Place("im Herbstwald", "über dem Herbstwald", "Herbstwald"),
        "lavender": Place("in einem Lavendelfeld", "über einem Lavendelfeld", "Lavendelfeld"),
        "football": Place("auf einem Fußballplatz", "über einem Fußballplatz", "Fußballplatz"),
    }
    times: ClassVar[dict[str, tuple[str, str]]] = {
        "day": ("an einem sonnigen Tag", "sonniger Tag"),
        "sunset": ("bei Sonnenuntergang", "Sonnenuntergang"),
        "night": ("in der Nacht", "Nacht"),
        "rain": ("im Regen", "Regen"),
        "snow": ("bei Schneefall", "Schneefall"),
        "fog": ("im Nebel", "Nebel"),
        "evening": ("am Abend", "Abend"),
    }

    def colour(self, name: str, form: str) -> str:
        """Stem and ending, all of these colours are regular."""
        return _STEMS[name] + form

    def sentence(self, parts: Parts) -> str:
        """Ein rotes Auto steht bei Sonnenuntergang am Strand, daneben ein Hund, am Himmel ein Ballon."""
        verb, _, rest = parts.verb.partition(" ")
        main = " ".join(filter(None, (parts.subject, verb, parts.time, parts.place, rest)))
        if rest == "sich":
            main = " ".join(filter(None, (parts.subject, verb, rest, parts.time, parts.place)))
        return capital(
            main + "".join(f", {_WHERE[where]} {things}" for where, things in self.grouped(parts.others)) + "."
        )

    def short(self, subjects: list[str], place: str) -> str:
        """Ein rotes Auto und ein Hund am Strand."""
        return capital(f"{self.listing(subjects)} {place}")


LANGUAGE = German()
