"""The hundred scenes of the demonstration gallery, chosen by hand.

Every setting appears four times and nearly every subject at least once, in different light, colours and formats. The
scenes are explicit and their seeds lie below 1,000: training draws from `random_scene(seed)` with seeds of 10,000 and
more, so no picture of the gallery is ever trained on.
"""

from dataclasses import dataclass

from examples.scenes import Scene, Subject
from examples.scenes.colour import NAMED

__all__ = ["GALLERY", "Entry"]

Size = tuple[int, int]
_WIDE: Size = (480, 320)
_LANDSCAPE: Size = (448, 336)
_SQUARE: Size = (384, 384)
_PORTRAIT: Size = (336, 448)


@dataclass(frozen=True)
class Entry:
    """One picture of the gallery: its path below the gallery folder, its size in pixels, its scene."""

    image: str
    size: Size
    scene: Scene


def _subject(text: str) -> Subject:
    first, _, rest = text.partition(" ")
    return Subject(rest, first) if first in NAMED else Subject(text)


def _read(folder: str, number: int, line: str) -> Entry:
    """Parse an entry "name | setting time | subject, subject | format seed"."""
    name, place, subjects, form = (part.strip() for part in line.split("|"))
    setting, time = place.split()
    shape, _, seed = form.partition(" ")
    size = {"wide": _WIDE, "landscape": _LANDSCAPE, "square": _SQUARE, "portrait": _PORTRAIT}[shape]
    scene = Scene(setting, time, tuple(_subject(s.strip()) for s in subjects.split(",")), int(seed or number))
    return Entry(f"{folder}/{name}.jpg", size, scene)


