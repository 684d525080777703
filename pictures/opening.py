"""Which formats are read, and how a file of each is opened: its header is read, but no pixels are decoded.

The format is detected from the bytes. Files are opened by Pillow's format plugins directly, without its decompression
bomb check, and only the plugins listed here are tried: no PostScript, no vector formats.
"""

import logging
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import BinaryIO

from PIL import Image, ImageFile, TiffImagePlugin

from core.errors import PictureUndecodable, PictureUnsupported
from pictures.color.code_points import nclx_code_points, png_code_points
from pictures.color.color_space import CODE_POINTS, CodePoints
from pictures.color.conversion import NO_ALPHA
from pictures.extras import missing_extra
from pictures.failures import plain_message
from pictures.jpeg2000 import add_boxes
from pictures.jxl import is_jxl_head, open_jxl
from pictures.raw import RawImageFile, is_raw, is_raw_head
from pictures.tiff.reading import open_tiff
from pictures.video import is_video_head, open_video

__all__ = [
    "FORMATS",
    "HEAD_BYTES",
    "PictureFormat",
    "is_repairable",
    "open_picture",
]

HEAD_BYTES = 64
"""Bytes at the beginning of a file by which its format is recognised."""

logging.getLogger("PIL").addHandler(logging.NullHandler())  # Python prints errors that no handler takes

_REJECTIONS = (SyntaxError, IndexError, TypeError, struct.error)
"""What plugins raise to reject a file."""


@dataclass(frozen=True)
class PictureFormat:
    """A format: how it is recognised, and how a file of it is opened.

    `accepts` gets the first `HEAD_BYTES` bytes of a file. `open` gets the file at its beginning, and raises one of the
    errors of Pillow's plugins, such as `SyntaxError`, if it is not of this format after all. A format without a
    signature accepts anything, so it must come last.
    """

    name: str
    accepts: Callable[[bytes], bool]
    open: Callable[[BinaryIO], ImageFile.ImageFile]
    has_signature: bool = True


def open_picture(file: BinaryIO) -> ImageFile.ImageFile:
    """Open a picture by reading its header. `file` is read from its current position, the beginning.

    Raises `PictureUndecodable` if no format accepts it, `PictureUnsupported` if the format needs something that is not
    installed, and errors of nearly any type on broken bytes.
    """
    head = file.read(HEAD_BYTES)
    if not head:
        raise PictureUndecodable("the file is empty")
    failure: Exception | None = None
    for form in FORMATS:
        if form.accepts(head):
            file.seek(0)
            try:
                return form.open(file)
            except _REJECTIONS as error:
                if form.has_signature:  # this error says more than that of a format without one
                    failure = failure or error
    if failure is not None:
        raise PictureUndecodable(plain_message(failure)) from failure
    raise PictureUndecodable("not a picture in a supported format")


def is_repairable(file: BinaryIO) -> bool:
    """Return whether `pictures.repair` may know a file that cannot be decoded: one of a format that Pillow reads."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return not (is_raw_head(head) or is_video_head(head) or is_jxl_head(head) or (_is_tiff(head) and is_raw(file)))


def _pillow_format(name: str, plugin: str) -> PictureFormat:
    """Return a format that one of Pillow's plugins reads."""
    import_module(f"PIL.{plugin}")  # it registers itself in Image.OPEN
    factory, accept = Image.OPEN[name]

    def accepts(head: bytes) -> bool:
        try:
            accepted = accept(head[:16]) if accept else True
        except struct.error:  # fewer bytes than the signature has
            return False
        if isinstance(accepted, str):  # Pillow was built without this format
            raise PictureUnsupported(accepted)
        return accepted

    return PictureFormat(name, accepts, lambda file: factory(file, ""), has_signature=accept is not None)


_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_GENERIC_BRANDS = frozenset({b"mif1", b"msf1"})
"""Brands of the ISO file format (ISO/IEC 23008-12): HEVC pictures, and containers of HEVC or AV1."""


def _is_heif(head: bytes) -> bool:
    if head[4:8] != b"ftyp":
        return False
    major, box = head[8:12], head[: int.from_bytes(head[:4])]
    compatible = {box[start : start + 4] for start in range(16, len(box), 4)}
    return major in _HEIF_BRANDS or (major in _GENERIC_BRANDS and b"avif" not in compatible)


def _open_heif(file: BinaryIO) -> ImageFile.ImageFile:
    try:
        import pillow_heif
    except ImportError as error:
        raise missing_extra("HEIC pictures", "heic") from error
    pillow_heif.register_heif_opener()
    return Image.OPEN["HEIF"][0](file, "")


def _is_tiff(head: bytes) -> bool:
    return head.startswith(tuple(TiffImagePlugin.PREFIXES))


def _open_tiff(file: BinaryIO) -> ImageFile.ImageFile:
    """Open a TIFF, or a RAW file that begins as one."""
    with suppress(SyntaxError):
        return RawImageFile(file, "")
    file.seek(0)
    return open_tiff(file)


def _with_code_points(form: PictureFormat, find: Callable[[BinaryIO], CodePoints | None]) -> PictureFormat:
    """Return `form`, whose pictures get their code points, which Pillow does not read, into their `info`."""

    def open_with_code_points(file: BinaryIO) -> ImageFile.ImageFile:
        image = form.open(file)
        place = file.tell()
        if (points := find(file)) is not None:
            image.info[CODE_POINTS] = points
        file.seek(place)
        return image

    return replace(form, open=open_with_code_points)


_JPEG2000 = _pillow_format("JPEG2000", "Jpeg2KImagePlugin")


def _open_jpeg2000(file: BinaryIO) -> ImageFile.ImageFile:
    image = _JPEG2000.open(file)
    add_boxes(image, file)
    return image


_TGA = _pillow_format("TGA", "TgaImagePlugin")
_TGA_ALPHA_BITS = 0x0F


def _open_tga(file: BinaryIO) -> ImageFile.ImageFile:
    """Open a TGA, and note whether its header declares no alpha (Truevision TGA 2.0, field 5.6)."""
    image = _TGA.open(file)
    place = file.tell()
    file.seek(17)
    if not file.read(1)[0] & _TGA_ALPHA_BITS:
        image.info[NO_ALPHA] = True
    file.seek(place)
    return image


FORMATS = (
    _with_code_points(PictureFormat("HEIF", _is_heif, _open_heif), nclx_code_points),
    _pillow_format("JPEG", "JpegImagePlugin"),
    _with_code_points(_pillow_format("PNG", "PngImagePlugin"), png_code_points),
    _pillow_format("WEBP", "WebPImagePlugin"),
    _pillow_format("GIF", "GifImagePlugin"),
    PictureFormat("RAW", is_raw_head, lambda file: RawImageFile(file, "")),
    PictureFormat("TIFF", _is_tiff, _open_tiff),
    _with_code_points(_pillow_format("AVIF", "AvifImagePlugin"), nclx_code_points),
    _pillow_format("BMP", "BmpImagePlugin"),
    _pillow_format("DIB", "BmpImagePlugin"),
    replace(_JPEG2000, open=_open_jpeg2000),
    _pillow_format("PPM", "PpmImagePlugin"),
    PictureFormat("JXL", is_jxl_head, open_jxl),
    PictureFormat("VIDEO", is_video_head, open_video),
    replace(_TGA, open=_open_tga),  # last: it has no signature and accepts anything
)
"""All formats, in the order in which they are tried."""
