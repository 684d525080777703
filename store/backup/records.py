"""The lines of a snapshot: one JSON object for each picture, album, picture of an album, verdict and judgement.

A picture is named by the SHA-256 of its content and by the places of its files. Paths are bytes: one that is not UTF-8
is written as `path_b64`.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from core.errors import InvalidTag
from core.metadata import MAX_RATING, MIN_RATING
from store.albums.conditions_json import condition_from_json
from store.tags import tag_name

__all__ = [
    "KINDS",
    "MAX_GRADE",
    "AlbumPicture",
    "FilePlace",
    "InvalidRecord",
    "Judgement",
    "PictureName",
    "PictureRecord",
    "Record",
    "SavedAlbum",
    "TellApart",
    "from_json",
    "kind_of",
    "path_from_json",
    "path_to_json",
    "pictures_of",
    "to_json",
]

Json: TypeAlias = dict[str, Any]

DIGEST_BYTES = 32
MAX_GRADE = 1_000_000
"""A snapshot with a higher grade, or a lower one than its negative, is refused."""


class InvalidRecord(ValueError):
    """A line of a snapshot has no meaning; the message says why."""


@dataclass(frozen=True)
class FilePlace:
    """Where a file was: the number of its root in the header, and its path relative to that root."""

    root: int
    relpath: bytes


@dataclass(frozen=True)
class PictureName:
    """A content, by its SHA-256 and by the places of its files; there are no places if no file has it any more."""

    digest: bytes
    places: tuple[FilePlace, ...] = ()


@dataclass(frozen=True)
class PictureRecord:
    """The tags and the rating that users gave to a picture."""

    picture: PictureName
    tags: tuple[str, ...] = ()
    rating: int | None = None


@dataclass(frozen=True)
class SavedAlbum:
    """An album without its pictures. `condition` is the JSON of the filters of a saved search."""

    name: str
    by_hand: bool
    created_at: datetime
    query: str = ""
    condition: str | None = None
    top: int = 0
    cover: PictureName | None = None


@dataclass(frozen=True)
class AlbumPicture:
    """A picture in an album that was put together by hand. Records are in the order of the album."""

    album: str
    picture: PictureName


@dataclass(frozen=True)
class TellApart:
    """Two pictures that are not near-duplicates of each other."""

    first: PictureName
    second: PictureName


@dataclass(frozen=True)
class Judgement:
    """The grade of a picture for a query, made on the page. `path` is relative to `/`."""

    query: str
    text: str
    path: bytes
    grade: int
    digest: bytes | None = None


Record: TypeAlias = PictureRecord | SavedAlbum | AlbumPicture | TellApart | Judgement

KINDS: Mapping[type, str] = {
    PictureRecord: "picture",
    SavedAlbum: "album",
    AlbumPicture: "album_picture",
    TellApart: "distinct",
    Judgement: "judgement",
}
"""The `type` of each record, in the order of a snapshot."""


def kind_of(record: Record) -> str:
    """Return the `type` of a record."""
    return KINDS[type(record)]


def pictures_of(record: Record) -> tuple[PictureName, ...]:
    """Return the pictures that a record names, except that of a judgement."""
    match record:
        case PictureRecord() | AlbumPicture():
            return (record.picture,)
        case SavedAlbum():
            return () if record.cover is None else (record.cover,)
        case TellApart():
            return record.first, record.second
        case Judgement():
            return ()


def to_json(record: Record) -> Json:
    """Return the JSON object of a record; the inverse of `from_json`."""
    start = {"type": kind_of(record)}
    match record:
        case PictureRecord():
            tags = {"tags": list(record.tags)} if record.tags else {}
            rating = {} if record.rating is None else {"rating": record.rating}
            return {**start, **_picture_to_json(record.picture), **tags, **rating}
        case SavedAlbum():
            return {**start, **_album_to_json(record)}
        case AlbumPicture():
            return {**start, "album": record.album, **_picture_to_json(record.picture)}
        case TellApart():
            return {**start, "pictures": [_picture_to_json(each) for each in (record.first, record.second)]}
        case Judgement():
            judged = {"query": record.query, "text": record.text, "grade": record.grade}
            digest = {} if record.digest is None else {"sha256": record.digest.hex()}
            return {**start, **judged, **digest, **path_to_json(record.path)}


def from_json(line: Json) -> Record:
    """Return the record of a JSON object. Raises `InvalidRecord`."""
    kind = line.get("type")
    match kind:
        case "picture":
            return _picture_record(line)
        case "album":
            return _album(line)
        case "album_picture":
            return AlbumPicture(_name(line, "album"), _picture(line))
        case "distinct":
            return _verdict(line)
        case "judgement":
            return _judgement(line)
    raise InvalidRecord(f"the type {kind!r} is unknown")


def path_to_json(path: bytes) -> Json:
    """Return a path as `path`, or as `path_b64` if it is not UTF-8."""
    try:
        return {"path": path.decode()}
    except UnicodeDecodeError:
        return {"path_b64": base64.b64encode(path).decode()}


def path_from_json(line: Json) -> bytes:
    """Return the path that `path_to_json` converted. Raises `InvalidRecord`."""
    if "path_b64" in line:
        try:
            return base64.b64decode(_typed(line, "path_b64", str), validate=True)
        except binascii.Error as exc:
            raise InvalidRecord("'path_b64' is not base64") from exc
    try:
        return bytes(_typed(line, "path", str).encode())
    except UnicodeEncodeError as exc:
        raise InvalidRecord("'path' is not a text") from exc


def _picture_to_json(picture: PictureName) -> Json:
    places = [{"root": place.root, **path_to_json(place.relpath)} for place in picture.places]
    return {"sha256": picture.digest.hex(), "files": places}


def _album_to_json(record: SavedAlbum) -> Json:
    cover = {} if record.cover is None else {"cover": _picture_to_json(record.cover)}
    search = {} if record.by_hand else {"query": record.query, "condition": record.condition, "top": record.top}
    created = {"created": record.created_at.isoformat()}
    return {"name": record.name, "by_hand": record.by_hand, **created, **search, **cover}


def _picture_record(line: Json) -> PictureRecord:
    tags = _typed({"tags": [], **line}, "tags", list)
    rating = line.get("rating")
    if rating is not None and not (_is_whole(rating) and MIN_RATING <= rating <= MAX_RATING):
        raise InvalidRecord(f"{rating!r} is not a rating")
    return PictureRecord(_picture(line), tuple(_valid_name(tag) for tag in tags), rating)


def _album(line: Json) -> SavedAlbum:
    name, by_hand = _name(line, "name"), _typed(line, "by_hand", bool)
    try:
        created = datetime.fromisoformat(_typed(line, "created", str)).replace(tzinfo=None)
    except ValueError as exc:
        raise InvalidRecord("'created' is not a time") from exc
    cover = _picture(_typed(line, "cover", dict)) if "cover" in line else None
    if by_hand:
        return SavedAlbum(name, by_hand, created, cover=cover)
    condition = None if line.get("condition") is None else _condition(_typed(line, "condition", str))
    return SavedAlbum(name, by_hand, created, _typed(line, "query", str), condition, _whole(line, "top"), cover)


def _condition(text: str) -> str:
    import json

    try:
        saved = json.loads(text)
        if saved.get("where") is not None:
            condition_from_json(saved["where"])
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, RecursionError) as exc:
        raise InvalidRecord("the filters of the album have no meaning") from exc
    return text


def _verdict(line: Json) -> TellApart:
    pictures = _typed(line, "pictures", list)
    if len(pictures) != 2 or not all(isinstance(each, dict) for each in pictures):
        raise InvalidRecord("'pictures' does not name two pictures")
    return TellApart(_picture(pictures[0]), _picture(pictures[1]))


def _judgement(line: Json) -> Judgement:
    grade = _whole(line, "grade")
    if abs(grade) > MAX_GRADE:
        raise InvalidRecord(f"{grade} is not a grade")
    query, text = (_typed(line, key, str) for key in ("query", "text"))
    if not query.strip() or not text.strip() or any("\n" in each or "\t" in each for each in (query, text)):
        raise InvalidRecord("the query is empty, or more than one line")
    return Judgement(query, text, path_from_json(line), grade, _digest(line) if "sha256" in line else None)


def _picture(line: Json) -> PictureName:
    files = _typed({"files": [], **line}, "files", list)
    if not all(isinstance(file, dict) for file in files):
        raise InvalidRecord("'files' is not a list of objects")
    return PictureName(_digest(line), tuple(FilePlace(_whole(file, "root"), path_from_json(file)) for file in files))


def _digest(line: Json) -> bytes:
    try:
        digest = bytes.fromhex(_typed(line, "sha256", str))
    except ValueError as exc:
        raise InvalidRecord("'sha256' is not a SHA-256") from exc
    if len(digest) != DIGEST_BYTES:
        raise InvalidRecord("'sha256' is not a SHA-256")
    return digest


def _name(line: Json, key: str) -> str:
    return _valid_name(_typed(line, key, str))


def _valid_name(text: object) -> str:
    """Return the name of a tag or an album."""
    if not isinstance(text, str):
        raise InvalidRecord(f"{text!r} is not a name")
    try:
        return tag_name(text)
    except InvalidTag as exc:
        raise InvalidRecord(str(exc)) from exc


def _whole(line: Json, key: str) -> int:
    value = line.get(key)
    if not _is_whole(value):
        raise InvalidRecord(f"{key!r} is not a whole number")
    return int(value)  # type: ignore[arg-type]


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _typed(line: Json, key: str, kind: type) -> Any:
    value = line.get(key)
    if not isinstance(value, kind):
        raise InvalidRecord(f"{key!r} is missing or not {'an object' if kind is dict else f'a {kind.__name__}'}")
    return value
