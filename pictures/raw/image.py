"""Open a RAW file as a picture of its full size, whose pixels are those of a preview."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from PIL import ExifTags, Image, ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from core.errors import PictureUndecodable
from pictures.extras import extra_is_installed, missing_extra
from pictures.raw.contents import RawContents
from pictures.raw.kinds import CR3, LIBRAW_ONLY, RAF, is_tiff_head
from pictures.raw.messages import without_libraw_messages
from pictures.raw.other_containers import read_cr3, read_raf
from pictures.raw.previews import find_exif, find_preview, is_cut
from pictures.raw.sections import read_at
from pictures.raw.tiff_based import read_tiff_based

__all__ = ["RawImageFile", "is_raw"]

_ROTATED = frozenset({5, 6, 7, 8})
"""Orientations that exchange width and height."""


_KEPT_INFO = ("icc_profile", "progressive")
"""What is kept of the `info` of a preview."""


class RawImageFile(ImageFile.ImageFile):
    """A RAW file. `size` is that of the full picture until it is loaded, and then that of the preview.

    Opening it raises `SyntaxError` for any other file. Loading it raises `PictureUnsupported` if it has no preview and
    `rawpy` is not installed.
    """

    format_description = "RAW file of a camera"

    def _open(self) -> None:
        file: BinaryIO = self.fp  # type: ignore[assignment]
        contents = _read_contents(file)
        self.format = contents.format
        self._file = file
        self._preview = find_preview(file, contents)
        self._is_cut = self._preview is None and is_cut(file, contents)
        self._is_loaded = False
        self._mode = "RGB"
        self._size = self._full_size(contents)
        self.preview_exif = find_exif(file, contents)
        """The metadata of a JPEG in the file, which may have facts that the file itself has not."""
        self._exif = contents.exif if len(contents.exif) else self.preview_exif
        self._settle_orientation()
        self.info |= {key: value for key, value in (("xmp", contents.xmp), ("iptc", contents.iptc)) if value}
        if self._preview is not None:
            self.info |= {key: value for key, value in self._preview.info.items() if key in _KEPT_INFO}

    def getexif(self) -> Image.Exif:
        """Return the metadata of the RAW file; that of the preview if it has none of its own."""
        assert self._exif is not None
        return self._exif

    def draft(self, mode: Any, size: Any) -> Any:
        """Let the preview be decoded at a smaller scale, with at least `size` pixels."""
        if self._preview is None:
            return None
        configured = self._preview.draft(mode, size)
        self._size = self._preview.size
        return configured

    def load(self) -> Any:
        """Load the pixels of the preview, or decode the sensor data."""
        if not self._is_loaded:
            picture = self._decoded() if self._preview is None else self._preview
            picture.load()
            self.im, self._mode, self._size = picture.im, picture.mode, picture.size
            self._is_loaded, self._preview = True, None
        return Image.Image.load(self)

    def _full_size(self, contents: RawContents) -> tuple[int, int]:
        """Return the size that the file gives, or that of the preview if this is larger: some name another one."""
        width, height = contents.width, contents.height
        if self._preview is not None and self._preview.width * self._preview.height > width * height:
            return self._preview.size
        if width and height:
            return width, height
        with _open_libraw(self._file) as raw:
            return raw.sizes.width, raw.sizes.height

    def _settle_orientation(self) -> None:
        """Take note of a preview that is upright already, or that Pillow makes upright when it is loaded."""
        exif, preview = self.getexif(), self._preview
        orientation = exif.get(ExifTags.Base.Orientation)
        if preview is None or orientation is None:
            return
        (width, height), is_rotated = self._size, orientation in _ROTATED
        is_upright = is_rotated and width != height and (width > height) != (preview.width > preview.height)
        if is_upright or (isinstance(preview, TiffImageFile) and ExifTags.Base.Orientation in preview.getexif()):
            self._size = (height, width) if is_rotated else (width, height)
            exif[ExifTags.Base.Orientation] = 1

    def _decoded(self) -> Image.Image:
        """Decode the sensor data at half its size, without rotating it."""
        if self._is_cut:
            raise PictureUndecodable("the file is cut: the picture lies beyond its end")
        with _open_libraw(self._file) as raw:
            return Image.fromarray(raw.postprocess(half_size=True, use_camera_wb=True, user_flip=0))


def is_raw(file: BinaryIO) -> bool:
    """Return whether a file is a RAW file."""
    try:
        return _read_contents(file) is not None
    except SyntaxError:
        return False


def _read_contents(file: BinaryIO) -> RawContents:
    """Return the parts of a RAW file. Raises `SyntaxError` if it is none."""
    head = read_at(file, 0, 16)
    contents = None
    if head.startswith(RAF):
        contents = read_raf(file)
    elif head[4:12] == CR3:
        contents = read_cr3(file)
    elif is_tiff_head(head):
        contents = read_tiff_based(file)
    else:
        names = [name for signature, (place, name) in LIBRAW_ONLY.items() if head.startswith(signature, place)]
        contents = RawContents(names[0]) if names else None
    if contents is None:
        raise SyntaxError("not a RAW file")
    return contents


@contextmanager
def _open_libraw(file: BinaryIO) -> Iterator[Any]:
    """Open a file with LibRaw. Raises `PictureUnsupported` without `rawpy`, and `PictureUndecodable`."""
    if not extra_is_installed("raw"):
        raise missing_extra("RAW files without a preview", "raw")
    import rawpy

    file.seek(0)
    try:
        with without_libraw_messages(), rawpy.imread(io.BytesIO(file.read())) as raw:
            yield raw
    except rawpy.LibRawError as error:
        raise PictureUndecodable(f"LibRaw cannot decode it: {_message(error)}") from error


def _message(error: Exception) -> str:
    """Return the message of LibRaw, which is bytes."""
    text = error.args[0] if error.args else ""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
