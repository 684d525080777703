"""TIFF files: Pillow's plugin, and own reading of the sample layouts that it does not know or reads wrongly.

Pillow reads 8-bit pictures, palettes, 16-bit and float greys, and what is compressed as JPEG or fax. Read here are the
other depths from 1 to 32 bits, signed integers, floats of 16 to 64 bits, colours of more than 8 bits, planes stored
apart, white-is-zero, and ranges given by tags. What is not read is refused by name.

Source: TIFF 6.0 (Aldus, 1992), and Adobe Photoshop TIFF Technical Note 3 (2005) for the predictor of floats.
"""

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile

from core.errors import PictureUndecodable
from pictures.sample_range import Range, find_range, to_bytes
from pictures.tiff.layout import Photometric, SampleLayout
from pictures.tiff.libtiff import can_decompress, silence_libtiff
from pictures.tiff.samples import UnlimitedTiffFile, read_samples, require_block_size

__all__ = ["TiffFile", "open_tiff"]

_ALPHA_MODES: dict[tuple[str, int], str] = {("L", 1): "La", ("L", 2): "LA", ("RGB", 1): "RGBa", ("RGB", 2): "RGBA"}
_MODES: dict[int, str] = {
    Photometric.WHITE_IS_ZERO: "L",
    Photometric.BLACK_IS_ZERO: "L",
    Photometric.RGB: "RGB",
    Photometric.CMYK: "CMYK",
    Photometric.YCBCR: "YCbCr",
    Photometric.LAB: "LAB",
}


class TiffFile(UnlimitedTiffFile):
    """A TIFF whose samples are read by Pillow or here, depending on the tags of the page."""

    _layout: SampleLayout | None = None
    """The layout of the current page, if it is read here."""

    def _setup(self) -> None:
        layout = SampleLayout.of(self.tag_v2)
        self._layout = None
        if layout.photometric == Photometric.PALETTE and layout.bits <= 8 and ExifTags.Base.ColorMap not in self.tag_v2:
            raise PictureUndecodable("its pixels are numbers of a palette, but it has none")
        if layout.is_left_to_pillow:
            try:
                super()._setup()
            except KeyError as error:  # in Pillow's table of compressions
                raise _unsupported_compression(layout.compression) from error
            except SyntaxError:
                if not layout.can_be_read:
                    raise PictureUndecodable(f"{layout.description} is not supported") from None
            else:
                if layout.is_subsampled:
                    self._leave_to_libtiff()
                return
        if not layout.can_be_read:
            raise PictureUndecodable(f"{layout.description} is not supported")
        self._set_up_here(layout)

    def _set_up_here(self, layout: SampleLayout) -> None:
        width, height = layout.width, layout.height
        self._layout = layout
        self._tile_size = width, height
        self._size = (height, width) if self.tag_v2.get(ExifTags.Base.Orientation) in (5, 6, 7, 8) else (width, height)
        mode = _MODES[layout.photometric]
        self._mode = _ALPHA_MODES.get((mode, layout.alpha), mode)
        self.palette = None
        self.use_load_libtiff = False
        self.tile = [ImageFile._Tile("raw", (0, 0, width, height), 0, (self._mode, 0, 1))]
        if (profile := self.tag_v2.get(ExifTags.Base.InterColorProfile)) is not None:
            self.info["icc_profile"] = profile

    def _leave_to_libtiff(self) -> None:
        """Let libtiff convert subsampled YCbCr, which Pillow's decoder of uncompressed pixels takes for whole."""
        self.use_load_libtiff = True
        self._mode = "RGB"
        arguments = ("RGBX", False, self.tag_v2.offset)
        self.tile = [ImageFile._Tile("libtiff", (0, 0, *self._tile_size), 0, arguments)]

    def load(self) -> Any:
        """Load the pixels of the current page. Raises `PictureUndecodable` if samples are missing or damaged."""
        if self._layout is None or not self.tile:
            return self._load_with_pillow()
        self.getexif()  # reads further directories
        assert self.fp is not None
        pixels = _to_8_bit(read_samples(self.fp, self._layout), self._layout, self.mode)
        self.im = Image.frombytes(self.mode, self._tile_size, pixels.tobytes()).im
        self.tile = []
        self.readonly = 0
        self.load_end()
        return Image.Image.load(self)

    def _load_with_pillow(self) -> Any:
        if self.tile:
            require_block_size(SampleLayout.of(self.tag_v2))
        silence_libtiff()
        try:
            return super().load()
        except OSError as error:
            compression = self.tag_v2.get(ExifTags.Base.Compression)
            if isinstance(compression, int) and not can_decompress(compression):
                raise _unsupported_compression(compression) from error
            if str(error).startswith("decoder error"):
                raise PictureUndecodable("its compressed pixels are damaged or incomplete") from error
            raise


def _unsupported_compression(compression: int) -> PictureUndecodable:
    return PictureUndecodable(f"TIFF with compression {compression} is not supported")


def open_tiff(file: BinaryIO) -> TiffFile:
    """Open a TIFF at its first page. Raises as Pillow's plugin does, and `PictureUndecodable` for unknown layouts."""
    head = file.read(4)
    if head == b"MM\0+":
        raise PictureUndecodable("BigTIFF in big-endian byte order is not supported")
    file.seek(-len(head), 1)
    return TiffFile(file, "")


def _to_8_bit(samples: NDArray[Any], layout: SampleLayout, mode: str) -> NDArray[np.uint8]:
    """Scale samples (H, W, channels) to the bytes of a mode."""
    channels = Image.getmodebands(mode)
    colours = channels - 1 if layout.alpha else channels
    if mode == "LAB":
        return _lab_bytes(samples, layout)
    scaled = to_bytes(samples[..., :colours], _range(samples[..., :colours], layout))
    if layout.photometric == Photometric.WHITE_IS_ZERO:
        scaled = 255 - scaled
    if not layout.alpha:
        return scaled
    opaque = 1 if samples.dtype.kind == "f" else (1 << layout.bits) - 1
    return np.concatenate([scaled, to_bytes(samples[..., colours:channels], (0, opaque))], axis=-1)


def _range(samples: NDArray[Any], layout: SampleLayout) -> Range:
    """Return the range that the tags give, or that of the samples. Inks and brightness are never stretched."""
    if layout.photometric in (Photometric.CMYK, Photometric.YCBCR):
        return 0, (1 << layout.bits) - 1
    return layout.limits or find_range(samples, layout.bits)


def _lab_bytes(samples: NDArray[Any], layout: SampleLayout) -> NDArray[np.uint8]:
    """Return L*, a* and b* as TIFF stores them in 8 bits: a* and b* are signed."""
    return (samples[..., :3] >> (layout.bits - 8)).astype(np.uint8)
