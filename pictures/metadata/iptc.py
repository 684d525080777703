"""Read IPTC metadata (Information Interchange Model 4.2), which picture agencies have written since the 1990s."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from core.metadata import (
    MAX_DESCRIPTION_LENGTH,
    MAX_KEYWORDS,
    MAX_TITLE_LENGTH,
    DateSource,
    PhotoMetadata,
    merge_metadata,
)
from pictures.metadata.boilerplate import meaningful
from pictures.metadata.dates import parse_iptc_date

__all__ = ["IPTC_RESOURCE", "parse_iptc", "photoshop_resources"]

IPTC_RESOURCE = 0x0404
"""ID of the Photoshop resource that contains IPTC records."""

_MARKER = 0x1C
_CHARACTER_SET = (1, 90)
_TITLE, _HEADLINE, _KEYWORDS, _CAPTION = (2, 5), (2, 105), (2, 25), (2, 120)
_CREATED, _DIGITIZED = ((2, 55), (2, 60)), ((2, 62), (2, 63))
_PLACE = ((2, 92), (2, 90), (2, 95), (2, 101))
"""Record and data set numbers: sublocation, city, state and country."""

_UTF8 = b"\x1b%G"
"""ISO 2022's escape sequence for UTF-8; the only other one in the wild is that of Latin-1."""

_MAX_NAME_LENGTH = 120


def parse_iptc(data: bytes) -> PhotoMetadata:
    """Return the metadata in IPTC records. Never raises: what follows a damaged record is not read."""
    entries: defaultdict[tuple[int, int], list[bytes]] = defaultdict(list)
    for key, value in _records(data):
        if len(entries[key]) < MAX_KEYWORDS:
            entries[key].append(value)
    declared_utf8 = _UTF8 in b"".join(entries[_CHARACTER_SET])
    texts = {
        key: [text for value in values if (text := _decoded(value, declared_utf8))] for key, values in entries.items()
    }
    sublocation, city, region, country = (_first(texts, key, _MAX_NAME_LENGTH) for key in _PLACE)
    facts = PhotoMetadata(
        keywords=tuple(dict.fromkeys(texts.get(_KEYWORDS, ()))),
        title=meaningful(_first(texts, _TITLE, MAX_TITLE_LENGTH))
        or meaningful(_first(texts, _HEADLINE, MAX_TITLE_LENGTH)),
        description=meaningful(_first(texts, _CAPTION, MAX_DESCRIPTION_LENGTH)),
        sublocation=sublocation,
        city=city,
        region=region,
        country=country,
    )
    created, digitized = _date(texts, _CREATED, DateSource.ORIGINAL), _date(texts, _DIGITIZED, DateSource.DIGITIZED)
    return merge_metadata(facts, created, digitized)


def photoshop_resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the image resources of Photoshop in `data`: their IDs and contents, up to the first damaged one.

    See the Photoshop File Formats Specification, "Image Resource Blocks".
    """
    place = 0
    while data[place : place + 4] == b"8BIM":
        resource = int.from_bytes(data[place + 4 : place + 6])
        name = 1 + data[place + 6] if place + 6 < len(data) else 1
        place += 6 + name + name % 2
        size = int.from_bytes(data[place : place + 4])
        content = data[place + 4 : place + 4 + size]
        yield resource, content
        place += 4 + size + size % 2


def _records(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Yield the data sets: the numbers of record and data set, and the value."""
    place = 0
    while place + 5 <= len(data) and data[place] == _MARKER:
        key = (data[place + 1], data[place + 2])
        size = int.from_bytes(data[place + 3 : place + 5])
        place += 5
        if size & 0x8000:  # an extended size, of this many bytes
            extra = size & 0x7FFF
            if extra > 4:
                return
            size = int.from_bytes(data[place : place + extra])
            place += extra
        if place + size > len(data):
            return
        yield key, data[place : place + size]
        place += size


def _decoded(value: bytes, declared_utf8: bool) -> str:
    """Decode `value`. Without a declared character set, try UTF-8 first: Latin-1 text is hardly ever valid UTF-8."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("utf-8" if declared_utf8 else "latin-1", "replace")
    return text.replace("\0", " ").strip()


def _first(texts: Mapping[tuple[int, int], list[str]], key: tuple[int, int], length: int) -> str | None:
    return next((text[:length] for text in texts.get(key, ())), None)


def _date(
    texts: Mapping[tuple[int, int], list[str]], keys: tuple[tuple[int, int], tuple[int, int]], source: DateSource
) -> PhotoMetadata:
    date, time = (_first(texts, key, _MAX_NAME_LENGTH) for key in keys)
    moment = parse_iptc_date(date, time)
    if moment is None:
        return PhotoMetadata()
    return PhotoMetadata(taken_at=moment.taken_at, utc_offset=moment.utc_offset, date_source=source)
