"""Decode the bytes of a picture file to upright sRGB pixels and metadata.

The bytes are untrusted. The size in the header is checked before anything is decoded, only the formats listed here are
tried (no PostScript, no vector formats), and every failure is a `PictureError`. A truncated file is a failure too: half
a picture would be embedded as a picture with a grey half.

Pillow's process-wide settings are not changed. Its decompression bomb check warns from 89 million pixels on, and a
warning cannot be silenced for one thread alone. Files are therefore opened by Pillow's format plugins directly, without
that check, and `DecodeSettings` sets the limits. (The plugins for GIF, TIFF and WebP repeat the check: these three
formats are limited to 179 million pixels.)

Savings and cost of decoding at a reduced scale, measured on 12-megapixel JPEGs (4000 x 3000, quality 90, 4:2:0; one
thread of an x86-64 server, Pillow 13 with libjpeg-turbo): baseline files take 46 ms in full, 29 ms for a model of 224
pixels and 27 ms for one of 128; with a colour profile 186, 41 and 32 ms; progressive ones 123, 106 and 106 ms. The
resize to the model's input size then takes 3 ms instead of 62. The resized pixels differ by 0.2 to 0.7 of 255 levels on
average (0.2 to 0.3 on enlarged photos with noise, 0.4 to 0.7 on a mosaic with detail in every pixel; at most 12
anywhere). The vectors of the built-in model hardly differ: for 60 photos enlarged to 4000 pixels, with noise, the
cosine similarity of the two was 0.99996 in the median and 0.9992 at worst.
"""

import errno
import io
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import BinaryIO

from PIL import ExifTags, Image, ImageFile

from core.errors import PictureError, PictureTooLarge, PictureUndecodable, PictureUnreadable, PictureUnsupported
from core.frames import FIRST_FRAME, Frame, FrameKind
from core.metadata import ImageInfo, PhotoMetadata
from pictures.color import to_8_bit, to_srgb
from pictures.frames import FramePosition, MomentSeeker, find_frames, seek_page
from pictures.metadata import add_late_chunks, read_metadata

__all__ = [
    "DecodeSettings",
    "Decoded",
    "decode",
    "decode_frames",
    "heif_is_installed",
    "read_header",
    "share_large_picture_lock",
]

_PLUGINS = {  # TGA is last: it has no signature and accepts anything
    "JPEG": "JpegImagePlugin",
    "PNG": "PngImagePlugin",
    "WEBP": "WebPImagePlugin",
    "GIF": "GifImagePlugin",
    "TIFF": "TiffImagePlugin",
    "AVIF": "AvifImagePlugin",
    "BMP": "BmpImagePlugin",
    "DIB": "BmpImagePlugin",
    "JPEG2000": "Jpeg2KImagePlugin",
    "PPM": "PpmImagePlugin",
    "TGA": "TgaImagePlugin",
}
for _plugin in dict.fromkeys(_PLUGINS.values()):
    import_module(f"PIL.{_plugin}")  # each registers itself in Image.OPEN

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_GENERIC_BRANDS = frozenset({b"mif1", b"msf1"})
"""Brands of the ISO file format (ISO/IEC 23008-12): HEVC pictures, and containers of HEVC or AV1."""

_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Operation that makes a picture upright, by EXIF orientation. 5 to 8 swap width and height."""

_LARGE_PICTURE_PIXELS = 24_000_000
"""Pictures that decode to more pixels (100 to 200 MB during colour conversion) are decoded one at a time."""

_large_picture_lock: AbstractContextManager[object] = threading.Lock()

_OVERSAMPLING = 2
"""Pixels per side kept for each pixel needed, so that the later resize determines the quality."""


@dataclass(frozen=True)
class DecodeSettings:
    """Limits on decoded pictures.

    `max_pixels` limits width times height according to the header; the largest phone sensors have 200 million pixels
    (16,320 x 12,240). `max_aspect` limits the ratio of the longer side to the shorter: at 100 to 1, a model with an
    input of 224 pixels sees two pixels across, or one per cent of the length. Panoramas and long screenshots are below
    50 to 1.
    """

    max_pixels: int = 200_000_000
    max_aspect: float = 100.0


@dataclass(frozen=True)
class Decoded:
    """A decoded picture. `image` is RGB in sRGB, upright, without metadata, and possibly reduced in size.

    `info` describes the file: its format according to its bytes, the size of the full picture, and its metadata.
    """

    image: Image.Image
    info: ImageInfo


def decode(
    source: bytes | BinaryIO,
    settings: DecodeSettings | None = None,
    shortest_side: int | None = None,
    frame: int = FIRST_FRAME,
) -> Decoded:
    """Decode one frame of a picture file, by default the first. The format is detected from the bytes.

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
    with _picture_errors():
        image = _open(file)
        if frame == FIRST_FRAME:
            return _decode_first(image, file, settings, shortest_side)[1]
        places = find_frames(image, file)
        if not 0 <= frame < len(places):
            raise PictureUndecodable(f"it has no frame {frame + 1}, only {len(places)}")
        return _decode_at(image, places[frame].position, settings, shortest_side)


