"""Single pictures: metadata, frames, near-duplicates, thumbnails and files."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path as FilePath
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from core.frames import FIRST_FRAME
from core.root_files import status_of
from store.near_duplicates.group_queries import near_duplicate_records
from store.queries import StoredFile, load_content_record
from web.dependencies import ServiceDep
from web.errors import NotFound
from web.frame_images import FrameEncoding, frame_etag, render_frame
from web.picture_details import PictureDetailsResponse, find_details
from web.picture_files import (
    FILE_CHUNK_BYTES,
    MAX_CONTENT_ID,
    MAX_FRAME_NUMBER,
    byte_range,
    matches_etag,
    open_companion,
    open_picture_file,
)
from web.responses import NearDuplicatesResponse, PictureResponse
from web.thumbnails import ThumbnailSize

__all__ = ["FrameNumber", "PictureId", "router"]

router = APIRouter(prefix="/pictures", tags=["pictures"])

PictureId = Annotated[int, Path(ge=1, le=MAX_CONTENT_ID, description="ID of a picture, as in search results")]

FrameNumber = Annotated[
    int, Query(ge=0, le=MAX_FRAME_NUMBER, description="Number of a page or moment of a file that has several, from 0")
]

CACHE_FOREVER = "private, max-age=31536000, immutable"
"""For thumbnails, since an ID always stands for the same bytes."""
CACHE_REVALIDATE = "private, no-cache"

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # several JPEGs in one file; viewers show the first
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "DIB": "image/bmp",
    "HEIF": "image/heif",
    "JPEG2000": "image/jp2",
    "PPM": "image/x-portable-anymap",
    "TGA": "image/x-tga",
    "JXL": "image/jxl",
    "DNG": "image/x-adobe-dng",
    "CR2": "image/x-canon-cr2",
    "CR3": "image/x-canon-cr3",
    "CRW": "image/x-canon-crw",
    "NEF": "image/x-nikon-nef",
    "ARW": "image/x-sony-arw",
    "RAF": "image/x-fuji-raf",
    "ORF": "image/x-olympus-orf",
    "RW2": "image/x-panasonic-rw2",
    "PEF": "image/x-pentax-pef",
    "SRW": "image/x-samsung-srw",
    "X3F": "image/x-sigma-x3f",
    "MRW": "image/x-minolta-mrw",
    "RAW": "image/x-dcraw",
    "MP4": "video/mp4",  # browsers play MOV under this type only
    "MATROSKA": "video/x-matroska",
    "AVI": "video/x-msvideo",
    "MPEG": "video/mpeg",
    "FLV": "video/x-flv",
    "WMV": "video/x-ms-wmv",
    "OGG": "video/ogg",
}
WEBM_SUFFIX, WEBM = ".webm", "video/webm"
"""WebM is a kind of Matroska that browsers play."""

UNKNOWN_MEDIA_TYPE = "application/octet-stream"

COMPANION_MEDIA_TYPES = {".mov": "video/quicktime", ".mp4": "video/mp4", ".mp": "video/mp4"}
"""Of moving parts. RAW files have no type that browsers know."""

MAX_COMPANIONS = 1_000


@router.get("/{picture_id}")
def picture(picture_id: PictureId, service: ServiceDep) -> PictureDetailsResponse:
    """Return what is known about a picture: metadata, rating, tags, frames, the text in it, and what failed."""
    return find_details(service.library, picture_id)


@router.get("/{picture_id}/stack")
def stack(picture_id: PictureId, service: ServiceDep) -> NearDuplicatesResponse:
    """List a picture and its near-duplicates."""
    record = load_content_record(service.library, picture_id)
    if record is None:
        raise NotFound
    others = near_duplicate_records(service.library, [picture_id]).get(picture_id, [])
    records = sorted([record, *others], key=lambda record: record.id)
    return NearDuplicatesResponse(pictures=[PictureResponse.of(record) for record in records])


@router.get(
    "/{picture_id}/thumbnail",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}}, 304: {"description": "Not modified"}},
)
async def thumbnail(
    picture_id: PictureId,
    service: ServiceDep,
    request: Request,
    size: Annotated[ThumbnailSize, Query(description="Longest side in pixels")] = ThumbnailSize.GRID,
    frame: FrameNumber = FIRST_FRAME,
) -> Response:
    """Return a thumbnail of a picture, or of one frame of it: WebP, upright, in sRGB."""
    thumbnails, limiter = service.thumbnails, service.thumbnail_limiter
    result = await run_in_threadpool(thumbnails.find, picture_id, size, frame)
    if result is None:  # making one takes memory and time; requests that wait for it occupy no thread
        result = await to_thread.run_sync(thumbnails.make, picture_id, size, frame, limiter=limiter)
    return _image_response(request, result.data, result.etag, "image/webp")


@router.get(
    "/{picture_id}/frames/{number}",
    response_class=Response,
    responses={200: {"content": {"image/png": {}, "image/jpeg": {}}}, 304: {"description": "Not modified"}},
)
async def frame_image(
    picture_id: PictureId,
    number: Annotated[int, Path(ge=0, le=MAX_FRAME_NUMBER, description="Number of the frame, from 0")],
    service: ServiceDep,
    request: Request,
    encoding: Annotated[
        FrameEncoding, Query(alias="format", description="`png` has the exact pixels, `jpeg` is smaller and faster")
    ] = FrameEncoding.PNG,
) -> Response:
    """Return one frame of a picture at its full size: upright, in sRGB. A still picture has the frame 0."""
    media_type = f"image/{encoding}"
    etag = await run_in_threadpool(frame_etag, service.library, picture_id, number, encoding)
    if matches_etag(request.headers, etag):
        return _image_response(request, b"", etag, media_type)
    limiter = service.thumbnail_limiter
    image = await to_thread.run_sync(render_frame, service.library, picture_id, number, encoding, limiter=limiter)
    return _image_response(request, image.data, image.etag, media_type)


def _image_response(request: Request, data: bytes, etag: str | None, media_type: str) -> Response:
    """Return an image that never changes, or, without an entity tag, one that may not be cached."""
    if etag is None:
        return Response(data, media_type=media_type, headers={"Cache-Control": "no-store"})
    headers = {"Cache-Control": CACHE_FOREVER, "ETag": etag}
    if matches_etag(request.headers, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(data, media_type=media_type, headers=headers)


FILE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {media_type: {} for media_type in [*dict.fromkeys(MEDIA_TYPES.values()), WEBM, UNKNOWN_MEDIA_TYPE]}
    },
    206: {"description": "The requested part (`Range`)"},
    304: {"description": "Not modified"},
    416: {"description": "The requested range is outside the file"},
}


@router.get("/{picture_id}/original", response_class=StreamingResponse, responses=FILE_RESPONSES)
def original(picture_id: PictureId, service: ServiceDep, request: Request) -> Response:
    """Return the unchanged file, including its metadata."""
    stored, file = open_picture_file(service.library, picture_id)
    return _send(request, stored.path, file, _media_type(stored))


@router.get("/{picture_id}/companions/{number}", response_class=StreamingResponse, responses=FILE_RESPONSES)
def companion(
    picture_id: PictureId,
    number: Annotated[int, Path(ge=0, le=MAX_COMPANIONS, description="Index in `companions` of the picture, from 0")],
    service: ServiceDep,
    request: Request,
) -> Response:
    """Return another file of the same shot, such as the RAW file of a JPEG, unchanged."""
    path, file = open_companion(service.library, picture_id, number)
    return _send(request, path, file, COMPANION_MEDIA_TYPES.get(path.suffix.lower(), UNKNOWN_MEDIA_TYPE))


def _media_type(stored: StoredFile) -> str:
    if stored.format == "MATROSKA" and stored.path.suffix.lower() == WEBM_SUFFIX:
        return WEBM
    return MEDIA_TYPES.get(stored.format, UNKNOWN_MEDIA_TYPE)


def _send(request: Request, path: FilePath, file: BinaryIO, media_type: str) -> Response:
    """Return an open file or the part that is asked for, and close it afterwards."""
    status = status_of(file)
    replaced = "" if status.identity is None else f"-{status.identity:x}"
    etag = f'"{status.mtime_ns:x}-{status.size:x}{replaced}"'
    headers = {"Cache-Control": CACHE_REVALIDATE, "ETag": etag, "Accept-Ranges": "bytes", **_file_headers(path)}
    requested = byte_range(request.headers, status.size, etag)
    if matches_etag(request.headers, etag):
        code, sent = HTTPStatus.NOT_MODIFIED, range(0)
    elif requested is None:
        code, sent = HTTPStatus.OK, range(status.size)
    elif requested:
        code, sent = HTTPStatus.PARTIAL_CONTENT, requested
        headers["Content-Range"] = f"bytes {sent[0]}-{sent[-1]}/{status.size}"
    else:
        code, sent = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, requested
        headers["Content-Range"] = f"bytes */{status.size}"
    if not sent:
        file.close()
        return Response(status_code=code, headers=headers)
    headers["Content-Length"] = str(len(sent))
    response = _FileResponse(_chunks(file, sent), code, headers, media_type)
    response.file = file
    return response


class _FileResponse(StreamingResponse):
    """A part of an open file, which is closed in any case: clients disconnect, and HEAD sends no body."""

    file: BinaryIO

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.file.close()


def _file_headers(path: FilePath) -> dict[str, str]:
    """Return headers that make a browser show the file and save it under its name."""
    name = quote(path.name.encode("utf-8", "replace"), safe="")
    return {
        "Content-Disposition": f"inline; filename*=UTF-8''{name}",
        # If the file is not a picture after all, it must not run as a page of this site.
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _chunks(file: BinaryIO, requested: range) -> Iterator[bytes]:
    file.seek(requested.start)
    left = len(requested)
    while left and (chunk := file.read(min(FILE_CHUNK_BYTES, left))):
        left -= len(chunk)
        yield chunk
