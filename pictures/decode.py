"""From the bytes of a picture file to upright sRGB pixels. Knows nothing of folders, catalogues or models.

The bytes are not to be trusted. What the header claims is checked before anything is decoded, only the formats
listed here are ever tried (no PostScript, no vector formats), and every failure is a `PictureError`. A truncated
file is a failure too: half a picture would be embedded as a picture with a grey half.

Pillow's process-wide settings stay untouched. Its own bomb check warns from 89 million pixels on, and a warning
cannot be silenced for one thread alone; so files are opened by Pillow's format plugins directly, without that check,
and `DecodeSettings` decides. (GIF, TIFF and WebP repeat the check inside: those three stay below 179 million.)

What reduced scale saves and costs, measured on 12-megapixel JPEGs (4000 x 3000, quality 90, 4:2:0; one thread of an
x86-64 server, Pillow 13 with libjpeg-turbo): baseline files take 46 ms in full, 29 ms for a model of 224 pixels and
27 ms for one of 128; with a colour profile 186, 41 and 32 ms; progressive ones 123, 106 and 106 ms. The resize to the
model's square then takes 3 ms instead of 62. The square itself differs by 0.2 to 0.7 of 255 levels in the mean
(0.2 to 0.3 on enlarged photos with noise, 0.4 to 0.7 on a mosaic with detail in every pixel; at most 12 anywhere), and
the vector of the built-in model hardly at all: of 60 photos enlarged to 4000 pixels, with noise, the cosine between the
two was 0.99996 in the median and 0.9992 at worst.
"""

import errno
import io
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import BinaryIO

from PIL import ExifTags, Image, ImageFile

from core.errors import PictureError, PictureTooLarge, PictureUndecodable, PictureUnreadable, PictureUnsupported
from core.metadata import ImageInfo, PhotoMetadata
from pictures.color import plain, to_srgb
from pictures.metadata import add_late_chunks, read_metadata

__all__ = ["DecodeSettings", "Decoded", "decode", "heif_is_installed", "read_header"]

