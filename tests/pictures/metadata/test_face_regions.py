"""People and the areas of their faces, as digiKam, Lightroom, Picasa and Windows write them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from core.metadata import Area, Person
from pictures.metadata.face_regions import Orientation
from pictures.metadata.xmp import read_xmp

SPACES = """xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:MP="http://ns.microsoft.com/photo/1.2/"
 xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"
"""


def packet(inside: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"<rdf:Description {SPACES}>{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def regions(*items: str, size: tuple[int, int] | None = None) -> str:
    """Regions of the Metadata Working Group."""
    dimensions = size and f"<mwg-rs:AppliedToDimensions stDim:w='{size[0]}' stDim:h='{size[1]}' stDim:unit='pixel'/>"
    return (
        f"<mwg-rs:Regions rdf:parseType='Resource'>{dimensions or ''}<mwg-rs:RegionList><rdf:Bag>"
        + "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
        + "</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


def face(name: str, x: float, y: float, w: float, h: float, kind: str = "Face", unit: str = "normalized") -> str:
    return (
        f"<rdf:Description mwg-rs:Name='{name}' mwg-rs:Type='{kind}'>"
        f"<mwg-rs:Area stArea:x='{x}' stArea:y='{y}' stArea:w='{w}' stArea:h='{h}' stArea:unit='{unit}'/>"
        "</rdf:Description>"
    )


def microsoft(*people: tuple[str, str]) -> str:
    items = "".join(
        f"<rdf:li MPReg:PersonDisplayName='{name}' MPReg:Rectangle='{rectangle}'/>" for name, rectangle in people
    )
    listed = f"<MPRI:Regions><rdf:Bag>{items}</rdf:Bag></MPRI:Regions>"
    return f"<MP:RegionInfo rdf:parseType='Resource'>{listed}</MP:RegionInfo>"


def test_people_of_all_programs() -> None:
    listed = "<rdf:Bag><rdf:li>Ada</rdf:li><rdf:li>INGRID</rdf:li></rdf:Bag>"
    names = f"<Iptc4xmpExt:PersonInImage>{listed}</Iptc4xmpExt:PersonInImage>"
    inside = (
        regions(face("Ingrid", 0.5, 0.5, 0.2, 0.4)) + microsoft(("Hans", "0.1, 0.2, 0.3, 0.4"), ("Ingrid", "")) + names
    )
    assert read_xmp(packet(inside)).people == (
        Person("Ingrid", Area(0.4, 0.3, 0.2, 0.4)),
        Person("Hans", Area(0.1, 0.2, 0.3, 0.4)),
        Person("Ada"),
    )


def test_regions_that_are_no_named_faces_are_left_out() -> None:
    inside = regions(
        face("", 0.5, 0.5, 0.2, 0.2), face("Rex", 0.5, 0.5, 0.2, 0.2, "Pet"), face("", 0.5, 0.5, 0.2, 0.2, "Focus")
    )
    assert read_xmp(packet(inside)).people == ()
    untyped = "<rdf:Description><mwg-rs:Name>Anna</mwg-rs:Name></rdf:Description>"
    assert read_xmp(packet(regions(untyped))).people == (Person("Anna"),)


def test_areas_in_pixels() -> None:
    inside = regions(face("Anna", 200, 150, 40, 30, unit="pixel"), size=(400, 300))
    assert read_xmp(packet(inside)).people == (Person("Anna", Area(0.45, 0.45, 0.1, 0.1)),)
    assert read_xmp(packet(regions(face("Anna", 200, 150, 40, 30, unit="pixel")))).people == (Person("Anna"),)


@pytest.mark.parametrize(
    ("area", "kept"),
    [
        ((0.0, 0.0, 0.2, 0.2), Area(0.0, 0.0, 0.1, 0.1)),  # half of it is outside
        ((1.5, 1.5, 0.2, 0.2), None),
        ((0.5, 0.5, 0.0, 0.2), None),
        ((0.5, 0.5, -0.2, 0.2), None),
        ((float("nan"), 0.5, 0.2, 0.2), None),
        ((0.5, 0.5, float("inf"), 0.2), None),
    ],
)
def test_areas_outside_of_the_picture(area: tuple[float, float, float, float], kept: Area | None) -> None:
    assert read_xmp(packet(regions(face("Anna", *area)))).people == (Person("Anna", kept),)


@pytest.mark.parametrize("rectangle", ["", "0.1, 0.2", "a, b, c, d", "0.1, 0.2, 0, 0", "nan, 0, 1, 1"])
def test_rectangles_of_windows_that_cannot_be_read(rectangle: str) -> None:
    assert read_xmp(packet(microsoft(("Hans", rectangle)))).people == (Person("Hans"),)


WIDTH, HEIGHT = 40, 30


@given(st.integers(1, 8), st.integers(0, WIDTH - 4), st.integers(0, HEIGHT - 4), st.integers(1, 4), st.integers(1, 4))
def test_areas_turn_with_the_picture(orientation: int, left: int, top: int, width: int, height: int) -> None:
    """Pillow turns a picture in which the face is white."""
    stored = np.zeros((HEIGHT, WIDTH), np.uint8)
    stored[top : top + height, left : left + width] = 255
    image = Image.fromarray(stored)
    image.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image))
    rows, columns = np.nonzero(upright)
    inside = regions(
        face("Anna", (left + width / 2) / WIDTH, (top + height / 2) / HEIGHT, width / WIDTH, height / HEIGHT),
        size=(WIDTH * 100, HEIGHT * 100),
    )
    (person,) = read_xmp(packet(inside), Orientation(orientation, (WIDTH, HEIGHT))).people
    assert person.area is not None
    found = (person.area.left, person.area.top, person.area.width, person.area.height)
    tall, wide = upright.shape
    expected = (columns.min() / wide, rows.min() / tall, np.ptp(columns + 0) / wide, np.ptp(rows) / tall)
    expected = (*expected[:2], expected[2] + 1 / wide, expected[3] + 1 / tall)
    assert found == pytest.approx(expected, abs=1e-5)


def test_areas_that_apply_to_the_upright_picture_are_not_turned() -> None:
    inside = regions(face("Anna", 0.5, 0.25, 0.2, 0.1), size=(3000, 4000))
    (person,) = read_xmp(packet(inside), Orientation(6, (4000, 3000))).people
    assert person.area == Area(0.4, 0.2, 0.2, 0.1)


def test_the_number_of_people_is_limited() -> None:
    inside = regions(*(face(f"p{number}", 0.5, 0.5, 0.1, 0.1) for number in range(900)))
    assert len(read_xmp(packet(inside)).people) == 200
