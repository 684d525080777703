"""RAW files of cameras: the largest preview in them, with the size and the metadata of the full picture.

Cameras store a JPEG in every RAW file, often at full size, so that no RAW decoder is needed. Where there is none, or
only a thumbnail, `rawpy` (an extra) decodes the sensor data.
"""

from pictures.raw.image import RawImageFile, is_raw
from pictures.raw.kinds import is_raw_head

__all__ = ["RawImageFile", "is_raw", "is_raw_head"]
