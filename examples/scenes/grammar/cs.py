"""Czech captions."""

import re
from typing import ClassVar

from examples.scenes.grammar.phrase import Language, Noun, Parts, Place, capital

__all__ = ["LANGUAGE"]

_STEMS = {
    "red": "červen", "blue": "modr", "green": "zelen", "yellow": "žlut", "orange": "oranžov", "white": "bíl",
    "black": "čern", "brown": "hněd", "grey": "šed", "pink": "růžov", "purple": "fialov", "turquoise": "tyrkysov",
}  # fmt: skip
_WHERE = {"near": "vedle je", "below": "dole je", "sky": "na obloze je", "wall": "na zdi visí"}


def _n(noun: str, form: str, verb: str) -> Noun:
    return Noun("", noun, form, verb)


class Czech(Language):
    """Time, verb, place, subject: what is new comes last. The form of a colour is its ending."""

    code = "cs"
    joint = " a "
    nouns: ClassVar[dict[str, Noun]] = {
        "car": _n("{} auto", "é", "stojí"),
        "bus": _n("{} autobus", "ý", "stojí"),
        "bicycle": _n("{} kolo", "é", "stojí"),
        "tractor": _n("{} traktor", "ý", "stojí"),
        "train": _n("{} vlak", "ý", "jede"),
        "sailing_boat": _n("{} plachetnice", "á", "pluje"),
        "rowing_boat": _n("{} loďka", "á", "pluje"),
        "ship": _n("{} parník", "ý", "pluje"),
        "duck": _n("{} kachna", "á", "plave"),
        "dog": _n("{} pes", "ý", "stojí"),
        "cat": _n("{} kočka", "á", "sedí"),
        "horse": _n("{} kůň", "ý", "stojí"),
        "cow": _n("{}bílá kráva", "o", "se pase"),
        "sheep": _n("{} ovce", "á", "se pase"),
        "fish": _n("{} ryba", "á", "plave"),
        "tree": _n("strom", "", "roste"),
        "pine": _n("jedle", "", "roste"),
        "palm": _n("palma", "", "roste"),
        "cactus": _n("kaktus", "", "roste"),
        "sunflower": _n("slunečnice", "", "kvete"),
        "house": _n("{} dům", "ý", "stojí"),
        "church": _n("kostel", "", "stojí"),
        "castle": _n("hrad", "", "stojí"),
        "lighthouse": _n("{}bílý maják", "o", "stojí"),
        "windmill": _n("větrný mlýn", "", "stojí"),
        "tent": _n("{} stan", "ý", "stojí"),
        "campfire": _n("táborák", "", "hoří"),
        "parasol": _n("{} slunečník", "ý", "stojí"),
        "person": _n("člověk v {} bundě", "é", "se prochází"),
        "child": _n("dítě v {} tričku", "ém", "si hraje s míčem"),
        "umbrella_walker": _n("člověk s {} deštníkem", "ým", "se prochází"),
        "snowman": _n("sněhulák s {} šálou", "ou", "stojí"),
        "balloon": _n("{} horkovzdušný balon", "ý", "letí"),
        "plane": _n("bílé letadlo s {} ocasem", "ým", "letí"),
        "bird_flock": _n("hejno ptáků", "", "letí"),
        "butterfly": _n("{} motýl", "ý", "poletuje"),
        "kite": _n("{} papírový drak", "ý", "letí"),
        "moon": _n("měsíc v úplňku", "", "svítí"),
        "rainbow": _n("duha", "", "se klene"),
        "vase": _n("váza s {} květinami", "ými", "stojí"),
        "cup": _n("{} šálek kávy", "ý", "stojí"),
        "apple": _n("{} jablko", "é", "leží"),
        "fruit_bowl": _n("{} mísa s ovocem", "á", "stojí"),
        "cake": _n("narozeninový dort s {} polevou", "ou", "stojí"),
        "books": _n("hromádka knih", "", "leží"),
        "clock": _n("{} nástěnné hodiny", "é", "visí"),
        "lamp": _n("{} stojací lampa", "á", "stojí"),
        "guitar": _n("{} kytara", "á", "stojí"),
        "truck": _n("{} nákladní auto", "é", "stojí"),
        "elephant": _n("šedý slon", "", "kráčí"),
        "giraffe": _n("žirafa", "", "stojí"),
        "camel": _n("velbloud", "", "stojí"),
        "penguin": _n("tučňák s {} šálou", "ou", "stojí"),
        "fox": _n("ryšavá liška", "", "stojí"),
        "deer": _n("jelen s parohy", "", "stojí"),
        "rabbit": _n("{} králík", "ý", "sedí"),
        "chicken": _n("{} slepice", "á", "stojí"),
        "whale": _n("modrá velryba", "", "plave"),
        "turtle": _n("mořská želva", "", "plave"),
        "jellyfish": _n("{} medúza", "á", "se vznáší"),
        "octopus": _n("{} chobotnice", "á", "plave"),
        "fish_school": _n("hejno {} ryb", "ých", "plave"),
        "rocket": _n("raketa s {} špičkou", "ou", "letí"),
        "planet": _n("{} planeta s prstencem", "á", "září"),
        "woman": _n("žena v {} šatech", "ých", "stojí"),
        "girl": _n("dívka s {} balonkem", "ým", "stojí"),
        "footballer": _n("fotbalista v {} dresu", "ém", "hraje"),
        "teapot": _n("{} čajová konvice", "á", "stojí"),
        "sofa": _n("{} pohovka", "á", "stojí"),
        "potted_plant": _n("pokojová rostlina v {} květináči", "ém", "stojí"),
        "christmas_tree": _n("ozdobený vánoční stromek", "", "stojí"),
    }
    places: ClassVar[dict[str, Place]] = {
        "beach": Place("na pláži", "nad pláží", "pláž", "na moři u pláže"),
        "sea": Place("u moře", "nad mořem", "moře", "na moři"),
        "lake": Place("u jezera", "nad jezerem", "jezero", "na jezeře"),
        "harbour": Place("v přístavu", "nad přístavem", "přístav", "v přístavu"),
        "underwater": Place("pod vodou mezi korály", "nad korálovým útesem", "korálový útes"),
        "mountains": Place("v horách", "nad horami", "hory"),
        "forest": Place("v lese", "nad lesem", "les"),
        "meadow": Place("na rozkvetlé louce", "nad rozkvetlou loukou", "rozkvetlá louka"),
        "desert": Place("v poušti", "nad pouští", "poušť"),
        "snowfield": Place("na zasněženém poli", "nad zasněženým polem", "zasněžené pole"),
        "camp": Place("na lesní mýtině", "nad lesní mýtinou", "lesní mýtina"),
        "farm": Place("na statku", "nad statkem", "statek"),
        "city": Place("na ulici ve městě", "nad ulicí ve městě", "ulice ve městě"),
        "village": Place("ve vesnici", "nad vesnicí", "vesnice"),
        "park": Place("v parku", "nad parkem", "park"),
        "railway": Place("na železniční trati", "nad železniční tratí", "železniční trať"),
        "living_room": Place("v obývacím pokoji", "", "obývací pokoj", wall="na zdi v obývacím pokoji"),
        "kitchen": Place("na kuchyňském stole", "", "kuchyňský stůl", wall="na zdi v kuchyni"),
        "space": Place("ve vesmíru", "ve vesmíru", "vesmír"),
        "river": Place(
            "na břehu řeky u kamenného mostu",
            "nad řekou s kamenným mostem",
            "řeka s kamenným mostem",
            "na řece u kamenného mostu",
        ),
        "savannah": Place("v savaně", "nad savanou", "savana"),
        "ice": Place("na ledu u polárního moře", "nad polárním mořem", "polární led", "v polárním moři"),
        "autumn": Place("v podzimním lese", "nad podzimním lesem", "podzimní les"),
        "lavender": Place("v levandulovém poli", "nad levandulovým polem", "levandulové pole"),
        "football": Place("na fotbalovém hřišti", "nad fotbalovým hřištěm", "fotbalové hřiště"),
    }
    times: ClassVar[dict[str, tuple[str, str]]] = {
        "day": ("za slunečného dne", "slunečný den"),
        "sunset": ("při západu slunce", "západ slunce"),
        "night": ("v noci", "noc"),
        "rain": ("v dešti", "déšť"),
        "snow": ("při sněžení", "sněžení"),
        "fog": ("v mlze", "mlha"),
        "evening": ("večer", "večer"),
    }

    def colour(self, name: str, form: str) -> str:
        """Stem and ending of the hard declension; "o" makes compounds (černobílá)."""
        return _STEMS[name] + form

    def bare(self, kind: str, colour: str | None) -> str:
        """With "se" and "ve" where "s" and "v" could not be spoken."""
        vocalised = re.sub(r"\bs (?=[szšž])", "se ", super().bare(kind, colour))
        return re.sub(r"\bv (?=v|f|žl)", "ve ", vocalised)

    def sentence(self, parts: Parts) -> str:
        """Při západu slunce stojí na pláži červené auto, vedle je pes a na obloze je balon."""
        order = (parts.time, parts.verb, parts.place) if parts.time else (parts.place, parts.verb)
        others = " a ".join(f"{_WHERE[where]} {things}" for where, things in self.grouped(parts.others))
        main = f"{' '.join(order)} {parts.subject}"
        return capital(f"{main}, {others}." if others else f"{main}.")

    def short(self, subjects: list[str], place: str) -> str:
        """Červené auto a pes na pláži."""
        return capital(f"{self.listing(subjects)} {place}")


LANGUAGE = Czech()
