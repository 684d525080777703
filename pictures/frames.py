"""The frames of a picture file: the pages of a TIFF, or a few moments of an animation or a video.

They are numbered from 0 in the order of the file. Pillow's own numbers differ: among the pages of a TIFF it counts
previews, and of an animation it counts every frame.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from PIL import ImageFile

from core.errors import PictureUndecodable
from core.frames import FIRST_FRAME, Frame, FrameKind
from pictures.jxl import JxlFile
from pictures.moments import MomentsFile

__all__ = ["MAX_MOMENTS", "MAX_PAGES", "FramePosition", "MomentSeeker", "find_frames", "seek_page", "still"]

MAX_PAGES = 128
"""Pages that are read of one file."""

MAX_MOMENTS = 8
"""Moments that are read of one animation, evenly spaced."""

MAX_ANIMATION_PIXELS = 500_000_000
"""Pixels that are decoded to reach the last moment. Of a longer animation only the beginning is read.

Animations are stored as changes to earlier frames, so that all of these have to be decoded."""

MIN_FRAME_PIXELS = 100_000
"""Pixels that a frame of an animation counts at least: the smallest takes some time, too."""

PREVIEW_SIDE = 512
"""The longest side of a TIFF page that can be a preview of another one, in pixels."""

PREVIEW_FACTOR = 16
"""How many times more pixels than its preview a page has, at least."""

_TIMED_BY_DURATIONS = frozenset({"GIF", "PNG"})
"""Animations with a duration for each frame. Those of other formats have a timestamp, once the frame is loaded."""

_ANIMATED = _TIMED_BY_DURATIONS | {"WEBP", "AVIF", "JXL"}
_NEW_SUBFILE_TYPE, _SUBFILE_TYPE = 254, 255
_ICC_PROFILE = 34675
_REDUCED_BIT, _REDUCED = 1, 2
"""Values of the subfile types of a page that is a smaller version of another (TIFF 6.0, section 8)."""


@dataclass(frozen=True)
class FramePosition:
    """A frame, and its number in Pillow. A still picture has one, without a description."""

    position: int
    frame: Frame | None = None


def find_frames(image: ImageFile.ImageFile, file: BinaryIO) -> Sequence[FramePosition]:
    """Return the frames of `image`, which was opened from `file`, at least one. The times of moments are not known yet.

    The image stays as it is: Pillow keeps some properties of a page, such as its profile, when it goes to another one.
    """
    place = file.tell()
    try:
        if image.format == "TIFF":
            return _described(_page_positions(_opened_again(image, file)), FrameKind.PAGE)
        if isinstance(image, MomentsFile):
            return _described(range(len(image.moments)), FrameKind.MOMENT)
        if image.format in _ANIMATED:
            return _described(_moment_positions(image, file), FrameKind.MOMENT)
        return still(image)
    finally:
        file.seek(place)


def still(image: ImageFile.ImageFile) -> Sequence[FramePosition]:
    """Return the picture at which a file has been opened; in a HEIF with several, this need not be the first."""
    return (FramePosition(image.tell()),)


def seek_page(image: ImageFile.ImageFile, position: int) -> None:
    """Go to a page of a TIFF that has been opened, but not loaded."""
    image.seek(position)
    profile = image.tag_v2.get(_ICC_PROFILE)  # type: ignore[attr-defined]
    if profile is None:  # Pillow would keep that of the first page
        image.info.pop("icc_profile", None)
    else:
        image.info["icc_profile"] = profile


class MomentSeeker:
    """Goes from one moment of an open animation to a later one, and knows the time of the current one."""

    def __init__(self, image: ImageFile.ImageFile) -> None:
        self._image = image
        self._milliseconds = 0.0
        self._pixels = 0

    def seek(self, position: int) -> None:
        """Go to Pillow's frame `position`. Raises what Pillow raises, and `PictureUndecodable` for too many pixels."""
        if self._image.format not in _TIMED_BY_DURATIONS:
            self._image.seek(position)
            return
        while self._image.tell() < position:
            self._milliseconds += _number(self._image.info.get("duration"))
            self._image.seek(self._image.tell() + 1)
            self._pixels += max(self._image.width * self._image.height, MIN_FRAME_PIXELS)
            if self._pixels > MAX_ANIMATION_PIXELS:
                raise PictureUndecodable("its frames have too many pixels")

    @property
    def seconds(self) -> float | None:
        """The time of the current frame, whose pixels have been loaded, from the beginning; None if it is not known."""
        if isinstance(self._image, JxlFile):
            return None
        return _number(self._image.info.get("timestamp", self._milliseconds)) / 1000


def _opened_again(image: ImageFile.ImageFile, file: BinaryIO) -> ImageFile.ImageFile:
    file.seek(0)
    return type(image)(file, "")


def _described(positions: Sequence[int], kind: FrameKind) -> Sequence[FramePosition]:
    if len(positions) == 1:
        return (FramePosition(positions[0]),)
    return [FramePosition(position, Frame(number, kind)) for number, position in enumerate(positions, FIRST_FRAME)]


def _page_positions(image: ImageFile.ImageFile) -> list[int]:
    """Return the positions of the pages that are not previews of others."""
    pages = list(_readable_pages(image))
    full = [page for page in pages if not page.is_reduced] or pages
    largest = max((page.width * page.height for page in full), default=0)
    return [page.position for page in full if not _is_preview(page, largest)][:MAX_PAGES] or [0]


def _readable_pages(image: ImageFile.ImageFile) -> Iterator["_Page"]:
    """Yield the pages up to the end or the first one whose tags are damaged."""
    for position in range(2 * MAX_PAGES):  # some may be previews
        try:
            image.seek(position)
            tags = image.tag_v2  # type: ignore[attr-defined]
            is_reduced = bool(_integer(tags.get(_NEW_SUBFILE_TYPE)) & _REDUCED_BIT)
            page = _Page(position, *image.size, is_reduced or _integer(tags.get(_SUBFILE_TYPE)) == _REDUCED)
        except Exception:  # Pillow raises errors of nearly any type on broken bytes
            return
        yield page


class _Page(NamedTuple):
    position: int
    width: int
    height: int
    is_reduced: bool
    """Its tags say that it is a smaller version of another page."""


def _is_preview(page: _Page, largest: int) -> bool:
    pixels = page.width * page.height
    return max(page.width, page.height) <= PREVIEW_SIDE and pixels * PREVIEW_FACTOR <= largest


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0


def _moment_positions(image: ImageFile.ImageFile, file: BinaryIO) -> list[int]:
    """Return evenly spaced positions, the first one included."""
    most = 1 + MAX_ANIMATION_PIXELS // max(image.width * image.height, MIN_FRAME_PIXELS)
    if image.format == "GIF":  # its header has no number of frames
        usable = _count_frames(_opened_again(image, file), most)
    else:
        usable = max(1, min(int(getattr(image, "n_frames", 1)), most))
    number = min(usable, MAX_MOMENTS)
    return [index * usable // number for index in range(number)]


def _count_frames(image: ImageFile.ImageFile, most: int) -> int:
    """Return how many frames can be reached, at most `most`."""
    seeker = MomentSeeker(image)
    for position in range(1, most):
        try:
            seeker.seek(position)
        except Exception:  # the end, too many pixels, or one of many types of errors on broken bytes
            return position
    return most
