"""Decode the bytes of a picture file to upright sRGB pixels and metadata.

The bytes are untrusted. The size in the header is checked before anything is decoded, only the formats of
`pictures.opening` are tried, and every failure is a `PictureError`. A truncated file is a failure too: half a picture
would be embedded as a picture with a grey half. A file whose pixels are whole is decoded in spite of damage beside them
(`pictures.repair`).

Pillow's process-wide settings are not changed. Its decompression bomb check warns from 89 million pixels on, and a
warning cannot be silenced for one thread alone. Files are therefore opened by Pillow's format plugins directly, without
that check, and `DecodeSettings` sets the limits. (The plugin for WebP repeats the check, and that for GIF does so for
frames that are larger than its screen: these are limited to 179 million pixels.)
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO, TypeVar

from PIL import ImageFile

from core.errors import PictureError, PictureUndecodable
from core.frames import FIRST_FRAME, Frame, FrameKind
from core.metadata import PhotoMetadata
from pictures.failures import picture_errors
from pictures.frame_pixels import INDEXED, Decoded, DecodeSettings, decode_at, share_large_picture_lock
from pictures.frames import FramePosition, MomentSeeker, find_frames, still
from pictures.metadata.reading import add_late_chunks, read_metadata
from pictures.moments import MomentsFile
from pictures.opening import is_repairable, open_picture
from pictures.repair import repair
from pictures.repair.jpeg import JPEG_FORMATS, lacks_end

__all__ = [
    "INDEXED",
    "DecodeSettings",
    "Decoded",
    "decode",
    "decode_frames",
    "read_header",
    "share_large_picture_lock",
]

Result = TypeVar("Result")


def decode(
    source: bytes | BinaryIO,
    settings: DecodeSettings | None = None,
    shortest_side: int | None = None,
    frame: int = FIRST_FRAME,
    seconds: float | None = None,
) -> Decoded:
    """Decode one frame of a picture file, by default the first. The format is detected from the bytes.

    `seconds` is the time of the frame, if it is known: the frame of a video is then found without looking for all.

    `shortest_side` is the number of pixels that the caller needs along the shorter side. The result has at least twice
    as many if the file does: JPEGs are decoded at a half, a quarter or an eighth of their size, other formats are
    averaged down after decoding, to save memory.

    Several threads may decode at once. Large pictures are decoded one at a time within the process (or all processes
    that share a lock), so that peak memory does not grow with the number of threads.

    Raises `PictureTooLarge`, `PictureUnsupported`, `PictureUndecodable` (also if there is no such frame), and
    `PictureUnreadable` if reading `source` fails.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    settings = settings or DecodeSettings()

    def decode_frame(image: ImageFile.ImageFile, file: BinaryIO) -> Decoded:
        if seconds is not None and isinstance(image, MomentsFile):
            image.seek_seconds(seconds)
            return decode_at(image, image.tell(), settings, shortest_side)
        if frame == FIRST_FRAME:
            return _decode_first(image, file, settings, shortest_side)[1]
        places = find_frames(image, file)
        if not 0 <= frame < len(places):
            raise PictureUndecodable(f"it has no frame {frame + 1}, only {len(places)}")
        return decode_at(image, places[frame].position, settings, shortest_side)

    return _opened(file, settings, decode_frame)


