"""The extras that read further formats: which are installed, and the error for a file that needs another one."""

from importlib.util import find_spec

from core.errors import PictureUnsupported

__all__ = ["FORMAT_EXTRAS", "extra_is_installed", "missing_extra", "reasons_to_wait"]

FORMAT_EXTRAS = {"heic": "pillow_heif", "raw": "rawpy", "video": "av", "jxl": "pylibjxl"}
"""The module that each extra installs."""


def extra_is_installed(extra: str) -> bool:
    """Return whether an extra of `FORMAT_EXTRAS` is installed. Nothing is imported."""
    return find_spec(FORMAT_EXTRAS[extra]) is not None


def missing_extra(files: str, extra: str) -> PictureUnsupported:
    """Return the error for files that need an extra, such as `HEIC pictures`."""
    return PictureUnsupported(f"{files} need an extra: pip install 'sightline[{extra}]'", extra)


def reasons_to_wait() -> list[str]:
    """Return the reasons of failures that cannot succeed now, because the extra that they need is not installed."""
    reasons = [missing_extra("", extra).reason for extra in FORMAT_EXTRAS if not extra_is_installed(extra)]
    if not extra_is_installed("heic"):
        reasons.append(PictureUnsupported.reason)  # of HEIC pictures in an older library
    return reasons
