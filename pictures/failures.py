"""Say in plain words why a picture cannot be decoded: Pillow raises errors of nearly any type on broken bytes."""

import errno
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import PictureError, PictureUndecodable, PictureUnreadable

__all__ = ["picture_errors", "plain_message", "short_message"]

_DAMAGED = "the file is damaged"

_PLAIN_WORDS = tuple(
    (re.compile(pattern, re.IGNORECASE), message)
    for pattern, message in (
        (r"not identified by this driver|no marker found|not enough data in header|malformed jp2 header",
         "its header is damaged"),
        (r"(?:broken|unrecognized) data stream.*|codec configuration error.*|decoding error.*",
         "its pixels are damaged"),
        (r"cannot load this image|no more images in gif file|image not found in gif frame", "it has no pixels"),
        (r"truncated file read|truncated .* chunk|image file is truncated.*|not enough image data"
         r"|expected to read \d+ bytes.*", "the file is truncated"),
        (r"image size \((\d+) pixels\) exceeds limit.*", r"its frames are too large: \1 pixels"),
        (r"tile cannot extend outside image|unable to seek to frame|unknown raw mode.*|invalid literal.*", _DAMAGED),
    )
)  # fmt: skip
"""Messages of Pillow that say little to people, and what is said for them."""

_INTERNAL = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, UnicodeError, struct.error)
"""Errors that code raises which did not expect such bytes. Their messages describe that code."""


@contextmanager
def picture_errors() -> Iterator[None]:
    """Raise every failure as a `PictureError`."""
    try:
        yield
    except PictureError:
        raise
    except OSError as error:
        if error.errno in (None, errno.EINVAL, errno.EOVERFLOW):  # raised by Pillow, or a seek to an invalid offset
            raise PictureUndecodable(plain_message(error)) from error
        raise PictureUnreadable(plain_message(error)) from error
    except MemoryError as error:
        raise PictureUnreadable("not enough memory to decode it") from error
    except Exception as error:
        raise PictureUndecodable(plain_message(error)) from error


def short_message(error: BaseException) -> str:
    """Return the first line of the message of `error`, at most 200 characters, or the name of its class."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def plain_message(error: BaseException) -> str:
    """Return why a picture cannot be decoded: the message of `error`, or plainer words for it."""
    if isinstance(error, _INTERNAL) or isinstance(error.__cause__, _INTERNAL):  # Pillow wraps some
        return _DAMAGED
    line = short_message(error)
    for pattern, message in _PLAIN_WORDS:
        if match := pattern.fullmatch(line):
            return match.expand(message)
    return line
