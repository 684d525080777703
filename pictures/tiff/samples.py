"""Read the samples of a TIFF page, which can be of many types, into an array.

Strips and tiles are decompressed by libtiff, through Pillow: they are given to it as the rows of a grey picture with a
byte for each of theirs. The predictor and the packing of samples are undone here.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from core.errors import PictureUndecodable
from pictures.tiff.layout import Compression, SampleFormat, SampleLayout
from pictures.tiff.libtiff import silence_libtiff
from pictures.truncation import truncated

__all__ = ["UnlimitedTiffFile", "read_samples", "require_block_size"]

_HORIZONTAL, _FLOATING = 2, 3
"""Predictors: differences of samples, and of the bytes of floats."""

_KINDS = {SampleFormat.UNSIGNED: "u", SampleFormat.SIGNED: "i", SampleFormat.FLOAT: "f"}
_PACKED_ROWS = 1 << 18
"""Samples that are unpacked from bits at a time."""

_MAX_BYTES_PER_PIXEL = 32
"""Four samples of 64 bits."""
_ALWAYS_READ_BYTES = 1 << 26
"""Bytes that are read for a picture of any size: it may be smaller than one tile."""


class UnlimitedTiffFile(TiffImagePlugin.TiffImageFile):
    """A TIFF file without Pillow's limit of pixels; callers have their own."""

    def load_prepare(self) -> None:
        """Allocate the pixels."""
        if self._im is None:
            self.im = Image.new(self.mode, self._tile_size).im
        super().load_prepare()


