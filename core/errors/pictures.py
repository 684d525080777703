"""Errors about picture files that cannot be decoded."""

from typing import ClassVar

from core.errors.base import SightlineError

__all__ = [
    "DecoderCrashed",
    "FileTooLarge",
    "PictureError",
    "PictureTooLarge",
    "PictureUndecodable",
    "PictureUnreadable",
    "PictureUnsupported",
]


class PictureError(SightlineError):
    """A file that cannot be decoded. `reason` is a stable word for the failures table, `detail` is for people."""

    reason: str = "failed"
    transient: ClassVar[bool] = False
    """True when the same bytes may succeed later, so that the next run tries again."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class PictureUnreadable(PictureError):
    """The operating system could not read the file."""

    reason = "unreadable"
    transient = True


class PictureUndecodable(PictureError):
    """The bytes are not a picture, or a truncated or corrupt one."""

    reason = "undecodable"


class PictureUnsupported(PictureError):
    """The format needs an `extra` that is not installed, or a library that Pillow lacks; `detail` says which.

    The reason names the extra, for example `needs-heic`.
    """

    reason = "unsupported"
    transient = True

    def __init__(self, detail: str, extra: str | None = None) -> None:
        super().__init__(detail)
        self.extra = extra
        self.reason = f"needs-{extra}" if extra else self.reason


class PictureTooLarge(PictureError):
    """The picture has more pixels, or a more extreme shape, than the limits allow."""

    reason = "too-large"
    in_total: ClassVar[str] = "in total"
    """What follows the number in a `limit` of pixels."""

    def __init__(self, width: int, height: int, limit: str) -> None:
        super().__init__(f"{width}x{height} pixels: {limit}")
        self.width, self.height, self.limit = width, height, limit


class FileTooLarge(PictureError):
    """The file has more bytes than are ever read into memory."""

    reason = "too-large"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"{size:,} bytes: more than the limit of {limit:,}")
        self.size, self.limit = size, limit


class DecoderCrashed(PictureError):
    """The process that decoded the file was ended by a signal, or did not finish; `detail` says which.

    The bytes may be at fault, or a lack of memory, so that the next run tries again.
    """

    reason = "crashed"
    transient = True
