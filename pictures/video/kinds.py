"""Which files are videos, by their signatures."""

from typing import NamedTuple

__all__ = ["VideoKind", "is_video_head", "video_kind"]


class VideoKind(NamedTuple):
    """A kind of video: the name that the library stores, and that of FFmpeg's reader.

    FFmpeg does not choose the reader: some of its formats are lists of other files.
    """

    format: str
    reader: str


_ISO, _MATROSKA, _AVI = VideoKind("MP4", "mov"), VideoKind("MATROSKA", "matroska"), VideoKind("AVI", "avi")
_TRANSPORT_STREAM = VideoKind("MPEG", "mpegts")

_SIGNATURES = {
    b"\x1a\x45\xdf\xa3": _MATROSKA,  # EBML: Matroska and WebM
    b"\0\0\1\xba": VideoKind("MPEG", "mpeg"),  # a program stream, such as those of DVDs
    b"\0\0\1\xb3": VideoKind("MPEG", "mpegvideo"),
    b"FLV\1": VideoKind("FLV", "flv"),
    bytes.fromhex("3026b2758e66cf11"): VideoKind("WMV", "asf"),
    b"OggS": VideoKind("OGG", "ogg"),
}
_PICTURE_BRANDS = frozenset(
    b"heic heix heim heis hevc hevx hevm hevs mif1 mif2 msf1 avif avis crx  jp2  jpx  jxl ".split(b" ")
)
"""Brands of pictures in files of ISO boxes; a brand has four bytes."""
_QUICKTIME_BOXES = frozenset([b"moov", b"mdat", b"wide", b"pnot"])
"""What the first box of an old QuickTime movie can be."""
_SYNC = 0x47
"""The first byte of each packet of a transport stream (ISO/IEC 13818-1)."""


def video_kind(head: bytes) -> VideoKind | None:
    """Return the kind of a video that begins with `head`, at least 16 bytes; None for any other file.

    A transport stream has a signature of one byte, so the caller has to look at its next packets.
    """
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            return kind
    if head[4:8] == b"ftyp":
        return None if head[8:12].rstrip() in {brand.rstrip() for brand in _PICTURE_BRANDS} else _ISO
    if head[4:8] in _QUICKTIME_BOXES:
        return _ISO
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _AVI
    if head[:1] == b"G" and not head.startswith(b"GIF8"):
        return _TRANSPORT_STREAM
    return _TRANSPORT_STREAM if len(head) > 5 and head[4] == _SYNC and head[5] & 0x40 else None


def is_video_head(head: bytes) -> bool:
    """Return whether a file that begins with `head` may be a video."""
    return video_kind(head) is not None
