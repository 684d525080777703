"""The base of files that choose their own moments, such as videos."""

from abc import abstractmethod
from collections.abc import Sequence

from PIL import ImageFile

from core.metadata import PhotoMetadata

__all__ = ["MomentsFile"]


class MomentsFile(ImageFile.ImageFile):
    """An open file with moments. `seek` goes to one by its number, `seek_seconds` by its time.

    `info["timestamp"]` is the time of the loaded moment in milliseconds, as of Pillow's own animations.
    """

    @property
    @abstractmethod
    def moments(self) -> Sequence[float]:
        """The times of its moments in seconds, at least one."""

    @property
    @abstractmethod
    def facts(self) -> PhotoMetadata:
        """The metadata that is not EXIF, XMP or IPTC."""

    @abstractmethod
    def seek_seconds(self, seconds: float) -> None:
        """Go to the moment at a time of `moments`, without finding all of them."""
