"""The shape of a picture as one character, which the page arranges the timeline from."""

from sqlalchemy import ColumnElement, SQLColumnExpression, case, func

from store.catalog.portable_sql import character, greater_of, lesser_of, quotient
from store.catalog.tables import Content

__all__ = ["SHAPE_STEPS", "shape_code"]

SHAPE_STEPS = 18
"""Steps between 1:1 and 2:1 in the code of a shape: 4:3, 3:2, 16:9 and 2:1 are whole numbers of them."""

MAX_SHAPE = 36
"""The code of a picture that is three times as wide as high, or wider."""

SQUARE = 71
"""The character code, `G`, of a picture as wide as high. All codes are printable, from `#` to `k`."""


def shape_code() -> ColumnElement[str]:
    """Return SQL for one character for the shape of a content; see `store.timeline.Timeline`."""
    width, height = Content.width, Content.height
    landscape = lesser_of(MAX_SHAPE, _rounded(width, height) - SHAPE_STEPS)
    portrait = greater_of(-MAX_SHAPE, SHAPE_STEPS - _rounded(height, width))
    code = func.coalesce(case((width >= height, landscape), else_=portrait), 0)  # NULL without a size
    return character(SQUARE + code)


def _rounded(long: SQLColumnExpression[int], short: SQLColumnExpression[int]) -> ColumnElement[int]:
    """`long / short` in steps, rounded with integers only."""
    return quotient(2 * SHAPE_STEPS * long + short, 2 * short)  # NULL if `short` is 0
