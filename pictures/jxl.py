"""JPEG XL pictures (ISO/IEC 18181). `pylibjxl` decodes stills, `jxlpy` animations; both are an extra.

`pylibjxl` shows the last frame of an animation only. `jxlpy` has an older libjxl, and does not read metadata.
"""

from importlib.util import find_spec
from typing import Any, BinaryIO

from PIL import ExifTags, Image, ImageFile

from core.errors import PictureUndecodable
from pictures.extras import extra_is_installed, missing_extra

__all__ = ["JxlFile", "is_jxl_head", "open_jxl"]

MAX_HEADER_BYTES = 1 << 16
"""Bytes in which the size of a picture usually is. In other files, more boxes are before it."""

_SIGNATURES = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
"""Of a codestream, and of a file of boxes."""


def is_jxl_head(head: bytes) -> bool:
    """Return whether a file begins as JPEG XL."""
    return head.startswith(_SIGNATURES)


def open_jxl(file: BinaryIO) -> "JxlFile":
    """Open a picture. Raises `PictureUnsupported` without the extra, and `PictureUndecodable`."""
    if not extra_is_installed("jxl"):
        raise missing_extra("JPEG XL pictures", "jxl")
    return JxlFile(file, "")


class JxlFile(ImageFile.ImageFile):
    """An open picture. The decoder makes it upright, so that an orientation in its EXIF block means nothing.

    Its metadata is known once the pixels have been decoded; asking for it decodes them.
    """

    format = "JXL"
    format_description = "JPEG XL"

    def _open(self) -> None:
        self._file: BinaryIO = self.fp  # type: ignore[assignment]
        header = _probe(self._file)
        self._size = int(header["width"]), int(header["height"])
        self._mode = "RGB"
        self.is_animated = bool(header["have_animation"])
        self.n_frames = 1
        self._animation: _Animation | None = None
        self._position = 0
        self._is_decoded = False
        if self.is_animated:
            if find_spec("jxlpy") is None:
                raise missing_extra("Animated JPEG XL pictures", "jxl")
            self._animation = _Animation(self._file)
            self.n_frames = self._animation.number

    def tell(self) -> int:
        """Return the number of the current frame."""
        return self._position

    def seek(self, frame: int) -> None:
        """Go to a frame."""
        self._position, self._im = frame, None

    def getexif(self) -> Image.Exif:
        """Return the metadata, without the orientation."""
        self._decode()
        exif = super().getexif()
        if ExifTags.Base.Orientation in exif:
            del exif[ExifTags.Base.Orientation]
        return exif

    def load(self) -> Any:
        """Decode the pixels."""
        self._decode()
        if self._im is None:
            assert self._animation is not None
            image = self._animation.frame(self._position)
            self.im, self._mode, self._size = image.im, image.mode, image.size
        return Image.Image.load(self)

    def _decode(self) -> None:
        """Decode the metadata, and the pixels of a still picture."""
        if self._is_decoded:
            return
        import pylibjxl

        self._is_decoded = True
        self._file.seek(0)
        with pylibjxl.JXL(threads=1) as decoder:
            try:
                pixels, metadata = decoder.decode(self._file.read(), metadata=True)
            except (RuntimeError, ValueError) as error:
                raise PictureUndecodable(f"libjxl cannot decode it: {error}") from error
        for name, key in (("icc", "icc_profile"), ("exif", "exif"), ("xmp", "xmp")):
            if metadata.get(name):
                self.info[key] = bytes(metadata[name])
        if self._animation is None:
            self._keep(pixels)

    def _keep(self, pixels: Any) -> None:
        """Take decoded pixels: (H, W), or (H, W, C) with 1 to 4 channels."""
        if pixels.ndim == 3 and pixels.shape[2] == 1:
            pixels = pixels[..., 0]
        image = Image.fromarray(pixels)
        self.im, self._mode, self._size = image.im, image.mode, image.size


class _Animation:
    """The frames of an animation, which are decoded one after the other. Their times are not known."""

    def __init__(self, file: BinaryIO) -> None:
        import jxlpy

        file.seek(0)
        try:
            self._decoder = jxlpy.JXLPyDecoder(file.read())
            info = self._decoder.get_info()
            self.number = max(1, int(self._decoder.get_n_frames()))
            self._decoder.rewind()
        except Exception as error:  # jxlpy does not say which errors it raises
            raise PictureUndecodable(f"libjxl cannot read it: {error}") from error
        if info["bits_per_sample"] > 8:
            raise PictureUndecodable("animations of more than 8 bits are not supported")
        self._size = info["xsize"], info["ysize"]
        self._next = 0

    def frame(self, number: int) -> Image.Image:
        """Return a frame. Raises `PictureUndecodable` if it cannot be decoded."""
        try:
            if number < self._next:
                self._decoder.rewind()
                self._next = 0
            data = None
            while self._next <= number:
                data = self._decoder.get_frame()
                self._next += 1
            if data is None:
                raise PictureUndecodable(f"it has no frame {number + 1}")
            return Image.frombytes(self._decoder.get_colorspace(), self._size, data)
        except PictureUndecodable:
            raise
        except Exception as error:
            raise PictureUndecodable(f"libjxl cannot decode frame {number + 1}: {error}") from error


def _probe(file: BinaryIO) -> dict[str, Any]:
    """Return what the header says. Raises `PictureUndecodable`."""
    import pylibjxl

    failure: Exception | None = None
    for count in (MAX_HEADER_BYTES, -1):
        file.seek(0)
        try:
            header: dict[str, Any] = pylibjxl.probe(file.read(count))
        except (RuntimeError, ValueError) as error:
            failure = error
        else:
            return header
    raise PictureUndecodable(f"libjxl cannot read its header: {failure}") from failure