_PLUGINS = {  # TGA last: it has no signature and would try anything
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
    import_module(f"PIL.{_plugin}")  # each enters itself in Image.OPEN

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_GENERIC_BRANDS = frozenset({b"mif1", b"msf1"})
"""Brands of the ISO file format (ISO/IEC 23008-12): HEVC pictures, and containers that may hold HEVC or AV1."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation to what makes the picture upright; 5 to 8 swap width and height."""

_BIG_PIXELS = 24_000_000
"""Pictures that decode to more than this (about 100 to 200 MB while colours are converted) take turns."""

_big_turn = threading.Lock()

_OVERSAMPLING = 2
"""A reduced picture keeps this many pixels for each one needed, so that the resize that follows decides the look."""


@dataclass(frozen=True)
class DecodeSettings:
    """Limits on what is decoded.

    `max_pixels` counts width times height as the header gives them; 200 million is what the largest phone sensors
    make (16,320 x 12,240). `max_aspect` is the longer side over the shorter: at 100 to 1 a model that reads 224 pixels
    sees two of them across, or one per cent of the length; panoramas and long screenshots stay below 50.
    """

    max_pixels: int = 200_000_000
    max_aspect: float = 100.0


@dataclass(frozen=True)
class Decoded:
    """A decoded picture. `image` is RGB in sRGB, upright, without metadata, possibly smaller than the file's picture.

    `info` describes the file: its format according to its bytes, the size of the full picture, and its metadata.
    """

    image: Image.Image
    info: ImageInfo


def decode(
    source: bytes | BinaryIO, settings: DecodeSettings | None = None, shortest_side: int | None = None
) -> Decoded:
    """The first frame of a picture file, whatever its name says it is.

    With `shortest_side`, the caller wants no more than that many pixels along the shorter side, and gets at least twice
    as many where the file has them: JPEGs are decoded at a half, a quarter or an eighth of their size, everything else
    is averaged down after decoding, so that little memory is held.

    Many threads may decode at once. Pictures that take much memory take turns within the process, so that the peak does
    not grow with the number of threads.

    Raises `PictureTooLarge`, `PictureUnsupported`, `PictureUndecodable`, and `PictureUnreadable` where reading `source`
    itself fails.
    """
    with _picture_errors():
        image = _open(io.BytesIO(source) if isinstance(source, bytes) else source)
        width, height = image.size
        _check(width, height, settings or DecodeSettings())
        if shortest_side and image.format in ("JPEG", "MPO"):
            image.draft(None, (shortest_side * _OVERSAMPLING,) * 2)
        with _big_turn if _pixels_held(image, width * height) > _BIG_PIXELS else nullcontext():
            if image.format == "PNG":
                image.load()  # metadata may come after the pixels
            metadata = read_metadata(image)
            image.load()
            orientation = _orientation(image)  # only now: Pillow has turned TIFFs by itself while loading
            upright = _upright_srgb(image, orientation, shortest_side)
            Image.Image.close(image)  # frees its pixels before the next one's turn; the file is the caller's
    if orientation >= 5:
        width, height = height, width
    return Decoded(upright, ImageInfo(image.format or "", width, height, metadata))


def read_header(file: BinaryIO) -> PhotoMetadata:
    """Return the metadata of a picture file without decoding its pixels. Raises as `decode` does, but has no limits."""
    with _picture_errors():
        image = _open(file)
        if image.format == "PNG":
            add_late_chunks(file, image.info)
        return read_metadata(image)


@contextmanager
def _picture_errors() -> Iterator[None]:
    """Every failure as a `PictureError`. On broken bytes Pillow raises nearly anything: hence `Exception`."""
    try:
        yield
    except PictureError:
        raise
    except OSError as error:
        if error.errno in (None, errno.EINVAL, errno.EOVERFLOW):  # Pillow's own, or a seek to a nonsense offset
            raise PictureUndecodable(_short(error)) from error
        raise PictureUnreadable(_short(error)) from error
    except MemoryError as error:
        raise PictureUnreadable("not enough memory to decode it") from error
    except Exception as error:
        raise PictureUndecodable(_short(error)) from error


def _short(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _open(file: BinaryIO) -> ImageFile.ImageFile:
    """The picture with its header read and nothing decoded; the bytes decide the format."""
    head = file.read(64)
    if not head:
        raise PictureUndecodable("the file is empty")
    failure: Exception | None = None
    for name in _candidates(head):
        factory, accept = Image.OPEN[name]
        verdict = accept(head[:16]) if accept else True
        if isinstance(verdict, str):  # Pillow was built without this format
            raise PictureUnsupported(verdict)
        if verdict:
            file.seek(0)
            try:
                return factory(file, "")
            except (SyntaxError, IndexError, TypeError, struct.error) as error:  # how plugins say "not mine"
                if accept:  # the signature was right: this says more than what a format without one complains of
                    failure = failure or error
    if failure is not None:
        raise PictureUndecodable(_short(failure)) from failure
    raise PictureUndecodable("not a picture in a known format")


def _candidates(head: bytes) -> tuple[str, ...]:
    """Names of the formats to try, in order."""
    if not _is_heif(head):
        return tuple(_PLUGINS)
    try:
        import pillow_heif
    except ImportError as error:
        raise PictureUnsupported("HEIC pictures need an extra: pip install 'sightline[heic]'") from error
    pillow_heif.register_heif_opener()
    return ("HEIF",)


def heif_is_installed() -> bool:
    """Whether the extra is there that HEIC pictures need."""
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
        raise PictureTooLarge(width, height, f"more than {settings.max_pixels:,} in all")
    if max(width, height) > settings.max_aspect * min(width, height):
        raise PictureTooLarge(width, height, f"a shape more extreme than {settings.max_aspect:g} to 1")


def _exif(image: Image.Image) -> Image.Exif:
    try:
        return image.getexif()
    except Exception:  # damaged metadata is no reason to lose the picture
        return Image.Exif()


def _orientation(image: Image.Image) -> int:
    """1 to 8; 1 where the file says nothing sensible."""
    value = _exif(image).get(ExifTags.Base.Orientation)
    return value if isinstance(value, int) and value in _TURNS else 1


def _pixels_held(image: Image.Image, in_file: int) -> int:
    """Pixels that must be in memory at once; a progressive JPEG is held whole at whatever scale it is decoded."""
    return in_file if "progressive" in image.info else image.width * image.height


def _upright_srgb(image: Image.Image, orientation: int, shortest_side: int | None) -> Image.Image:
    """A loaded picture made plain, small, sRGB and upright, in the order that costs least."""
    pixels = plain(image)
    factor = min(pixels.size) // (shortest_side * _OVERSAMPLING) if shortest_side else 1
    if factor > 1:
        pixels = pixels.reduce(factor)
    pixels = to_srgb(pixels, image.info.get("icc_profile"))
    if orientation in _TURNS:
        pixels = pixels.transpose(_TURNS[orientation])
    if pixels is image:  # a copy lets go of the file
        pixels = image.copy()
    pixels.info = {}  # a stale orientation here would turn the picture again
    return pixels