_LISTS = {
    "sea": """
        bay-at-noon | beach day | white sailing_boat, palm, red parasol | wide
        evening-ride | beach sunset | brown horse, bird_flock | landscape
        lighthouse-in-rain | beach rain | red lighthouse, white person | portrait
        beach-games | beach day | blue child, brown dog, yellow kite | landscape
        long-way-home | sea sunset | orange sailing_boat, bird_flock | landscape
        moonlit-crossing | sea night | white ship, moon | wide
        giant-at-the-surface | sea day | whale, red sailing_boat | landscape
        lost-in-fog | sea fog | yellow rowing_boat | square
        harbour-morning | harbour day | blue rowing_boat, white duck | landscape
        lights-on-the-quay | harbour night | red ship, moon | wide
        harbour-evening | harbour sunset | white sailing_boat, red rowing_boat | square
        wet-day-in-port | harbour rain | black ship | landscape
    """,
    "reef": """
        striped-swimmer | underwater day | orange fish, yellow fish_school | landscape
        old-turtle | underwater day | turtle, pink jellyfish | wide
        eight-arms | underwater day | purple octopus, blue fish | square
        drifting-bells | underwater day | white jellyfish, blue fish_school | portrait
    """,
    "lakes": """
        calm-lake | lake day | red rowing_boat, white duck | landscape
        balloon-over-lake | lake sunset | yellow balloon, white sailing_boat | portrait
        lakeside-tent | lake night | orange tent, moon | landscape
        first-snow-at-lake | lake snow | deer | wide
        stone-bridge | river day | yellow duck, green rowing_boat | wide
        pasture-by-river | river sunset | black cow, white sheep | landscape
        rainbow-at-bridge | river rain | blue rowing_boat, rainbow | landscape
        misty-river | river fog | red woman, white dog | square
    """,
    "mountains": """
        summit-view | mountains day | green tent, red bicycle, orange plane | landscape
        mountain-church | mountains sunset | church, brown horse | wide
        castle-in-clouds | mountains fog | castle | portrait
        snow-pass | mountains snow | red car, pine | landscape
    """,
    "woods": """
        picnic-clearing | forest day | white rabbit, fox | landscape
        trail-bike | forest day | blue bicycle, red person | portrait
        wet-woods | forest rain | yellow umbrella_walker, brown dog | square
        foggy-stag | forest fog | deer | wide
        golden-path | autumn day | fox, red girl | landscape
        autumn-walk | autumn sunset | purple woman, white dog | portrait
        leaves-in-rain | autumn rain | red umbrella_walker | square
        cottage-in-autumn | autumn fog | white house, brown rabbit | wide
        stories-by-the-fire | camp night | campfire, blue tent, moon | landscape
        strings-and-sparks | camp night | orange tent, brown guitar, campfire | square
        camp-at-dusk | camp sunset | yellow tent, black dog | portrait
        morning-camp | camp day | red tent, green car | wide
    """,
    "country": """
        balloon-day | meadow day | red balloon, white sheep, white house | landscape
        wings-and-petals | meadow day | orange butterfly, sunflower | square
        mill-at-sunset | meadow sunset | windmill, black horse | wide
        after-the-shower | meadow rain | black cow, rainbow | landscape
        purple-rows | lavender day | white woman, yellow house | landscape
        lavender-ride | lavender sunset | red bicycle, blue balloon | portrait
        mill-in-lavender | lavender fog | windmill | square
        blue-wings | lavender day | blue butterfly, grey horse | wide
        spring-ploughing | farm day | red tractor, white chicken | landscape
        herd-at-dusk | farm sunset | brown cow, windmill | wide
        flock-in-snow | farm snow | white sheep, grey horse | square
        sunflower-farm | farm day | sunflower, orange cat | portrait
    """,
    "town": """
        night-bus | city night | red bus, yellow car | landscape
        umbrella-street | city rain | pink umbrella_walker, blue car | portrait
        rush-hour | city day | green bus, red bicycle | wide
        snow-in-town | city snow | white truck, black dog | landscape
        village-road | village day | blue bicycle, brown dog | landscape
        village-by-night | village night | yellow car, moon | square
        village-in-snow | village snow | green bus | wide
        village-fair | village sunset | pink girl, orange balloon | portrait
        kite-in-park | park day | green child, red kite | landscape
        park-in-fog | park fog | black person, white cat | square
        sunday-stroll | park sunset | yellow woman, brown dog | wide
        rain-in-park | park rain | turquoise umbrella_walker | portrait
        kick-off | football day | red footballer, blue plane | landscape
        late-match | football night | yellow footballer, moon | wide
        match-in-rain | football rain | white footballer | square
        school-pitch | football sunset | orange child, black dog | portrait
        express | railway day | red train, white house | wide
        night-train | railway night | blue train, moon | landscape
        line-in-snow | railway snow | green train, tree | wide
        evening-line | railway sunset | yellow train, windmill | square
    """,
    "far": """
        elephant-walk | savannah day | elephant, bird_flock | landscape
        evening-giants | savannah sunset | giraffe, elephant | wide
        over-the-plain | savannah sunset | white balloon, giraffe | portrait
        expedition | savannah day | green truck, yellow tent | square
        caravan | desert day | camel, cactus | landscape
        oasis | desert sunset | palm, red balloon | portrait
        desert-night | desert night | campfire, blue tent, moon | wide
        dusty-road | desert day | orange car, cactus | square
        scarf-weather | ice day | red penguin, whale | landscape
        polar-night | ice night | blue penguin, moon | square
        ice-passage | ice sunset | red ship | wide
        snow-on-ice | ice snow | yellow penguin | portrait
        lift-off | space night | red rocket, orange planet | landscape
        blue-world | space night | green rocket, blue planet | portrait
        ringed-giant | space night | purple planet | wide
        red-world | space night | blue rocket, red planet | square
    """,
    "winter": """
        new-friend | snowfield day | red snowman, brown dog | landscape
        snowed-in | snowfield snow | blue house, pine | square
        winter-fox | snowfield sunset | fox, church | wide
        winter-night | snowfield night | yellow house, green snowman, moon | portrait
    """,
    "home": """
        afternoon-nap | living_room day | red sofa, grey cat | landscape
        christmas-eve | living_room night | christmas_tree, green sofa | square
        reading-corner | living_room night | yellow lamp, black cat | portrait
        music-room | living_room day | brown guitar, blue potted_plant, black clock | wide
        breakfast | kitchen day | white cup, blue fruit_bowl | landscape
        birthday | kitchen night | pink cake, yellow cup | square
        fresh-flowers | kitchen day | red vase, green apple | portrait
        tea-and-books | kitchen day | blue teapot, books, red clock | wide
    """,
}

GALLERY: tuple[Entry, ...] = tuple(
    _read(folder, 100 * place + number, line)
    for place, (folder, lines) in enumerate(_LISTS.items())
    for number, line in enumerate(lines.strip().splitlines(), 1)
)
