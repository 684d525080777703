"""What a test compares its field with: the values of the type that the field has, and names in comparable form.

Each function returns None if the field cannot be tested like this.
"""

from collections.abc import Callable
from typing import TypeVar

from store.catalog.collation import fold, matches
from store.filters.conditions import FieldTest, Op
from store.filters.path_patterns import SURROGATE

__all__ = ["compared_names", "name_test", "texts_of", "values_of"]

T = TypeVar("T")


def values_of(test: FieldTest, *types: type[T]) -> tuple[T, ...] | None:
    """Return the values of a test if all have one of these types: one, or any number for `IN`."""
    given = test.value if isinstance(test.value, tuple) else () if test.value is None else (test.value,)
    values = tuple(value for value in given if isinstance(value, types) and not isinstance(value, bool))
    if len(values) < len(given) or (test.op is not Op.IN and len(given) != 1):
        return None
    return values


def texts_of(test: FieldTest) -> tuple[str, ...] | None:
    """Return the texts of a test without surrogates, which stand for bytes that are not UTF-8 and cannot be stored."""
    values = values_of(test, str)
    # A question mark would stand for any character in a pattern.
    return None if values is None else tuple(SURROGATE.sub("\ufffd", value) for value in values)


def compared_names(test: FieldTest) -> set[str] | None:
    """Return the names, in comparable form, that a test compares with; None also for a pattern."""
    texts = texts_of(test)
    if texts is None or test.op not in (Op.EQ, Op.IN, Op.WORDS):
        return None
    keys = set(map(fold, texts))
    return {" ".join(key.split()) for key in keys} if test.op is Op.WORDS else keys


def name_test(test: FieldTest) -> Callable[[str], bool] | None:
    """Return a function that tells whether a name passes a test of names."""
    if test.op is Op.LIKE:
        patterns = values_of(test, str)
        return None if patterns is None else lambda name: matches(name, patterns[0])
    keys = compared_names(test)
    if keys is None:
        return None
    if test.op is Op.WORDS:
        return lambda name: any(f" {key} " in f" {fold(name)} " for key in keys)
    return lambda name: fold(name) in keys
