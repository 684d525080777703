"""Text in the encoding that its first bytes show: UTF-8, or UTF-16 and UTF-32 with or without a byte order mark.

Notepad, Excel and PowerShell write UTF-8 with a byte order mark, and UTF-16. A text without a mark and without a NUL
byte is UTF-8. In UTF-16 without a mark, the NUL bytes of line ends, digits and Latin letters show the byte order.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from io import IncrementalNewlineDecoder
from itertools import chain
from typing import BinaryIO

__all__ = ["BYTE_ORDER_MARK", "decode_text", "encoding_name", "iterate_lines", "text_encoding"]

BYTE_ORDER_MARK = "\ufeff"

_MARKS = (  # the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)

_SAMPLE_BYTES = 4096
_WHITE_SPACE = re.compile(r"[ \t\r\n]")
_CONTROL = re.compile(rb"[\x01-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def text_encoding(start: bytes) -> str:
    """Return the encoding of a text that begins with the bytes `start`, as Python names it, without `-sig`."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    sample = start[: min(len(start), _SAMPLE_BYTES) // 2 * 2]
    nul = sample.count(0)
    if not nul or (nul < len(sample) / 4 and _is_utf8_with_nul(sample)):
        return "utf-8"
    little, big = (sample.decode(encoding, "replace") for encoding in ("utf-16-le", "utf-16-be"))
    if "\0" in little:
        return "utf-8"
    return "utf-16-le" if _plausibility(little) >= _plausibility(big) else "utf-16-be"


def decode_text(raw: bytes, errors: str = "strict") -> str:
    """Return the text `raw` without its byte order mark. Raises `UnicodeDecodeError`."""
    return raw.decode(text_encoding(raw), errors).lstrip(BYTE_ORDER_MARK)


def iterate_lines(file: BinaryIO, errors: str = "strict") -> Iterator[str]:
    """Yield the lines of a text file without their ends: CR LF, LF, or CR in a file without LF.

    A byte order mark is removed from each line, since files are also joined. Only these characters end a line, and not
    others that `str.splitlines` knows, such as U+2028. Raises `UnicodeDecodeError` at the first line that is not text.
    """
    start = file.readlines(_SAMPLE_BYTES)
    encoding = text_encoding(b"".join(start))
    if len(start) == 1 and encoding == "utf-8":
        yield from _lines(re.split(r"\r\n?|\n", start[0].decode(encoding, errors)))
        return
    raw = chain(start, file)
    texts = (line.decode(encoding, errors) for line in raw) if encoding == "utf-8" else _decoded(raw, encoding, errors)
    pending = ""
    for text in texts:
        *complete, pending = (pending + text).split("\n")
        yield from (line.removesuffix("\r").lstrip(BYTE_ORDER_MARK) for line in complete)
    yield from _lines([pending])


def encoding_name(encoding: str) -> str:
    """Return the usual name of an encoding that `text_encoding` returned: `UTF-8`, `UTF-16`, `UTF-32`."""
    return encoding.upper().removesuffix("-LE").removesuffix("-BE")


def _plausibility(text: str) -> tuple[int, int]:
    """Return the number of blanks and line ends, which have no twin in the other byte order, and of ASCII."""
    return len(_WHITE_SPACE.findall(text)), sum(map(str.isascii, text))


def _is_utf8_with_nul(sample: bytes) -> bool:
    """Return whether `sample` is UTF-8 with NUL bytes, as `find -print0` writes it.

    UTF-16 is not, unless by chance: its high bytes are other control characters, or no UTF-8.
    """
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return _CONTROL.search(sample) is None


def _lines(lines: list[str]) -> list[str]:
    """Return `lines` without byte order marks; an empty last one is no line."""
    unmarked = [line.lstrip(BYTE_ORDER_MARK) for line in lines]
    return unmarked if unmarked[-1] else unmarked[:-1]


def _decoded(raw: Iterable[bytes], encoding: str, errors: str) -> Iterator[str]:
    """Decode bytes that are not split between characters."""
    decoder = IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(errors), translate=True)
    for part in raw:
        yield decoder.decode(part)
    yield decoder.decode(b"", final=True)
