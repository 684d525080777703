"""TIFFs of every layout of samples, written by tifffile or by hand; the expected bytes follow from them."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from core.errors import PictureUndecodable
from pictures.decode import decode

HEIGHT, WIDTH = 37, 53
LEVELS = np.add.outer(np.arange(HEIGHT) / (HEIGHT - 1), np.arange(WIDTH) / (WIDTH - 1)) / 2
"""Grey levels from 0 to 1, (H, W)."""

COLOURS = np.stack([LEVELS, LEVELS[::-1], LEVELS[:, ::-1]], axis=-1)
"""(H, W, 3)"""

TOPS = {"u1": 255, "u2": 65535, "u4": 2**32 - 1, "i1": 127, "i2": 32767, "i4": 2**31 - 1, "f2": 1, "f4": 1, "f8": 1}
"""White, by type of sample."""


def written(samples: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, samples, **options)
    return file.getvalue()


def assert_shows(data: bytes, levels: NDArray[np.float64], tolerance: float = 1.01) -> None:
    """Check a picture against levels from 0 to 1, (H, W) or (H, W, 3)."""
    found = np.asarray(decode(data).image).astype(float)
    expected = levels * 255 if levels.ndim == 3 else np.repeat(levels[..., None] * 255, 3, axis=2)
    assert np.abs(found - expected).max() <= tolerance


def samples_of(levels: NDArray[np.float64], kind: str, order: str) -> NDArray[Any]:
    top = TOPS[kind]
    return (np.rint(levels * top) if top > 1 else levels).astype(order + kind)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", TOPS)
@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "predictor": True}, {"compression": "lzma"}])
@pytest.mark.parametrize("tile", [None, (16, 32)])
def test_every_type_of_sample(order: str, kind: str, options: dict[str, Any], tile: tuple[int, int] | None) -> None:
    if kind.startswith("f"):
        options = {name: value for name, value in options.items() if name != "predictor"}  # another one
    options = {**options, "tile": tile, "byteorder": order}
    tolerance = 2 if kind == "i1" else 1.01  # 7 bits
    grey, colours = samples_of(LEVELS, kind, order), samples_of(COLOURS, kind, order)
    assert_shows(written(grey, photometric="minisblack", **options), LEVELS, tolerance)
    assert_shows(written(grey, photometric="miniswhite", **options), 1 - LEVELS, tolerance)
    assert_shows(written(colours, photometric="rgb", **options), COLOURS, tolerance)
    planes = np.ascontiguousarray(np.moveaxis(colours, -1, 0))
    assert_shows(written(planes, photometric="rgb", planarconfig="separate", **options), COLOURS, tolerance)


def packed(values: NDArray[np.int64], bits: int) -> bytes:
    """Return rows of samples, packed from the highest bit on, each row in whole bytes (TIFF 6.0, FillOrder 1)."""
    rows = ("".join(format(value, f"0{bits}b") for value in row) for row in values)
    return b"".join(int(row.ljust(-(-len(row) // 8) * 8, "0"), 2).to_bytes(-(-len(row) // 8)) for row in rows)


def by_hand(
    bits: int, photometric: int, data: bytes, samples: int = 1, extra: tuple[tuple[int, int, int], ...] = ()
) -> bytes:
    """Return a TIFF of a strip for each plane, with the pixels after its directory. `extra` has tag, type, value."""
    planes = samples if (284, 3, 2) in extra else 1
    size = len(data) // planes
    entries = [(256, 4, WIDTH), (257, 4, HEIGHT), (262, 3, photometric), (277, 3, samples), *extra]
    arrays: dict[int, tuple[str, int, list[int]]]
    arrays = {258: ("H", 3, [bits] * samples), 273: ("I", 4, []), 279: ("I", 4, [size] * planes)}
    number = len(entries) + len(arrays)
    place = 8 + 2 + 12 * number + 4
    start = place + 2 * samples + 8 * planes
    arrays[273] = ("I", 4, [start + size * plane for plane in range(planes)])
    fields, values = [(tag, kind, 1, struct.pack("<I", value)) for tag, kind, value in entries], b""
    for tag, (letter, kind, numbers) in arrays.items():
        stored = struct.pack(f"<{len(numbers)}{letter}", *numbers)
        inline = len(stored) <= 4
        value = stored.ljust(4, b"\0") if inline else struct.pack("<I", place + len(values))
        fields.append((tag, kind, len(numbers), value))
        values += stored
    body = b"".join(struct.pack("<HHI", tag, kind, count) + value for tag, kind, count, value in sorted(fields))
    return b"II*\0" + struct.pack("<IH", 8, number) + body + bytes(4) + values + data


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15])
def test_packed_samples(bits: int) -> None:
    top = (1 << bits) - 1
    values = np.rint(LEVELS * top).astype(int)
    assert_shows(by_hand(bits, 1, packed(values, bits)), values / top)
    assert_shows(by_hand(bits, 0, packed(values, bits)), 1 - values / top)
    if bits > 8:
        colours = np.rint(COLOURS * top).astype(int)
        data = packed(colours.reshape(HEIGHT, -1), bits)
        assert_shows(by_hand(bits, 2, data, 3), colours / top)
        planes = b"".join(packed(colours[..., plane], bits) for plane in range(3))
        assert_shows(by_hand(bits, 2, planes, 3, ((284, 3, 2),)), colours / top)


@pytest.mark.parametrize("bits", [1, 3, 8, 10, 12, 14, 16])
@pytest.mark.parametrize("samples", [1, 3])
def test_samples_whose_bits_are_in_reversed_order(bits: int, samples: int) -> None:
    """FillOrder 2: the first pixel is in the lowest bits of a byte. Programs write it for any depth."""
    levels = LEVELS if samples == 1 else COLOURS
    top = (1 << bits) - 1
    values = np.rint(levels * top).astype(int)
    data = packed(values.reshape(HEIGHT, -1), bits) if bits != 16 else values.astype("<u2").tobytes()
    reversed_bits = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)
    file = by_hand(bits, 1 if samples == 1 else 2, reversed_bits, samples, ((266, 3, 2),))
    assert_shows(file, values / top)


@pytest.mark.parametrize("bits", [8, 16])
def test_depths_of_more_samples_than_there_are(bits: int) -> None:
    """GIMP wrote four depths for three samples."""
    values = np.rint(COLOURS * 255).astype(int)
    data = values.astype("u1" if bits == 8 else "<u2").tobytes()
    sound = by_hand(bits, 2, data, 3)
    depths = sound.replace(struct.pack("<HHI", 258, 3, 3), struct.pack("<HHI", 258, 3, 4))
    place = struct.unpack_from("<I", sound, sound.index(struct.pack("<HHI", 258, 3, 3)) + 8)[0]
    assert depths[place + 6 : place + 8] != struct.pack("<H", bits)
    assert_shows(depths, values / 255 if bits == 8 else np.rint(values / 255 * 255) / 255)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("samples", [1, 3])
def test_predictor_of_floats(kind: str, samples: int) -> None:
    levels = LEVELS if samples == 1 else COLOURS
    size = int(kind[1])
    planes = np.frombuffer(levels.astype(f">{kind}").tobytes(), np.uint8).reshape(HEIGHT, -1, size).swapaxes(1, 2)
    planes = planes.reshape(HEIGHT, -1, samples)  # Technical Note 3: the highest bytes of a row first, as differences
    rows = np.concatenate([planes[:, :1], np.diff(planes, axis=1)], axis=1)
    tags = ((259, 3, 8), (317, 3, 3), (339, 3, 3))
    assert_shows(by_hand(8 * size, 2 if samples == 3 else 1, zlib.compress(rows.tobytes()), samples, tags), levels)


@pytest.mark.parametrize("tags", [((281, 3, 1000),), ((341, 3, 1000),), ((340, 3, 0), (341, 3, 1000))])
def test_tags_give_the_range(tags: tuple[tuple[int, int, int], ...]) -> None:
    data = np.rint(LEVELS * 1000).astype("<u2").tobytes()
    assert_shows(by_hand(16, 1, data, extra=tags), LEVELS)
    dark = np.rint(LEVELS * 500).astype("<u2").tobytes()
    assert_shows(by_hand(16, 1, dark, extra=tags), LEVELS / 2)


def test_smallest_value_may_not_be_black() -> None:
    data = np.rint(LEVELS * 1000 + 500).astype("<u2").tobytes()
    assert_shows(by_hand(16, 1, data, extra=((280, 3, 500), (281, 3, 1500))), LEVELS)


@pytest.mark.parametrize("top", [255, 1023, 4095, 16383, 65535])
def test_12_bits_in_16_are_not_dark(top: int) -> None:
    values = np.rint(LEVELS * top).astype(np.uint16)
    assert_shows(written(values), LEVELS)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    assert_shows(file.getvalue(), LEVELS)


def test_other_formats_declare_what_is_white() -> None:
    assert_shows(b"P5 53 37 65535\n" + np.rint(LEVELS * 4095).astype(">u2").tobytes(), LEVELS * 4095 / 65535)


@pytest.mark.parametrize("layout", ["contig", "separate"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}])
@pytest.mark.parametrize(
    ("mode", "photometric", "more"), [("CMYK", "separated", {}), ("YCbCr", "ycbcr", {"subsampling": (1, 1)})]
)
def test_planes_of_other_colours(
    layout: str, options: dict[str, Any], mode: str, photometric: str, more: dict[str, Any]
) -> None:
    image = Image.fromarray(np.rint(COLOURS * 255).astype(np.uint8)).convert(mode)
    samples = np.asarray(image) if layout == "contig" else np.ascontiguousarray(np.moveaxis(np.asarray(image), -1, 0))
    data = written(samples, photometric=photometric, planarconfig=layout, **options, **more)
    assert_shows(data, np.asarray(image.convert("RGB")) / 255, 2)
    if mode == "CMYK":
        deep = written(samples.astype(np.uint16) * 257, photometric=photometric, planarconfig=layout, **options)
        assert_shows(deep, np.asarray(image.convert("RGB")) / 255, 2)


@pytest.mark.parametrize("layout", ["contig", "separate"])
def test_planes_of_lab(layout: str) -> None:
    lab = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    lab[..., 0] = 137  # L* = 53.7, which is a luminance of 0.2161 and sRGB 0.5022 (CIE 15, IEC 61966-2-1)
    samples = lab if layout == "contig" else np.ascontiguousarray(np.moveaxis(lab, -1, 0))
    for depth in (samples, samples.astype(np.uint16) << 8):
        data = written(depth, photometric="cielab", planarconfig=layout)
        assert_shows(data, np.full((HEIGHT, WIDTH), 0.5022), 2)


def test_subsampled_ycbcr_without_compression() -> None:
    unit = bytes([76, 76, 76, 76, 85, 255])  # four luminances and the chroma of red (TIFF 6.0, section 21)
    data = unit * (27 * 19)
    found = np.asarray(decode(by_hand(8, 6, data, 3)).image)[: HEIGHT - 1, : WIDTH - 1]
    assert np.abs(found.astype(int) - (254, 0, 0)).max() <= 3


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_transparency_of_deep_pictures(kind: str) -> None:
    alpha = np.ones((HEIGHT, WIDTH, 1))
    alpha[:, :10] = 0
    samples = samples_of(np.concatenate([COLOURS, alpha], axis=-1), kind, "<")
    expected = np.where(alpha > 0, COLOURS, 128 / 255)
    assert_shows(written(samples, photometric="rgb", extrasamples=["unassalpha"]), expected)
    assert_shows(written(samples, photometric="rgb", extrasamples=["unspecified"]), COLOURS)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_orientation_of_deep_pictures(orientation: int) -> None:
    samples = samples_of(COLOURS, "f4", "<")
    data = written(samples, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    turns = {1: 0, 3: 2, 6: 3}[orientation]
    assert_shows(data, np.rot90(COLOURS, turns))


def test_pages_of_deep_pictures() -> None:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(samples_of(LEVELS, "f4", "<"), photometric="minisblack")
        writer.write(samples_of(1 - LEVELS, "u2", "<"), photometric="minisblack")
    found = np.asarray(decode(file.getvalue(), frame=1).image).astype(float)
    assert np.abs(found - np.repeat((1 - LEVELS)[..., None] * 255, 3, 2)).max() <= 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (written(np.zeros((9, 9), "c8")), "complex samples"),
        (written(np.zeros((9, 9), "u8")), "64-bit samples"),
        (by_hand(16, 32844, bytes(2 * WIDTH * HEIGHT)), "photometric interpretation 32844"),
        (by_hand(16, 3, bytes(2 * WIDTH * HEIGHT)), "photometric interpretation 3,"),
        (b"MM\0+" + bytes(60), "BigTIFF in big-endian byte order"),
        (by_hand(8, 3, bytes(WIDTH * HEIGHT)), "palette, but it has none"),
        (by_hand(8, 1, bytes(WIDTH * HEIGHT), extra=((259, 3, 12336),)), "compression 12336 is not supported"),
    ],
    ids=["complex", "64-bit", "luv", "deep-palette", "bigtiff", "no-palette", "compression"],
)
def test_what_is_not_read_is_refused_by_name(data: bytes, message: str) -> None:
    with pytest.raises(PictureUndecodable, match=message):
        decode(data)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_truncated_samples_say_how_much_is_there(share: float) -> None:
    data = by_hand(32, 1, LEVELS.astype("<f4").tobytes(), extra=((339, 3, 3),))
    start = len(data) - WIDTH * HEIGHT * 4
    with pytest.raises(PictureUndecodable, match="truncated: 0 % of its strips"):
        decode(data[: start + int((len(data) - start) * share)])


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_libtiff_prints_nothing(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    sound = written(samples_of(LEVELS, kind, "<"), compression="zlib", photometric="miniswhite")
    damaged = bytearray(sound)
    place = sound.index(b"x\x9c") if b"x\x9c" in sound else len(sound) - 50
    damaged[place + 20 : place + 60] = bytes(40)
    with pytest.raises(PictureUndecodable, match="compressed pixels are damaged"):
        decode(bytes(damaged))
    assert capfd.readouterr().err == ""
