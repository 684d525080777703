"""Compile tests of positions to SQL: whether a picture was taken inside an area."""

import math

from sqlalchemy import ColumnElement, and_, or_

from core.errors import InvalidQuery
from store.catalog.geography import box_around
from store.catalog.portable_sql import metres_between
from store.catalog.tables import Content
from store.filters.conditions import Box, Circle

__all__ = ["in_area"]


def in_area(area: Circle | Box) -> ColumnElement[bool]:
    """Contents taken inside an area. Raises `InvalidQuery` for impossible coordinates."""
    return _in_circle(area) if isinstance(area, Circle) else _in_box(area)


def _in_circle(circle: Circle) -> ColumnElement[bool]:
    """Test the bounding box first, which has an index, and then the distance."""
    if not all(map(math.isfinite, (circle.latitude, circle.longitude, circle.metres))) or abs(circle.latitude) > 90:
        raise InvalidQuery(f"{circle.latitude}, {circle.longitude} are not valid coordinates.")
    metres = metres_between(circle.latitude, circle.longitude, Content.latitude, Content.longitude)
    return and_(_in_box(box_around(circle)), metres <= circle.metres)


def _in_box(box: Box) -> ColumnElement[bool]:
    if not all(map(math.isfinite, (box.south, box.west, box.north, box.east))):
        raise InvalidQuery(f"{box} has invalid coordinates.")
    east, west = Content.longitude <= box.east, Content.longitude >= box.west
    crosses_date_line = box.west > box.east
    between = or_(west, east) if crosses_date_line else and_(west, east)
    return and_(Content.latitude.between(box.south, box.north), between)