def decode_frames(
    source: bytes | BinaryIO, settings: DecodeSettings | None = None, shortest_side: int | None = None
) -> Iterator[tuple[Frame | None, Decoded]]:
    """Decode the frames of a picture file, one after the other. The frame of a still picture is not described.

    The first frame is decoded as by `decode`, and raises the same errors. Later frames that cannot be decoded are left
    out, unless this could be different the next time. All have the metadata of the file.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    settings = settings or DecodeSettings()

    def decode_first(
        image: ImageFile.ImageFile, file: BinaryIO
    ) -> tuple[ImageFile.ImageFile, BinaryIO, Sequence[FramePosition], Decoded]:
        return image, file, *_decode_first(image, file, settings, shortest_side, keep_open=True)

    image, file, places, first = _opened(file, settings, decode_first)
    yield _timed(places[0].frame, MomentSeeker(image) if isinstance(image, MomentsFile) else None), first
    seeker = MomentSeeker(image)
    for place in places[1:]:
        try:
            with picture_errors():
                decoded = _decode_next(image, file, place, seeker, settings, shortest_side, first.info.metadata)
        except PictureError as error:
            if error.transient:
                raise
            continue
        yield _timed(place.frame, seeker), decoded


def _opened(file: BinaryIO, settings: DecodeSettings, use: Callable[[ImageFile.ImageFile, BinaryIO], Result]) -> Result:
    """Open `file` and return the result of `use`. If it cannot be decoded, try again with its bytes repaired."""
    try:
        with picture_errors():
            return use(open_picture(file), file)
    except PictureUndecodable as error:
        if not is_repairable(file):
            raise
        failure = error
    try:
        with picture_errors():
            return _use_repaired(file, settings, use, failure)
    except PictureUndecodable as error:
        if error is failure:
            raise
        raise error from error.__cause__ or failure


def _use_repaired(
    file: BinaryIO,
    settings: DecodeSettings,
    use: Callable[[ImageFile.ImageFile, BinaryIO], Result],
    failure: PictureUndecodable,
) -> Result:
    """Return the result of `use` for the repaired bytes of `file`. Raises `failure` if there is nothing to repair."""
    file.seek(0)
    repaired = repair(file.read(), settings.max_pixels)
    if repaired is None:
        raise failure
    image = open_picture(again := io.BytesIO(repaired.data))
    image.info.update(repaired.info)
    return use(image, again)


def _timed(frame: Frame | None, seeker: MomentSeeker | None) -> Frame | None:
    """Return `frame`, with the time of the current one of `seeker`, by default 0, if it is a moment."""
    if frame is None or frame.kind is not FrameKind.MOMENT:
        return frame
    return replace(frame, seconds=0.0 if seeker is None else seeker.seconds)


def _decode_first(
    image: ImageFile.ImageFile,
    file: BinaryIO,
    settings: DecodeSettings,
    shortest_side: int | None,
    *,
    keep_open: bool = False,
) -> tuple[Sequence[FramePosition], Decoded]:
    """Decode the first frame of an image that has been opened from `file`; return all frames, too.

    If the first page that is no preview cannot be decoded, the preview is the picture. With `keep_open`, the image is
    only closed if there is no other frame.
    """
    if image.format in JPEG_FORMATS and lacks_end(file):
        raise PictureUndecodable("truncated: its end is missing")
    needs_others = keep_open or image.format == "TIFF"  # whose first page may be a preview
    places = find_frames(image, file) if needs_others else still(image)
    keeps = len(places) > 1 and keep_open and image.format != "TIFF"
    try:
        with picture_errors():
            return places, decode_at(image, places[0].position, settings, shortest_side, close=not keeps)
    except PictureError as error:
        if not places[0].position or error.transient:
            raise
    only = (FramePosition(0),)
    return only, decode_at(_open_again(file), 0, settings, shortest_side)


def _decode_next(
    image: ImageFile.ImageFile,
    file: BinaryIO,
    place: FramePosition,
    seeker: MomentSeeker,
    settings: DecodeSettings,
    shortest_side: int | None,
    metadata: PhotoMetadata,
) -> Decoded:
    if image.format == "TIFF":  # opened again, so that each page can be closed
        return decode_at(_open_again(file), place.position, settings, shortest_side, metadata)
    seeker.seek(place.position)
    return decode_at(image, place.position, settings, shortest_side, metadata, close=False)


def _open_again(file: BinaryIO) -> ImageFile.ImageFile:
    file.seek(0)
    return open_picture(file)


def read_header(file: BinaryIO) -> PhotoMetadata:
    """Return the metadata of a picture file without decoding its pixels. Raises as `decode` does, but has no limits."""

    def read(image: ImageFile.ImageFile, file: BinaryIO) -> PhotoMetadata:
        if image.format == "PNG":
            add_late_chunks(file, image.info)
        return read_metadata(image)

    return _opened(file, DecodeSettings(), read)
