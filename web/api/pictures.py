"""One picture: what is known of it, a small version, the file itself."""

import os
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, BinaryIO
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from store.files import StoredFile
from store.near_duplicates.groups import others_of
from store.queries import describe
from web.dependencies import ServiceDep
from web.errors import NotThere
from web.files import LARGEST_ID, open_picture_file
from web.http_caching import byte_range, is_known
from web.responses import Picture, Stack
from web.thumbnails import Size

__all__ = ["PictureId", "router"]

router = APIRouter(prefix="/pictures", tags=["pictures"])

PictureId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The id of a picture, as hits bring it")]

FOREVER = "private, max-age=31536000, immutable"
"""An id is never given to other bytes."""
ASK_FIRST = "private, no-cache"

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # several JPEGs in a row, of which everything shows the first
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
}

UNKNOWN_TYPE = "application/octet-stream"
CHUNK = 1 << 18


@router.get("/{picture_id}")
def picture(picture_id: PictureId, service: ServiceDep) -> Picture:
    """What the library knows of a picture."""
    with service.library.read() as connection:
        record = describe(connection, [picture_id]).get(picture_id)
    if record is None:
        raise NotThere
    return Picture.of(record)


@router.get("/{picture_id}/stack")
def stack(picture_id: PictureId, service: ServiceDep) -> Stack:
    """Lists the pictures that are nearly the same as this one, itself among them."""
    with service.library.read() as connection:
        ids = sorted([picture_id, *others_of(connection, [picture_id]).get(picture_id, ())])
        records = describe(connection, ids)
    if picture_id not in records:
        raise NotThere
    return Stack(pictures=[Picture.of(records[each]) for each in ids if each in records])


@router.get(
    "/{picture_id}/thumbnail",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}}, 304: {"description": "You have it"}},
)
async def thumbnail(
    picture_id: PictureId,
    service: ServiceDep,
    request: Request,
    size: Annotated[Size, Query(description="Longest side in pixels")] = Size.GRID,
) -> Response:
    """A small version: WebP, the right way up, in sRGB."""
    found = await run_in_threadpool(service.thumbnails.find, picture_id, size)
    if found is None:  # to make one takes memory and a processor; who waits for that must not keep others from asking
        found = await to_thread.run_sync(service.thumbnails.make, picture_id, size, limiter=service.decoding)
    if found.tag is None:
        return Response(found.data, media_type="image/webp", headers={"Cache-Control": "no-store"})
    headers = {"Cache-Control": FOREVER, "ETag": found.tag}
    if is_known(request.headers, found.tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(found.data, media_type="image/webp", headers=headers)


@router.get(
    "/{picture_id}/original",
    response_class=StreamingResponse,
    responses={
        200: {"content": {media_type: {} for media_type in [*dict.fromkeys(MEDIA_TYPES.values()), UNKNOWN_TYPE]}},
        206: {"description": "The part that was asked for (`Range`)"},
        304: {"description": "You have it"},
        416: {"description": "The file ends before the part that was asked for"},
    },
)
def original(picture_id: PictureId, service: ServiceDep, request: Request) -> Response:
    """The file itself, every byte of it, metadata included."""
    stored, file = open_picture_file(service.library, picture_id)
    status = os.fstat(file.fileno())
    tag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    headers = {"Cache-Control": ASK_FIRST, "ETag": tag, "Accept-Ranges": "bytes", **_as_picture(stored)}
    wanted = byte_range(request.headers, status.st_size, tag)
    if is_known(request.headers, tag):
        code, sent = HTTPStatus.NOT_MODIFIED, range(0)
    elif wanted is None:
        code, sent = HTTPStatus.OK, range(status.st_size)
    elif wanted:
        code, sent = HTTPStatus.PARTIAL_CONTENT, wanted
        headers["Content-Range"] = f"bytes {sent[0]}-{sent[-1]}/{status.st_size}"
    else:
        code, sent = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, wanted
        headers["Content-Range"] = f"bytes */{status.st_size}"
    if not sent:
        file.close()
        return Response(status_code=code, headers=headers)
    headers["Content-Length"] = str(len(sent))
    answer = _Part(_chunks(file, sent), code, headers, media_type=MEDIA_TYPES.get(stored.format, UNKNOWN_TYPE))
    answer.file = file
    return answer


class _Part(StreamingResponse):
    """A part of an open file, which is closed whatever becomes of the answer: clients go, and HEAD wants no body."""

    file: BinaryIO

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.file.close()


def _as_picture(stored: StoredFile) -> dict[str, str]:
    """Headers that let a browser show the file, save it under its name, and take it for nothing but a picture."""
    name = quote(stored.path.name.encode("utf-8", "replace"), safe="")
    return {
        "Content-Disposition": f"inline; filename*=UTF-8''{name}",
        # A file that is no picture after all must not become a page of this site.
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _chunks(file: BinaryIO, wanted: range) -> Iterator[bytes]:
    file.seek(wanted.start)
    left = len(wanted)
    while left and (chunk := file.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk
