"""Parts of file names, which are bytes and need not be UTF-8."""

from store.catalog.collation import fold

__all__ = ["decode", "folded", "split_name", "suffix_of"]


def split_name(name: bytes) -> tuple[bytes, bytes]:
    """Return the stem and the suffix of a name, without the dot between them. `.name` and `name` have no suffix."""
    stem, dot, suffix = name.rpartition(b".")
    return (stem, suffix) if stem and dot else (name, b"")


def suffix_of(name: bytes) -> bytes:
    """Return the suffix of a name in lower case, without its dot; empty if there is none."""
    stem, _, suffix = name.rpartition(b".")
    return suffix.lower() if stem else b""


def decode(name: bytes) -> str:
    """Return a name as text. Bytes that are not UTF-8 become surrogates, so that different names stay different."""
    return name.decode("utf-8", "surrogateescape")


def folded(name: bytes) -> str:
    """Return the form of a name that is the same in any case and Unicode normalization."""
    return name.decode("ascii").lower() if name.isascii() else fold(decode(name))
