"""Export of selected pictures: as a list, or as an archive of their files."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field

from core.errors import InvalidQuery
from core.text_files import BYTE_ORDER_MARK
from search.results import escape_formula
from store.queries import ContentRecord, load_content_records
from web.dependencies import ServiceDep
from web.errors import NotFound
from web.picture_files import FILE_CHUNK_BYTES, open_picture_file
from web.requests import ContentId, RequestModel
from web.responses import PictureResponse
from web.service import Service

__all__ = ["router"]

router = APIRouter(tags=["pictures"])

MAX_EXPORTED_PICTURES = 10_000
MEDIA_TYPES = {
    "zip": "application/zip",
    "csv": "text/csv; charset=utf-8",
    "json": "application/x-ndjson",
    "paths": "text/plain",
}


class ExportRequest(RequestModel):
    """The pictures to export, and the format."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"pictures": [1, 2], "format": "csv"}]})

    pictures: list[ContentId] = Field(min_length=1, max_length=MAX_EXPORTED_PICTURES)
    format: Literal["csv", "json", "paths", "zip"]
    bom: bool = Field(False, description="Begin a CSV table with a byte order mark, for Excel")


@router.post(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {media: {} for media in MEDIA_TYPES.values()}}},
)
def export(request: ExportRequest, service: ServiceDep) -> StreamingResponse:
    """Export a list of pictures (CSV, JSON Lines, paths) or a ZIP archive of their files, in the given order."""
    records_by_id = load_content_records(service.library, request.pictures)
    records = [
        records_by_id[content_id] for content_id in dict.fromkeys(request.pictures) if content_id in records_by_id
    ]
    if not records:
        raise NotFound
    if request.bom and request.format != "csv":
        raise InvalidQuery("`bom` applies to the format csv.")
    chunks = _zip(records, service) if request.format == "zip" else _lines(records, request.format, bom=request.bom)
    suffix = {"paths": "txt", "json": "jsonl"}.get(request.format, request.format)
    headers = {"Content-Disposition": f'attachment; filename="sightline.{suffix}"'}
    return StreamingResponse(chunks, media_type=MEDIA_TYPES[request.format], headers=headers)


def _lines(records: list[ContentRecord], form: str, *, bom: bool) -> Iterator[str]:
    pictures = [PictureResponse.of(record) for record in records]
    if form == "paths":
        yield from (f"{picture.path}\n" for picture in pictures)
        return
    if form == "json":
        yield from (json.dumps(picture.model_dump(mode="json"), ensure_ascii=False) + "\n" for picture in pictures)
        return
    out = io.StringIO(BYTE_ORDER_MARK if bom else "", newline="")
    out.seek(0, io.SEEK_END)
    table = csv.writer(out)
    columns = [
        "id", "path", "width", "height", "format", "size", "taken_at", "camera", "lens", "latitude", "longitude",
        "utc_offset", "date_source", "sublocation", "city", "region", "country",
    ]  # fmt: skip
    table.writerow([*columns, "people"])
    table.writerows(
        [
            *(_cell(getattr(picture, column)) for column in columns),
            _cell("; ".join(each.name for each in picture.people)),
        ]
        for picture in pictures
    )
    yield out.getvalue()


def _cell(value: object) -> object:
    return escape_formula(value) if isinstance(value, str) else value


def _zip(records: list[ContentRecord], service: Service) -> Iterator[bytes]:
    """Yield a ZIP archive while it is written, without keeping it in memory or on disk."""
    out = _StreamBuffer()
    # Deflate without compression, since pictures are compressed already. Not every program can read stored entries
    # whose length follows the data.
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=0) as archive:
        for number, record in enumerate(records, start=1):
            try:
                stored, file = open_picture_file(service.library, record.id)
            except NotFound:
                continue
            name = stored.path.name.encode("utf-8", "replace").decode()
            with file, archive.open(zipfile.ZipInfo(f"{number:04}_{name}"), "w", force_zip64=True) as entry:
                while chunk := file.read(FILE_CHUNK_BYTES):
                    entry.write(chunk)
                    yield out.take()
    yield out.take()


class _StreamBuffer(io.RawIOBase):
    """A writable file that keeps only what has not been taken yet."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pending += data
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        data, self._pending = bytes(self._pending), bytearray()
        return data
