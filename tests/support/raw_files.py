"""Small RAW files of each kind, without sensor data that could be decoded."""

import io
import struct
from collections.abc import Mapping, Sequence

from PIL import Image

__all__ = ["CFA", "cr3", "jpeg_of", "raf", "rotated_dng", "rw2", "tiff_tree"]

CFA = 32803
"""PhotometricInterpretation of sensor data."""

Tags = Mapping[int, object]


def jpeg_of(colour: str, size: tuple[int, int] = (384, 288), exif: Image.Exif | None = None) -> bytes:
    """Return a JPEG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG", **({} if exif is None else {"exif": exif}))
    return file.getvalue()


def _packed(value: object, order: str) -> tuple[int, int, bytes]:
    """Return type, count and bytes of a value: text, bytes, integers, or pairs of them, which are rationals."""
    if isinstance(value, str):
        data = value.encode() + b"\0"
        return 2, len(data), data
    if isinstance(value, bytes):
        return 7, len(value), value
    values = value if isinstance(value, list) else [value]
    if isinstance(values[0], tuple):
        return 5, len(values), b"".join(struct.pack(order + "II", *pair) for pair in values if isinstance(pair, tuple))
    return 4, len(values), b"".join(struct.pack(order + "I", each) for each in values)


def tiff_tree(
    directories: Sequence[Tags],
    *,
    order: str = "<",
    signature: bytes | None = None,
    exif: Tags | None = None,
    subdirectories: Sequence[Tags] = (),
    blobs: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return a TIFF file with a chain of `directories`.

    The first has the directory of EXIF tags and the subdirectories. A value that is the name of a blob is replaced by
    its place in the file.
    """
    blobs = blobs or {}
    out = bytearray(signature or (b"II*\0" if order == "<" else b"MM\0*"))
    out += bytes(12)
    places = {}
    for name, blob in blobs.items():
        places[name] = len(out)
        out += blob + bytes(len(blob) % 2)

    def write(tags: Tags, following: int = 0) -> int:
        entries = b""
        for tag, value in sorted(tags.items()):
            value = places.get(value, value) if isinstance(value, str) else value
            kind, count, data = _packed(value, order)
            if len(data) > 4:
                place = len(out)
                out.extend(data + bytes(len(data) % 2))
                data = struct.pack(order + "I", place)
            entries += struct.pack(order + "HHI", tag, kind, count) + data.ljust(4, b"\0")
        place = len(out)
        out.extend(struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", following))
        return place

    first = dict(directories[0])
    if exif is not None:
        first[34665] = write(exif)
    if subdirectories:
        first[330] = [write(tags) for tags in subdirectories]
    following = 0
    for tags in reversed(directories[1:]):
        following = write(tags, following)
    out[4:8] = struct.pack(order + "I", write(first, following))
    return bytes(out)


def rotated_dng(preview: bytes, *, orientation: int = 6, size: tuple[int, int] = (4000, 3000)) -> bytes:
    """Return a DNG whose preview is in the first directory and whose sensor data is described in a subdirectory."""
    main = {254: 1, 271: "Maker", 272: "Model 1", 274: orientation, 50706: b"\1\4\0\0", 259: 7, 262: 6}
    main |= {256: 384, 257: 288, 273: "preview", 279: len(preview)}
    sensor = {254: 0, 256: size[0] + 20, 257: size[1] + 20, 259: 7, 262: CFA, 50720: [size[0], size[1]]}
    details = {36867: "2021:05:06 07:08:09", 33437: [(28, 10)], 34855: 400}
    return tiff_tree([main], exif=details, subdirectories=[sensor], blobs={"preview": preview})


def rw2(preview: bytes, iso: int | None = None) -> bytes:
    """Return an RW2 file: the preview is the value of a tag, and so is the sensitivity."""
    tags: dict[int, object] = {} if iso is None else {23: iso}
    tags |= {2: 4060, 3: 3040, 4: 10, 5: 20, 6: 3010, 7: 4020, 46: preview, 271: "Panasonic", 272: "DC-X", 274: 1}
    return tiff_tree([tags], signature=b"IIU\0")


def raf(preview: bytes) -> bytes:
    """Return a RAF file, whose sensor has 6000 x 4000 pixels."""
    directory = (
        struct.pack(">I", 2) + struct.pack(">4H", 0x100, 4, 4020, 6040) + struct.pack(">4H", 0x111, 4, 4000, 6000)
    )
    places = (108, len(preview), 108 + len(preview), len(directory), 0, 0)
    return b"FUJIFILMCCD-RAW 0201".ljust(84, b"\0") + struct.pack(">6I", *places) + preview + directory


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def cr3(preview: bytes, full: bytes = b"", *, orientation: int = 1) -> bytes:
    """Return a CR3 file: with a preview, and the JPEG of a track if `full` is given."""
    main = tiff_tree([{256: 6000, 257: 4000, 271: "Canon", 272: "Canon EOS X", 274: orientation}])
    details = tiff_tree([{36867: "2022:01:02 03:04:05", 34855: 200}])
    gps = tiff_tree([{1: "N", 2: [(10, 1), (30, 1), (0, 1)], 3: "E", 4: [(20, 1), (0, 1), (0, 1)]}])
    canon = _box(
        b"uuid",
        bytes.fromhex("85c0b687820f11e08111f4ce462b6a48"),
        _box(b"CMT1", main),
        _box(b"CMT2", details),
        _box(b"CMT4", gps),
    )
    head = _box(b"ftyp", b"crx \0\0\0\1crx isom")

    def movie(place: int) -> bytes:
        sizes = _box(b"stsz", bytes(4), struct.pack(">II", len(full), 1))
        places = _box(b"co64", bytes(4), struct.pack(">IQ", 1, place))
        track = _box(b"trak", _box(b"mdia", _box(b"minf", _box(b"stbl", sizes, places))))
        return _box(b"moov", canon, track if full else b"")

    described = struct.pack(">IHHHHI", 0, 1, 1620, 1080, 1, len(preview))
    extension = _box(
        b"uuid", bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16"), bytes(8), _box(b"PRVW", described, preview)
    )
    place = len(head) + len(movie(0)) + len(extension) + 8
    return head + movie(place) + extension + _box(b"mdat", full)


def sensor_dng(size: tuple[int, int] = (128, 96)) -> bytes:
    """Return a DNG without a preview, whose uncompressed sensor data (RGGB, 16 bits) is red."""
    width, height = size
    rows = struct.pack("<2H", 50_000, 500) * (width // 2) + struct.pack("<2H", 500, 500) * (width // 2)
    pixels = rows * (height // 2)
    identity = [(int(row == column), 1) for row in range(3) for column in range(3)]
    tags = {254: 0, 256: width, 257: height, 258: 16, 259: 1, 262: CFA, 273: "pixels", 277: 1, 278: height}
    tags |= {279: len(pixels), 271: "Maker", 272: "Model 1", 274: 6, 33421: b"\2\0\2\0", 33422: b"\0\1\1\2"}
    tags |= {50706: b"\1\4\0\0", 50708: "Maker Model 1", 50714: 0, 50717: 65_535, 50721: identity}
    tags |= {50728: [(1, 1)] * 3, 50778: 21}
    return tiff_tree([tags], blobs={"pixels": pixels})
