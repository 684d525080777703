"""Read people and the areas of their faces from XMP, as digiKam, Lightroom, Picasa and Windows write them.

Areas are those of the Metadata Working Group (Guidelines 2.0, section 5.9) and of Microsoft (People Tagging Overview).
Both are relative to the picture as it is stored, before it is turned upright. Some programs store areas of the upright
picture instead: the dimensions that the areas apply to tell.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.metadata import MAX_PEOPLE, Area, Person
from pictures.metadata.exposure import number
from pictures.metadata.rdf import Value, items, structures, text

__all__ = ["PEOPLE_PROPERTIES", "Orientation", "read_people"]

_MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
_AREA = "http://ns.adobe.com/xmp/sType/Area#"
_DIMENSIONS = "http://ns.adobe.com/xap/1.0/sType/Dimensions#"
_MP_INFO = "http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
_MP_REGION = "http://ns.microsoft.com/photo/1.2/t/Region#"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

_REGIONS = f"{_MWG} Regions"
_MICROSOFT = "http://ns.microsoft.com/photo/1.2/ RegionInfo"
_PERSON, _PERSON_DETAILS = f"{_IPTC} PersonInImage", f"{_IPTC} PersonInImageWDetails"

PEOPLE_PROPERTIES = frozenset({_REGIONS, _MICROSOFT, _PERSON, _PERSON_DETAILS})


@dataclass(frozen=True)
class Orientation:
    """How a picture is stored: its EXIF orientation, and its size in pixels before it is turned upright, if known."""

    value: int = 1
    size: tuple[int, int] | None = None


_TURNS: Mapping[int, Callable[[Area], Area]] = MappingProxyType(
    {
        2: lambda a: Area(1 - a.left - a.width, a.top, a.width, a.height),
        3: lambda a: Area(1 - a.left - a.width, 1 - a.top - a.height, a.width, a.height),
        4: lambda a: Area(a.left, 1 - a.top - a.height, a.width, a.height),
        5: lambda a: Area(a.top, a.left, a.height, a.width),
        6: lambda a: Area(1 - a.top - a.height, a.left, a.height, a.width),
        7: lambda a: Area(1 - a.top - a.height, 1 - a.left - a.width, a.height, a.width),
        8: lambda a: Area(a.top, 1 - a.left - a.width, a.height, a.width),
    }
)
"""Areas of the upright picture, by EXIF orientation. 5 to 8 swap width and height."""


def read_people(properties: Mapping[str, Value], orientation: Orientation) -> tuple[Person, ...]:
    """Return the people in the properties of an XMP packet, each name once, with areas in the upright picture."""
    people: dict[str, Person] = {}
    for person in _people(properties, orientation):
        known = people.setdefault(person.name.casefold(), person)
        if known.area is None and person.area is not None:
            people[person.name.casefold()] = Person(known.name, person.area)
    return tuple(people.values())[:MAX_PEOPLE]


def _people(properties: Mapping[str, Value], orientation: Orientation) -> Iterator[Person]:
    yield from _mwg_people(properties, orientation)
    yield from _microsoft_people(properties, orientation)
    yield from _people_without_areas(properties)


def _mwg_people(properties: Mapping[str, Value], orientation: Orientation) -> Iterator[Person]:
    """Yield people as the Metadata Working Group has them: digiKam, Lightroom and Picasa write these."""
    for regions in structures(properties.get(_REGIONS)):
        dimensions = _dimensions(regions.get(f"{_MWG} AppliedToDimensions"))
        for region in structures(regions.get(f"{_MWG} RegionList")):
            name, kind = text(region.get(f"{_MWG} Name")), text(region.get(f"{_MWG} Type"))
            if name and (kind is None or kind.casefold() == "face"):
                area = _mwg_area(region.get(f"{_MWG} Area"), dimensions)
                yield Person(name, area and _upright(area, dimensions, orientation))


def _microsoft_people(properties: Mapping[str, Value], orientation: Orientation) -> Iterator[Person]:
    """Yield people as Windows has them. Its areas apply to the dimensions that others wrote, if any did."""
    dimensions = None
    for regions in structures(properties.get(_REGIONS)):
        dimensions = _dimensions(regions.get(f"{_MWG} AppliedToDimensions"))
    for info in structures(properties.get(_MICROSOFT)):
        for region in structures(info.get(f"{_MP_INFO} Regions")):
            if name := text(region.get(f"{_MP_REGION} PersonDisplayName")):
                area = _microsoft_area(text(region.get(f"{_MP_REGION} Rectangle")))
                yield Person(name, area and _upright(area, dimensions, orientation))


def _people_without_areas(properties: Mapping[str, Value]) -> Iterator[Person]:
    """Yield the people that IPTC names."""
    for item in items(properties.get(_PERSON)):
        if name := text(item):
            yield Person(name)
    for details in structures(properties.get(_PERSON_DETAILS)):
        if name := text(details.get(f"{_IPTC} PersonName")):
            yield Person(name)


def _dimensions(value: Value | None) -> tuple[float, float] | None:
    for fields in structures(value):
        width, height = (number(text(fields.get(f"{_DIMENSIONS} {side}"))) for side in "wh")
        if 0 < width < math.inf and 0 < height < math.inf:
            return width, height
    return None


def _mwg_area(value: Value | None, dimensions: tuple[float, float] | None) -> Area | None:
    """Return an area that is given by its centre, in shares of the picture or in pixels."""
    for fields in structures(value):
        x, y, width, height = (number(text(fields.get(f"{_AREA} {name}"))) for name in "xywh")
        if text(fields.get(f"{_AREA} unit")) == "pixel":
            if dimensions is None:
                return None
            x, width = x / dimensions[0], width / dimensions[0]
            y, height = y / dimensions[1], height / dimensions[1]
        return _clipped(x - width / 2, y - height / 2, width, height)
    return None


def _microsoft_area(rectangle: str | None) -> Area | None:
    """Return an area that is given as `left, top, width, height`, in shares of the picture."""
    numbers = [number(part) for part in (rectangle or "").split(",")]
    return _clipped(*numbers) if len(numbers) == 4 else None


def _clipped(left: float, top: float, width: float, height: float) -> Area | None:
    """Return the part of an area within the picture, or None if there is none."""
    right, bottom = min(left + width, 1.0), min(top + height, 1.0)
    left, top = max(left, 0.0), max(top, 0.0)
    if not (left < right and top < bottom):  # NaN, too
        return None
    return Area(*(round(each, 6) for each in (left, top, right - left, bottom - top)))


def _upright(area: Area, dimensions: tuple[float, float] | None, orientation: Orientation) -> Area:
    turn = _TURNS.get(orientation.value)
    if turn is None or (orientation.value >= 5 and _is_upright(dimensions, orientation.size)):
        return area
    turned = turn(area)
    return Area(*(round(each, 6) for each in (turned.left, turned.top, turned.width, turned.height)))


def _is_upright(dimensions: tuple[float, float] | None, stored: tuple[int, int] | None) -> bool:
    """Return whether the areas apply to a picture whose sides are swapped in comparison with the stored one."""
    if dimensions is None or stored is None:
        return False
    return (dimensions[0] - dimensions[1]) * (stored[0] - stored[1]) < 0
