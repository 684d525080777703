"""French captions."""

from typing import ClassVar

from examples.scenes.grammar.phrase import Language, Noun, Parts, Place, capital

__all__ = ["LANGUAGE"]

_COLOURS = {  # masculine, feminine
    "red": ("rouge", "rouge"), "blue": ("bleu", "bleue"), "green": ("vert", "verte"), "yellow": ("jaune", "jaune"),
    "orange": ("orange", "orange"), "white": ("blanc", "blanche"), "black": ("noir", "noire"),
    "brown": ("marron", "marron"), "grey": ("gris", "grise"), "pink": ("rose", "rose"),
    "purple": ("violet", "violette"), "turquoise": ("turquoise", "turquoise"),
}  # fmt: skip
_INVARIABLE = ("orange", "brown", "turquoise")
_WHERE = {"near": "à côté", "below": "en dessous", "sky": "dans le ciel", "wall": "au mur"}


def _m(noun: str, verb: str, form: str = "m") -> Noun:
    return Noun("un", noun, form, verb)


def _f(noun: str, verb: str, form: str = "f") -> Noun:
    return Noun("une", noun, form, verb)


class French(Language):
    """Time, subject, verb, place. The form of a colour is m, f, mp or fp (plural)."""

    code = "fr"
    joint = " et "
    nouns: ClassVar[dict[str, Noun]] = {
        "car": _f("voiture {}", "est garée"),
        "bus": _m("bus {}", "est arrêté"),
        "bicycle": _m("vélo {}", "est garé"),
        "tractor": _m("tracteur {}", "est garé"),
        "train": _m("train {}", "roule"),
        "sailing_boat": _m("voilier {}", "navigue"),
        "rowing_boat": _f("barque {}", "flotte"),
        "ship": _m("bateau à vapeur {}", "navigue"),
        "duck": _m("canard {}", "nage"),
        "dog": _m("chien {}", "se tient"),
        "cat": _m("chat {}", "est assis"),
        "horse": _m("cheval {}", "se tient"),
        "cow": _f("vache {} et blanche", "broute"),
        "sheep": _m("mouton {}", "broute"),
        "fish": _m("poisson {}", "nage"),
        "tree": _m("arbre", "pousse"),
        "pine": _m("sapin", "pousse"),
        "palm": _m("palmier", "pousse"),
        "cactus": _m("cactus", "pousse"),
        "sunflower": _m("tournesol", "fleurit"),
        "house": _f("maison {}", "se trouve"),
        "church": _f("église", "se dresse"),
        "castle": _m("château fort", "se dresse"),
        "lighthouse": _m("phare {} et blanc", "se dresse"),
        "windmill": _m("moulin à vent", "se dresse"),
        "tent": _f("tente {}", "est plantée"),
        "campfire": _m("feu de camp", "brûle"),
        "parasol": _m("parasol {}", "est planté"),
        "person": _f("personne en veste {}", "marche"),
        "child": _m("enfant en chemise {}", "joue au ballon", "f"),
        "umbrella_walker": _f("personne avec un parapluie {}", "marche", "m"),
        "snowman": _m("bonhomme de neige avec une écharpe {}", "se dresse", "f"),
        "balloon": _f("montgolfière {}", "flotte"),
        "plane": _m("avion blanc à la queue {}", "vole", "f"),
        "bird_flock": _f("volée d'oiseaux", "passe"),
        "butterfly": _m("papillon {}", "volette"),
        "kite": _m("cerf-volant {}", "vole"),
        "moon": _f("pleine lune", "brille"),
        "rainbow": _m("arc-en-ciel", "s'étend"),
        "vase": _m("vase de fleurs {}", "est posé", "fp"),
        "cup": _f("tasse de café {}", "est posée"),
        "apple": _f("pomme {}", "est posée"),
        "fruit_bowl": _f("coupe de fruits {}", "est posée"),
        "cake": _m("gâteau d'anniversaire au glaçage {}", "est posé"),
        "books": _f("pile de livres", "est posée"),
        "clock": _f("horloge {}", "est accrochée"),
        "lamp": _m("lampadaire {}", "se dresse"),
        "guitar": _f("guitare {}", "est posée"),
        "truck": _m("camion {}", "est garé"),
        "elephant": _m("éléphant gris", "marche"),
        "giraffe": _f("girafe", "se tient"),
        "camel": _m("chameau", "se tient"),
        "penguin": _m("pingouin avec une écharpe {}", "se tient", "f"),
        "fox": _m("renard roux", "se tient"),
        "deer": _m("cerf avec des bois", "se tient"),
        "rabbit": _m("lapin {}", "est assis"),
        "chicken": _f("poule {}", "se tient"),
        "whale": _f("baleine bleue", "nage"),
        "turtle": _f("tortue de mer", "nage"),
        "jellyfish": _f("méduse {}", "flotte"),
        "octopus": _f("pieuvre {}", "nage"),
        "fish_school": _m("banc de poissons {}", "nage", "mp"),
        "rocket": _f("fusée au nez {}", "vole", "m"),
        "planet": _f("planète {} avec un anneau", "brille"),
        "woman": _f("femme en robe {}", "se tient"),
        "girl": _f("petite fille avec un ballon {}", "se tient", "m"),
        "footballer": _m("joueur de football en maillot {}", "joue"),
        "teapot": _f("théière {}", "est posée"),
        "sofa": _m("canapé {}", "se trouve"),
        "potted_plant": _f("plante dans un pot {}", "se trouve", "m"),
        "christmas_tree": _m("sapin de Noël décoré", "se dresse"),
    }
    places: ClassVar[dict[str, Place]] = {
        "beach": Place("sur la plage", "au-dessus de la plage", "plage", "sur la mer près de la plage"),
        "sea": Place("au bord de la mer", "au-dessus de la mer", "mer", "sur la mer"),
        "lake": Place("au bord du lac", "au-dessus du lac", "lac", "sur le lac"),
        "harbour": Place("dans le port", "au-dessus du port", "port", "dans le port"),
        "underwater": Place("sous l'eau parmi les coraux", "au-dessus du récif de corail", "récif de corail"),
        "mountains": Place("à la montagne", "au-dessus des montagnes", "montagnes"),
        "forest": Place("dans la forêt", "au-dessus de la forêt", "forêt"),
        "meadow": Place("dans un pré fleuri", "au-dessus d'un pré fleuri", "pré fleuri"),
        "desert": Place("dans le désert", "au-dessus du désert", "désert"),
        "snowfield": Place("dans un champ enneigé", "au-dessus d'un champ enneigé", "champ enneigé"),
        "camp": Place("dans une clairière", "au-dessus d'une clairière", "clairière"),
        "farm": Place("à la ferme", "au-dessus d'une ferme", "ferme"),
        "city": Place("dans une rue de la ville", "au-dessus d'une rue de la ville", "rue de la ville"),
        "village": Place("dans un village", "au-dessus d'un village", "village"),
        "park": Place("dans le parc", "au-dessus du parc", "parc"),
        "railway": Place("sur la voie ferrée", "au-dessus de la voie ferrée", "voie ferrée"),
        "living_room": Place("dans le salon", "", "salon", wall="au mur du salon"),
        "kitchen": Place("sur la table de la cuisine", "", "table de cuisine", wall="au mur de la cuisine"),
        "space": Place("dans l'espace", "dans l'espace", "espace"),
        "river": Place(
            "au bord de la rivière près d'un pont de pierre",
            "au-dessus de la rivière avec un pont de pierre",
            "rivière avec un pont de pierre",
            "sur la rivière près d'un pont de pierre",
        ),
        "savannah": Place("dans la savane", "au-dessus de la savane", "savane"),
        "ice": Place(
            "sur la glace au bord de la mer polaire", "au-dessus de la mer polaire", "banquise", "dans la mer polaire"
        ),
        "autumn": Place("dans une forêt d'automne", "au-dessus d'une forêt d'automne", "forêt d'automne"),
        "lavender": Place("dans un champ de lavande", "au-dessus d'un champ de lavande", "champ de lavande"),
        "football": Place("sur un terrain de football", "au-dessus d'un terrain de football", "terrain de football"),
    }
    times: ClassVar[dict[str, tuple[str, str]]] = {
        "day": ("par une journée ensoleillée", "journée ensoleillée"),
        "sunset": ("au coucher du soleil", "coucher de soleil"),
        "night": ("la nuit", "nuit"),
        "rain": ("sous la pluie", "pluie"),
        "snow": ("sous la neige qui tombe", "chute de neige"),
        "fog": ("dans le brouillard", "brouillard"),
        "evening": ("le soir", "soir"),
    }

    def colour(self, name: str, form: str) -> str:
        """Masculine or feminine, singular or plural; nouns used as colours do not change."""
        word = _COLOURS[name][0 if form.startswith("m") else 1]
        plural = form.endswith("p") and name not in _INVARIABLE and not word.endswith("s")
        return word + "s" if plural else word

    def sentence(self, parts: Parts) -> str:
        """Au coucher du soleil, une voiture rouge est garée sur la plage, avec un chien à côté."""
        main = f"{parts.subject} {parts.verb} {parts.place}"
        main = f"{parts.time}, {main}" if parts.time else main
        others = " et ".join(f"{things} {_WHERE[where]}" for where, things in self.grouped(parts.others))
        return capital(f"{main}, avec {others}." if others else f"{main}.")

    def short(self, subjects: list[str], place: str) -> str:
        """Une voiture rouge et un chien sur la plage."""
        return capital(f"{self.listing(subjects)} {place}")


LANGUAGE = French()
