"""Frames: the pictures inside one file, such as the pages of a document or moments of an animation."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["FIRST_FRAME", "Frame", "FrameKind", "format_seconds"]

FIRST_FRAME = 0
"""The number of the only frame of a still picture, and of the first frame of any other file."""


class FrameKind(StrEnum):
    """What distinguishes the frames of a file."""

    PAGE = "page"
    """The pages of a document, such as a TIFF of scanned sheets."""
    MOMENT = "moment"
    """Moments of an animation or a video."""


@dataclass(frozen=True)
class Frame:
    """One frame of a file that has several. The frame of a still picture is not described."""

    number: int
    """From 0, in the order of the file."""
    kind: FrameKind
    seconds: float | None = None
    """The time of a moment from the beginning."""

    def __str__(self) -> str:
        """Return a short name, for example `page 2` or `1:05`."""
        if self.kind is FrameKind.MOMENT and self.seconds is not None:
            return format_seconds(self.seconds)
        return f"{self.kind} {self.number + 1}"


def format_seconds(seconds: float) -> str:
    """Return a time as minutes and seconds, with hours if there are any: `1:05`, `2:00:07`."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
