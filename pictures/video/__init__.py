"""Videos: their moments as frames, and when, where and with what they were recorded. PyAV (an extra) decodes them."""

from pictures.video.file import VideoFile, open_video
from pictures.video.kinds import is_video_head

__all__ = ["VideoFile", "is_video_head", "open_video"]
