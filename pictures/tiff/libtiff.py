"""The libtiff that Pillow uses, which is called directly for what Pillow does not offer.

libtiff writes warnings and errors from C. Its handlers are process-wide, and none of its messages says more than the
failure that Pillow raises, so that they are removed once, when TIFFs are first read. Standard error itself is not
redirected: other threads use it.
"""

import ctypes
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import PIL
from PIL import features

__all__ = ["can_decompress", "silence_libtiff"]

_HANDLERS = ("TIFFSetErrorHandler", "TIFFSetWarningHandler")


@cache
def silence_libtiff() -> bool:
    """Remove the handlers of libtiff that print. Returns whether Pillow's libtiff was found."""
    library = _libtiff()
    if library is None:
        return False
    for name in _HANDLERS:
        function = getattr(library, name)
        function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_void_p
        function(None)
    return True


def can_decompress(compression: int) -> bool:
    """Return whether libtiff was built with a decoder for this value of the tag Compression; True if unknown."""
    library = _libtiff()
    return library is None or bool(library.TIFFIsCODECConfigured(ctypes.c_uint16(compression)))


@cache
def _libtiff() -> ctypes.CDLL | None:
    loaded = getattr(os, "RTLD_NOLOAD", None)
    if loaded is None or not features.check("libtiff"):
        return None
    for path in _libtiff_paths():
        try:
            library = ctypes.CDLL(str(path), mode=loaded | os.RTLD_NOW)
            if all(hasattr(library, name) for name in (*_HANDLERS, "TIFFIsCODECConfigured")):
                return library
        except OSError:  # another libtiff, which is not loaded
            continue
    return None


def _libtiff_paths() -> Iterator[Path]:
    """Yield the places of libtiff: in a wheel for Linux or macOS, or what this process has mapped."""
    package = Path(PIL.__file__).parent
    yield from (package.parent / "pillow.libs").glob("libtiff*")
    yield from (package / ".dylibs").glob("libtiff*")
    mapped = Path("/proc/self/maps")
    if mapped.exists():
        lines = mapped.read_text(errors="replace").splitlines()
        yield from {Path(line.split(maxsplit=5)[-1]) for line in lines if "/libtiff" in line}
