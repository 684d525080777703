"""Pictures that were picked, to take along: a list of them, or the files themselves."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from search.spreadsheet import no_formula
from store.queries import ContentRecord, describe
from web.dependencies import ServiceDep
from web.errors import NotThere
from web.files import LARGEST_ID, open_picture_file
from web.responses import Picture
from web.service import Service

__all__ = ["router"]

router = APIRouter(tags=["pictures"])

MOST = 10_000
CHUNK = 1 << 18
MEDIA_TYPES = {
    "zip": "application/zip",
    "csv": "text/csv; charset=utf-8",
    "json": "application/x-ndjson",
    "paths": "text/plain",
}


class ExportIn(BaseModel):
    """What to take along."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"pictures": [1, 2], "format": "csv"}]})

    pictures: list[Annotated[int, Field(ge=1, le=LARGEST_ID)]] = Field(min_length=1, max_length=MOST)
    format: Literal["csv", "json", "paths", "zip"]


@router.post(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {media: {} for media in MEDIA_TYPES.values()}}},
)
def export(wanted: ExportIn, service: ServiceDep) -> StreamingResponse:
    """Writes a list of pictures (CSV, JSON Lines, paths), or a ZIP archive of their files, in the order given."""
    with service.library.read() as connection:
        known = describe(connection, wanted.pictures)
    records = [known[each] for each in dict.fromkeys(wanted.pictures) if each in known]
    if not records:
        raise NotThere
    chunks = _zip(records, service) if wanted.format == "zip" else _lines(records, wanted.format)
    suffix = {"paths": "txt", "json": "jsonl"}.get(wanted.format, wanted.format)
    headers = {"Content-Disposition": f'attachment; filename="sightline.{suffix}"'}
    return StreamingResponse(chunks, media_type=MEDIA_TYPES[wanted.format], headers=headers)


def _lines(records: list[ContentRecord], form: str) -> Iterator[str]:
    pictures = [Picture.of(record) for record in records]
    if form == "paths":
        yield from (f"{picture.path}\n" for picture in pictures)
        return
    if form == "json":
        yield from (json.dumps(picture.model_dump(mode="json"), ensure_ascii=False) + "\n" for picture in pictures)
        return
    out = io.StringIO()
    table = csv.writer(out)
    columns = ["id", "path", "width", "height", "format", "size", "taken_at", "camera", "lens", "latitude", "longitude"]
    table.writerow(columns)
    table.writerows([_cell(getattr(picture, column)) for column in columns] for picture in pictures)
    yield out.getvalue()


def _cell(value: object) -> object:
    return no_formula(value) if isinstance(value, str) else value


def _zip(records: list[ContentRecord], service: Service) -> Iterator[bytes]:
    """An archive, sent as it is made: neither memory nor disk is taken for it."""
    out = _Passing()
    # "Deflated" without compression, as pictures are compressed already: where the length comes after the bytes, not
    # everything can read what is merely stored.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=0) as archive:
        for number, record in enumerate(records, start=1):
            try:
                stored, file = open_picture_file(service.library, record.id)
            except NotThere:
                continue
            name = stored.path.name.encode("utf-8", "replace").decode()
            with file, archive.open(zipfile.ZipInfo(f"{number:04}_{name}"), "w", force_zip64=True) as entry:
                while chunk := file.read(CHUNK):
                    entry.write(chunk)
                    yield out.taken()
    yield out.taken()


class _Passing(io.RawIOBase):
    """A file that only remembers what was written since somebody took it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        taken, self._held = bytes(self._held), bytearray()
        return taken
