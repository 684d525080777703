"""Which files are RAW, by their signatures."""

__all__ = ["LIBRAW_ONLY", "is_raw_head", "is_tiff_head", "tiff_format"]

RAF, CR3 = b"FUJIFILMCCD-RAW", b"ftypcrx "
LIBRAW_ONLY = {b"HEAPCCDR": (6, "CRW"), b"FOVb": (0, "X3F"), b"\0MRM": (0, "MRW")}
"""Formats whose structure only LibRaw knows: their signatures, where these are, and their names."""

_TIFF = (b"II*\0", b"MM\0*")
_TIFF_LIKE = {b"IIRO": "ORF", b"IIRS": "ORF", b"MMOR": "ORF", b"IIU\0": "RW2"}
_MAKERS = {"nikon": "NEF", "sony": "ARW", "pentax": "PEF", "ricoh": "PEF", "samsung": "SRW"}


def is_raw_head(head: bytes) -> bool:
    """Return whether a file that begins with `head` is a RAW file for certain. Many begin as any TIFF file does."""
    return (
        head.startswith(RAF)
        or head[4:12] == CR3
        or head[:4] in _TIFF_LIKE
        or _is_cr2(head)
        or any(head.startswith(signature, place) for signature, (place, _) in LIBRAW_ONLY.items())
    )


def is_tiff_head(head: bytes) -> bool:
    """Return whether a file has the structure of TIFF, with its own signature or that of a camera maker."""
    return head[:4] in _TIFF or head[:4] in _TIFF_LIKE


def tiff_format(head: bytes, make: str, is_dng: bool) -> str:
    """Return the name of a format with the structure of TIFF."""
    if head[:4] in _TIFF_LIKE:
        return _TIFF_LIKE[head[:4]]
    if is_dng:
        return "DNG"
    if _is_cr2(head):
        return "CR2"
    return next((name for maker, name in _MAKERS.items() if make.casefold().startswith(maker)), "RAW")


def _is_cr2(head: bytes) -> bool:
    return head[:4] in _TIFF and head[8:10] == b"CR"
