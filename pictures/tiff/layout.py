"""How the tags of a TIFF page describe its samples (TIFF 6.0, sections 3 to 6 and 19 to 23)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from core.errors import PictureUndecodable

__all__ = ["Compression", "Photometric", "SampleFormat", "SampleLayout"]


class Photometric(IntEnum):
    """What the first samples of a pixel mean (tag 262)."""

    WHITE_IS_ZERO = 0
    BLACK_IS_ZERO = 1
    RGB = 2
    PALETTE = 3
    CMYK = 5
    YCBCR = 6
    LAB = 8


class SampleFormat(IntEnum):
    """The type of samples (tag 339)."""

    UNSIGNED = 1
    SIGNED = 2
    FLOAT = 3
    UNDEFINED = 4


class Compression(IntEnum):
    """Compressions without loss (tag 259): those that say nothing about the type of samples."""

    NONE = 1
    LZW = 5
    DEFLATE = 8
    PACK_BITS = 32773
    OLD_DEFLATE = 32946
    LZMA = 34925
    ZSTANDARD = 50000


_COLOURS: dict[int, int] = {
    Photometric.RGB: 3,
    Photometric.CMYK: 4,
    Photometric.YCBCR: 3,
    Photometric.LAB: 3,
}
_GREY = (Photometric.WHITE_IS_ZERO, Photometric.BLACK_IS_ZERO)
_NAMES: dict[int, str] = {
    SampleFormat.SIGNED: "signed",
    SampleFormat.FLOAT: "float",
    5: "complex integer",
    6: "complex",
}
_DEPTHS: dict[int, frozenset[int]] = {
    SampleFormat.UNSIGNED: frozenset({*range(1, 17), 32}),
    SampleFormat.SIGNED: frozenset({8, 16, 32, 64}),
    SampleFormat.FLOAT: frozenset({16, 32, 64}),
}


@dataclass(frozen=True)
class SampleLayout:
    """The samples of a page. All have the same type and `bits`, or `is_uniform` is False."""

    width: int
    height: int
    bits: int
    format: int
    samples: int
    photometric: int
    compression: int
    predictor: int
    is_planar: bool
    is_big_endian: bool
    is_uniform: bool
    has_reversed_bits: bool
    is_subsampled: bool
    """It is uncompressed YCbCr with fewer chroma samples."""
    alpha: int
    """The kind of the first extra sample: 1 is premultiplied alpha, 2 alpha; 0 if it is neither."""
    limits: tuple[float, float] | None
    """The values that are black and white, if tags give them."""
    block: tuple[int, int]
    """Width and height of a strip or tile."""
    is_tiled: bool
    offsets: tuple[int, ...]
    byte_counts: tuple[int, ...]

    @classmethod
    def of(cls, tags: Any) -> "SampleLayout":
        """Return the layout that the tags of a page describe (a directory of Pillow).

        Raises `PictureUndecodable` if the page has no size or no pixels.
        """
        width, height = tags.get(256), tags.get(257)
        if not isinstance(width, int) or not isinstance(height, int):
            raise PictureUndecodable("the page has no size")
        bits = _numbers(tags, 258) or (1,)
        samples = _number(tags, 277, len(bits))
        bits, formats = bits[:samples] or (1,), _numbers(tags, 339)[:samples] or (1,)  # some have more than samples
        photometric, compression = _number(tags, 262, 0), _number(tags, 259, 1)
        tiled = 324 in tags
        return cls(
            width=width,
            height=height,
            bits=bits[0],
            format=SampleFormat.UNSIGNED if formats[0] == SampleFormat.UNDEFINED else formats[0],
            samples=samples,
            photometric=photometric,
            compression=compression,
            predictor=_number(tags, 317, 1),
            is_planar=_number(tags, 284, 1) == 2,
            is_big_endian=tags.prefix.startswith(b"MM"),
            is_uniform=len(set(bits)) == 1 and len(set(formats)) == 1,
            has_reversed_bits=_number(tags, 266, 1) == 2,
            is_subsampled=photometric == Photometric.YCBCR
            and compression == Compression.NONE
            and (_numbers(tags, 530) or (2, 2)) != (1, 1),
            alpha=_alpha(tags, photometric),
            limits=_limits(tags, bits[0], formats[0]) if photometric in (*_GREY, Photometric.RGB) else None,
            block=(_number(tags, 322, 0), _number(tags, 323, 0))
            if tiled
            else (width, min(_number(tags, 278, height), height)),
            is_tiled=tiled,
            offsets=_numbers(tags, 324 if tiled else 273),
            byte_counts=_numbers(tags, 325 if tiled else 279),
        )

    @property
    def is_left_to_pillow(self) -> bool:
        """Whether Pillow reads it rightly, or is the only one that reads it."""
        if self.compression not in list(Compression) or self.photometric == Photometric.PALETTE:
            return True
        if self.is_planar and self.photometric in (Photometric.YCBCR, Photometric.LAB):
            return False
        if self.limits or self.format != SampleFormat.UNSIGNED or not self.is_uniform:
            return False
        if self.bits <= 8:
            return self.bits in (1, 2, 4, 8)
        return self.bits == 16 and self.photometric == Photometric.BLACK_IS_ZERO and self.samples == 1

    @property
    def can_be_read(self) -> bool:
        """Whether `pictures.tiff.samples` reads it."""
        return (
            self.compression in list(Compression)
            and self.photometric in (*_GREY, *_COLOURS)
            and self.bits in _DEPTHS.get(self.format, ())
            and self.is_uniform
            and self.samples >= self.colours
            and not (self.photometric == Photometric.YCBCR and (self.bits != 8 or self.is_subsampled))
            and not (self.photometric == Photometric.LAB and (self.bits not in (8, 16) or self.format == 3))
            and not (self.photometric == Photometric.CMYK and self.format != SampleFormat.UNSIGNED)
            and self.predictor in (1, 2, 3)
        )

    @property
    def colours(self) -> int:
        """How many samples of a pixel are its colour."""
        return _COLOURS.get(self.photometric, 1)

    @property
    def description(self) -> str:
        """What it is, for an error message."""
        kind = _NAMES.get(self.format, "")
        planes = ", in planes" if self.is_planar else ""
        return (
            f"TIFF of {self.samples} x {self.bits}-bit {kind + ' ' if kind else ''}samples{planes} "
            f"(photometric interpretation {self.photometric}, compression {self.compression})"
        )


def _numbers(tags: Mapping[int, Any], tag: int) -> tuple[int, ...]:
    value = tags.get(tag, ())
    values = value if isinstance(value, tuple) else (value,)
    return tuple(number for number in values if isinstance(number, int))


def _number(tags: Mapping[int, Any], tag: int, default: int) -> int:
    return next(iter(_numbers(tags, tag)), default)


def _alpha(tags: Mapping[int, Any], photometric: int) -> int:
    extra = next(iter(_numbers(tags, 338)), 0)
    return extra if extra in (1, 2) and photometric in (*_GREY, Photometric.RGB) else 0


def _limits(tags: Mapping[int, Any], bits: int, sample_format: int) -> tuple[float, float] | None:
    """Return the range of MinSampleValue and MaxSampleValue, or of SMinSampleValue and SMaxSampleValue.

    A range that is that of the type says nothing, nor does one that is empty.
    """
    for low_tag, high_tag in ((340, 341), (280, 281)):
        high, low = _floats(tags, high_tag), _floats(tags, low_tag)
        if high and max(high) > (lowest := min(low, default=0.0)):
            is_of_type = sample_format != SampleFormat.FLOAT and lowest == 0 and max(high) >= (1 << bits) - 1
            return None if is_of_type else (lowest, max(high))
    return None


def _floats(tags: Mapping[int, Any], tag: int) -> list[float]:
    value = tags.get(tag, ())
    values = value if isinstance(value, tuple) else (value,)
    return [float(number) for number in values if isinstance(number, (int, float))]