def read_samples(file: IO[bytes], layout: SampleLayout) -> NDArray[Any]:
    """Return the samples of a page as (H, W, samples). Raises `PictureUndecodable` if some are missing or damaged."""
    require_block_size(layout)
    across, down = _block_counts(layout)
    planes = layout.samples if layout.is_planar else 1
    layout = _with_planes_apart(layout, planes)
    _require_blocks(layout, across * down * planes)
    per_plane = across * down
    arrays = []
    for plane in range(planes):
        blocks = range(plane * per_plane, (plane + 1) * per_plane)
        arrays.append(_read_plane(file, layout, blocks, layout.samples // planes, across))
    return arrays[0] if planes == 1 else np.concatenate(arrays, axis=-1)


def _with_planes_apart(layout: SampleLayout, planes: int) -> SampleLayout:
    """Return the layout with a strip for each plane, if all planes are in one uncompressed strip."""
    whole = planes * layout.height * ((layout.width * layout.bits + 7) // 8)
    is_one_strip = len(layout.offsets) == len(layout.byte_counts) == 1 and layout.compression == Compression.NONE
    if planes == 1 or not is_one_strip or layout.byte_counts[0] < whole:
        return layout
    size = whole // planes
    offsets = tuple(layout.offsets[0] + plane * size for plane in range(planes))
    return replace(layout, offsets=offsets, byte_counts=(size,) * planes)


def _block_counts(layout: SampleLayout) -> tuple[int, int]:
    """Return how many strips or tiles cover the width and the height of the page."""
    return -(-layout.width // layout.block[0]), -(-layout.height // layout.block[1])


def require_block_size(layout: SampleLayout) -> None:
    """Raise `PictureUndecodable` if strips or tiles take much more memory than the picture, whose size is limited."""
    width, height = layout.block
    if width < 1 or height < 1:
        raise PictureUndecodable("its strips or tiles have no size")
    across, down = _block_counts(layout)
    block_pixels = across * down * width * height
    most = max(_ALWAYS_READ_BYTES, layout.width * layout.height * _MAX_BYTES_PER_PIXEL)
    if block_pixels * layout.samples * layout.bits > 8 * most:
        raise PictureUndecodable("its strips or tiles are much larger than the picture")


def _require_blocks(layout: SampleLayout, number: int) -> None:
    if len(layout.offsets) < number or len(layout.byte_counts) < number:
        raise truncated(min(len(layout.offsets), len(layout.byte_counts)) / number, "strips or tiles are there")


def _read_plane(file: IO[bytes], layout: SampleLayout, blocks: range, samples: int, across: int) -> NDArray[Any]:
    """Return the samples of one plane, or of the only one, as (H, W, samples)."""
    width, height = layout.block
    row_bytes = (width * samples * layout.bits + 7) // 8
    rows = len(blocks) * height if layout.is_tiled else layout.height
    read = _decompressed if layout.compression != Compression.NONE else _copied
    stored = read(file, layout, blocks, (rows, row_bytes))  # (rows, row_bytes)
    if layout.has_reversed_bits and layout.compression == Compression.NONE:
        stored = np.packbits(np.unpackbits(stored, axis=1).reshape(rows, row_bytes, 8)[..., ::-1], axis=-1)[..., 0]
    values = _samples(stored, layout, width, samples)  # (rows, width, samples)
    if layout.is_tiled:
        tiles = values.reshape(len(blocks) // across, across, height, width, samples)
        values = tiles.swapaxes(1, 2).reshape(-1, across * width, samples)
    return values[: layout.height, : layout.width]


def _stored_blocks(file: IO[bytes], layout: SampleLayout, blocks: range) -> Iterator[bytes]:
    """Yield the bytes of strips or tiles. Raises `PictureUndecodable` where the file ends before."""
    for number, block in enumerate(blocks):
        file.seek(layout.offsets[block])
        data = file.read(layout.byte_counts[block])
        if len(data) < layout.byte_counts[block]:
            raise truncated(number / len(blocks), "strips or tiles are there")
        yield data


def _copied(file: IO[bytes], layout: SampleLayout, blocks: range, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the rows of uncompressed blocks."""
    block_bytes = layout.block[1] * shape[1]
    data, expected = bytearray(), shape[0] * shape[1]
    for stored in _stored_blocks(file, layout, blocks):
        wanted = min(block_bytes, expected - len(data))
        if len(stored) < wanted:
            raise truncated((len(data) + len(stored)) / expected)
        data += stored[:wanted]
    return np.frombuffer(data, np.uint8).reshape(shape)


def _decompressed(file: IO[bytes], layout: SampleLayout, blocks: range, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the rows of compressed blocks: libtiff takes them for those of a grey picture."""
    stored = list(_stored_blocks(file, layout, blocks))
    grey = _grey_tiff(stored, shape, layout)
    silence_libtiff()
    image = UnlimitedTiffFile(io.BytesIO(grey), "")
    try:
        image.load()
    except OSError as error:
        raise PictureUndecodable("its compressed pixels are damaged or incomplete") from error
    return np.asarray(image)


def _grey_tiff(blocks: list[bytes], shape: tuple[int, int], layout: SampleLayout) -> bytes:
    """Return a TIFF with a byte per pixel that has `blocks` for its strips."""
    number = len(blocks)
    entries = [
        (256, 4, 1, shape[1]),
        (257, 4, 1, shape[0]),
        (258, 3, 1, 8),
        (259, 3, 1, layout.compression),
        (262, 3, 1, 1),
        (266, 3, 1, 2 if layout.has_reversed_bits else 1),
        (273, 4, number, 0),
        (277, 3, 1, 1),
        (278, 4, 1, layout.block[1]),
        (279, 4, number, 0),
    ]
    arrays = 8 + 2 + 12 * len(entries) + 4
    start = arrays + 8 * number
    counts = [len(block) for block in blocks]
    offsets = [start + sum(counts[:place]) for place in range(number)] if number < 2 else _running(start, counts)
    places = {273: offsets[0] if number == 1 else arrays, 279: counts[0] if number == 1 else arrays + 4 * number}
    directory = b"".join(
        struct.pack("<HHII", tag, kind, count, places.get(tag, value)) for tag, kind, count, value in entries
    )
    head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4)
    return head + struct.pack(f"<{2 * number}I", *offsets, *counts) + b"".join(blocks)


def _running(start: int, counts: list[int]) -> list[int]:
    offsets = [start]
    for count in counts[:-1]:
        offsets.append(offsets[-1] + count)
    return offsets


def _samples(stored: NDArray[np.uint8], layout: SampleLayout, width: int, samples: int) -> NDArray[Any]:
    """Return rows of bytes as samples (rows, width, samples), without their predictor."""
    rows = len(stored)
    if layout.bits not in (8, 16, 32, 64):
        return _unpacked(stored, layout.bits, width * samples).reshape(rows, width, samples)
    order = ">" if layout.is_big_endian else "<"
    kind = np.dtype(f"{order}{_KINDS[SampleFormat(layout.format)]}{layout.bits // 8}")
    if layout.predictor == _FLOATING and layout.format == SampleFormat.FLOAT:
        return _integrated_bytes(stored, layout.bits // 8, width, samples)
    if layout.predictor == _HORIZONTAL:
        unsigned = np.ascontiguousarray(stored).view(f"{order}u{layout.bits // 8}").reshape(rows, width, samples)
        whole = np.cumsum(unsigned, axis=1, dtype=f"u{layout.bits // 8}")
        return whole.view(kind.newbyteorder("="))
    return np.ascontiguousarray(stored).view(kind).reshape(rows, width, samples)


def _integrated_bytes(stored: NDArray[np.uint8], size: int, width: int, samples: int) -> NDArray[np.floating]:
    """Undo the predictor of floats: each row has the highest bytes of all its samples first, as differences."""
    rows = len(stored)
    whole = np.cumsum(stored.reshape(rows, -1, samples), axis=1, dtype=np.uint8).reshape(rows, size, width * samples)
    return np.ascontiguousarray(whole.swapaxes(1, 2)).view(f">f{size}").reshape(rows, width, samples)


def _unpacked(stored: NDArray[np.uint8], bits: int, number: int) -> NDArray[np.uint16]:
    """Return the first `number` samples of each row, which are packed from the highest bit on."""
    values = np.empty((len(stored), number), np.uint16)
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    rows = max(1, _PACKED_ROWS // number)
    for start in range(0, len(stored), rows):
        bits_of_rows = np.unpackbits(stored[start : start + rows], axis=1)[:, : number * bits]
        values[start : start + rows] = bits_of_rows.reshape(-1, number, bits) @ weights
    return values
