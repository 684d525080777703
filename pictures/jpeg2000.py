"""Metadata in JPEG 2000 files, which Pillow does not read: EXIF, XMP and IPTC in boxes of the type `uuid`.

Source: XMP specification, part 3 (2020), section 1.1.4; the tables of tags of ExifTool for the other two.
"""

from typing import BinaryIO

from PIL import ImageFile

from pictures.boxes import top_level_boxes

__all__ = ["add_boxes"]

_MAX_BOX_BYTES = 16 << 20

_KEYS = {
    bytes.fromhex("be7acfcb97a942e89c71999491e3afac"): "xmp",
    b"JpgTiffExif->JP2": "exif",
    bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"): "iptc",
}
"""Keys in `info` by the identifier of a box. Adobe writes the first, and other programs all of them."""


def add_boxes(image: ImageFile.ImageFile, file: BinaryIO) -> None:
    """Add the metadata of `file` to the `info` of its image. The position of `file` is kept."""
    place = file.tell()
    for box in top_level_boxes(file):
        if box.kind != b"uuid" or not 16 < box.end - box.body <= _MAX_BOX_BYTES:
            continue
        file.seek(box.body)
        key, data = _KEYS.get(file.read(16)), file.read(box.end - box.body - 16)
        if key == "exif":
            data = b"Exif\0\0" + data.removeprefix(b"Exif\0\0")
        if key is not None:
            image.info.setdefault(key, data)
    file.seek(place)
