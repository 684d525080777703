"""One picture: what is known of it, a small version, the file itself."""

from collections.abc import Iterator
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse

from store.lookup import describe
from store.stacks import anchors_of, members_of
from web.asking import ServiceDep
from web.files import LARGEST_ID, open_picture_file
from web.problems import NotThere
from web.schemas import Picture, Stack
from web.thumbnails import Size

__all__ = ["PictureId", "router"]

router = APIRouter(prefix="/pictures", tags=["pictures"])

PictureId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="The id of a picture, as hits bring it")]

FOREVER = "private, max-age=31536000, immutable"
"""An id is never given to other bytes."""

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
    "BMP": "image/bmp",
    "HEIF": "image/heif",
    "JPEG2000": "image/jp2",
}

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
        anchors = anchors_of(connection, [picture_id])
        members = members_of(connection, anchors.values())
        ids = [each for some in members.values() for each in some] or [picture_id]
        records = describe(connection, ids)
    if picture_id not in records:
        raise NotThere
    return Stack(pictures=[Picture.of(records[each]) for each in ids if each in records])


@router.get(
    "/{picture_id}/thumbnail",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}}, 304: {"description": "The one you have"}},
)
def thumbnail(
    picture_id: PictureId,
    service: ServiceDep,
    size: Annotated[Size, Query(description="Longest side in pixels")] = Size.GRID,
) -> Response:
    """A small version: WebP, the right way up, in sRGB."""
    made = service.thumbnails.get(picture_id, size)
    return Response(made, media_type="image/webp", headers={"Cache-Control": FOREVER})


@router.get("/{picture_id}/original", response_class=StreamingResponse)
def original(picture_id: PictureId, service: ServiceDep) -> StreamingResponse:
    """The file itself, every byte of it, metadata included."""
    stored, file = open_picture_file(service.library, picture_id)
    headers = {
        "Cache-Control": "private, no-cache",
        # A file that is no picture after all must not become a page of this site.
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": f'inline; filename="{picture_id}.{stored.format.lower() or "bin"}"',
    }
    media_type = MEDIA_TYPES.get(stored.format, "application/octet-stream")
    return StreamingResponse(_chunks(file), media_type=media_type, headers=headers)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