def decode_frames(
    source: bytes | BinaryIO, settings: DecodeSettings | None = None, shortest_side: int | None = None
) -> Iterator[tuple[Frame | None, Decoded]]:
    """Decode the frames of a picture file, one after the other. The frame of a still picture is not described.

    The first frame is decoded as by `decode`, and raises the same errors. Later frames that cannot be decoded are left
    out, unless this could be different the next time. All have the metadata of the file.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    settings = settings or DecodeSettings()
    with _picture_errors():
        image = _open(file)
        places, first = _decode_first(image, file, settings, shortest_side, keep_open=True)
    yield _timed(places[0].frame, None), first
    seeker = MomentSeeker(image)
    for place in places[1:]:
        try:
            with _picture_errors():
                decoded = _decode_next(image, file, place, seeker, settings, shortest_side, first.info.metadata)
        except PictureError as error:
            if error.transient:
                raise
            continue
        yield _timed(place.frame, seeker), decoded


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
    needs_others = keep_open or image.format == "TIFF"  # whose first page may be a preview
    places = find_frames(image, file) if needs_others else (FramePosition(0),)
    keeps = len(places) > 1 and keep_open and image.format != "TIFF"
    try:
        with _picture_errors():
            return places, _decode_at(image, places[0].position, settings, shortest_side, close=not keeps)
    except PictureError as error:
        if not places[0].position or error.transient:
            raise
    only = (FramePosition(0),)
    return only, _decode_at(_open_again(file), 0, settings, shortest_side)


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
        return _decode_at(_open_again(file), place.position, settings, shortest_side, metadata)
    seeker.seek(place.position)
    return _decode_at(image, place.position, settings, shortest_side, metadata, close=False)


def _open_again(file: BinaryIO) -> ImageFile.ImageFile:
    file.seek(0)
    return _open(file)


def _decode_at(
    image: ImageFile.ImageFile,
    position: int,
    settings: DecodeSettings,
    shortest_side: int | None,
    metadata: PhotoMetadata | None = None,
    *,
    close: bool = True,
) -> Decoded:
    """Decode the frame at `position` of an open file. `metadata` is that of the file, if it has been read."""
    if position != image.tell():
        metadata = metadata or read_metadata(image)
        _seek(image, position)
    width, height = image.size
    _check(width, height, settings)
    if shortest_side and image.format in ("JPEG", "MPO"):
        image.draft(None, (shortest_side * _OVERSAMPLING,) * 2)
    with _large_picture_lock if _pixels_in_memory(image, width * height) > _LARGE_PICTURE_PIXELS else nullcontext():
        if image.format == "PNG":
            image.load()  # metadata may follow the pixels
        metadata = metadata or read_metadata(image)
        image.load()
        orientation = _orientation(image)  # not before: Pillow rotates TIFFs itself while loading
        upright = _upright_srgb(image, orientation, shortest_side)
        if close:
            Image.Image.close(image)  # frees the pixels before the lock; the file belongs to the caller
    if orientation >= 5:
        width, height = height, width
    return Decoded(upright, ImageInfo(image.format or "", width, height, metadata))


def _seek(image: ImageFile.ImageFile, position: int) -> None:
    if image.format == "TIFF":
        seek_page(image, position)
    else:
        MomentSeeker(image).seek(position)


def read_header(file: BinaryIO) -> PhotoMetadata:
    """Return the metadata of a picture file without decoding its pixels. Raises as `decode` does, but has no limits."""
    with _picture_errors():
        image = _open(file)
        if image.format == "PNG":
            add_late_chunks(file, image.info)
        return read_metadata(image)


@contextmanager
def _picture_errors() -> Iterator[None]:
    """Raise every failure as a `PictureError`. Pillow raises errors of nearly any type on broken bytes."""
    try:
        yield
    except PictureError:
        raise
    except OSError as error:
        if error.errno in (None, errno.EINVAL, errno.EOVERFLOW):  # raised by Pillow, or a seek to an invalid offset
            raise PictureUndecodable(_short(error)) from error
        raise PictureUnreadable(_short(error)) from error
    except MemoryError as error:
        raise PictureUnreadable("not enough memory to decode it") from error
    except Exception as error:
        raise PictureUndecodable(_short(error)) from error


def _short(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _open(file: BinaryIO) -> ImageFile.ImageFile:
    """Open a picture by reading its header. The format is detected from the bytes."""
    head = file.read(64)
    if not head:
        raise PictureUndecodable("the file is empty")
    failure: Exception | None = None
    for name in _candidates(head):
        factory, accept = Image.OPEN[name]
        accepted = accept(head[:16]) if accept else True
        if isinstance(accepted, str):  # Pillow was built without this format
            raise PictureUnsupported(accepted)
        if accepted:
            file.seek(0)
            try:
                return factory(file, "")
            except (SyntaxError, IndexError, TypeError, struct.error) as error:  # how plugins reject a file
                if accept:  # the signature matched: this error says more than that of a format without one
                    failure = failure or error
    if failure is not None:
        raise PictureUndecodable(_short(failure)) from failure
    raise PictureUndecodable("not a picture in a supported format")


def _candidates(head: bytes) -> tuple[str, ...]:
    """Return the names of the formats to try, in order."""
    if not _is_heif(head):
        return tuple(_PLUGINS)
    try:
        import pillow_heif
    except ImportError as error:
        raise PictureUnsupported("HEIC pictures need an extra: pip install 'sightline[heic]'") from error
    pillow_heif.register_heif_opener()
    return ("HEIF",)


def share_large_picture_lock(lock: AbstractContextManager[object]) -> None:
    """Use `lock`, which can be entered any number of times, for large pictures: several processes may share one."""
    global _large_picture_lock
    _large_picture_lock = lock


def heif_is_installed() -> bool:
    """Return whether the extra for HEIC pictures is installed."""
    return find_spec("pillow_heif") is not None


def _is_heif(head: bytes) -> bool:
    if head[4:8] != b"ftyp":
        return False
    major, box = head[8:12], head[: int.from_bytes(head[:4])]
    compatible = {box[start : start + 4] for start in range(16, len(box), 4)}
    return major in _HEIF_BRANDS or (major in _GENERIC_BRANDS and b"avif" not in compatible)


def _check(width: int, height: int, settings: DecodeSettings) -> None:
    if width < 1 or height < 1:
        raise PictureUndecodable("the picture has no pixels")
    if width * height > settings.max_pixels:
        raise PictureTooLarge(width, height, f"more than {settings.max_pixels:,} in total")
    if max(width, height) > settings.max_aspect * min(width, height):
        raise PictureTooLarge(width, height, f"an aspect ratio of more than {settings.max_aspect:g} to 1")


def _exif(image: Image.Image) -> Image.Exif:
    try:
        return image.getexif()
    except Exception:  # damaged metadata must not lose the picture
        return Image.Exif()


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8, or 1 if it is missing or invalid."""
    value = _exif(image).get(ExifTags.Base.Orientation)
    return value if isinstance(value, int) and value in _TRANSPOSITIONS else 1


def _pixels_in_memory(image: Image.Image, in_file: int) -> int:
    """Return the pixels in memory at once. A progressive JPEG is decoded completely regardless of the scale."""
    return in_file if "progressive" in image.info else image.width * image.height


def _upright_srgb(image: Image.Image, orientation: int, shortest_side: int | None) -> Image.Image:
    """Convert a loaded picture to 8 bits, reduce it, convert it to sRGB and make it upright, in the cheapest order."""
    pixels = to_8_bit(image)
    factor = min(pixels.size) // (shortest_side * _OVERSAMPLING) if shortest_side else 1
    if factor > 1:
        pixels = pixels.reduce(factor)
    pixels = to_srgb(pixels, image.info.get("icc_profile"))
    if orientation in _TRANSPOSITIONS:
        pixels = pixels.transpose(_TRANSPOSITIONS[orientation])
    if pixels is image:  # a copy does not keep the file open
        pixels = image.copy()
    pixels.info = {}  # a stale orientation here would rotate the picture again
    return pixels
