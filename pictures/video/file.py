"""Open a video as a picture with moments."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, BinaryIO, NoReturn

from PIL import Image

from core.errors import PictureUndecodable
from core.metadata import PhotoMetadata
from pictures.color.color_space import CODE_POINTS, CodePoints
from pictures.extras import extra_is_installed, missing_extra
from pictures.moments import MomentsFile
from pictures.video.facts import read_facts
from pictures.video.kinds import VideoKind, video_kind
from pictures.video.moments import choose_moments, first_moment
from pictures.video.stream import VideoStream

__all__ = ["VideoFile", "open_video"]

MAX_PROBED_BYTES = 16 << 20
"""Bytes that FFmpeg reads to find the properties of the streams."""

MAX_HEADER_SIDE = 16_384
"""Longest side of a video in its header, before a frame is decoded; the standards of codecs end there."""

_NO_INDEX = "its index (moov) is missing or damaged: the file is cut, or its recording was interrupted"

_TRANSPOSITIONS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}
"""Operation that makes a frame upright, by the degrees that it has to be turned to the left."""

_PACKET_BYTES = (188, 192)
"""Lengths of the packets of a transport stream; those of cameras begin with a time code of four bytes."""


def open_video(file: BinaryIO) -> "VideoFile":
    """Open a video. Raises `PictureUnsupported` without PyAV, `PictureUndecodable`, and `SyntaxError` if it is none."""
    kind = video_kind(file.read(64))
    if kind is None or (kind.reader == "mpegts" and not _has_packets(file)):
        raise SyntaxError("not a video")
    if not extra_is_installed("video"):
        raise missing_extra("Videos", "video")
    file.seek(0)
    return VideoFile(file, kind)


def _has_packets(file: BinaryIO) -> bool:
    """Return whether a file consists of packets of a transport stream."""
    file.seek(0)
    data = file.read(4 * _PACKET_BYTES[1])
    return any(data[first::size][:4] == b"G" * 4 for size, first in zip(_PACKET_BYTES, (0, 4), strict=True))


class VideoFile(MomentsFile):
    """An open video. Its size is that of its upright frames with square pixels.

    The frames are decoded when they are needed. Files that a video refers to are never opened.
    """

    format_description = "Video"

    def __init__(self, file: BinaryIO, kind: VideoKind) -> None:
        self._kind = kind
        self._moments: Sequence[float] | None = None
        self._seconds: float | None = None
        self._position = 0
        self._scaled: tuple[int, int] | None = None
        super().__init__(file, "")

    def _open(self) -> None:
        import av

        try:
            self._container = av.open(
                self.fp,
                format=self._kind.reader,
                container_options={"export_xmp": "1", "probesize": str(MAX_PROBED_BYTES)},
                metadata_errors="replace",
                io_open=_refuse,
            )
        except av.FFmpegError as error:
            raise PictureUndecodable(_reason(error, self._kind)) from error
        self.format = self._kind.format
        self._stream = self._video_stream()
        context = self._stream.codec_context
        context.thread_count = 1
        self._video = VideoStream(self._container, self._stream)
        self._mode = "RGB"
        width, height = context.width, context.height
        if not 0 < max(width, height) <= MAX_HEADER_SIDE:
            raise PictureUndecodable(f"its frames have an impossible size of {width}x{height} pixels")
        self._size = width, height
        self._turn = 0
        self.is_animated = True
        self._tags = {**self._stream.metadata, **self._container.metadata}
        self._set_size()

    def _video_stream(self) -> Any:
        """Return the video track. A cover is none."""
        from av.stream import Disposition

        streams = [each for each in self._container.streams.video if not each.disposition & Disposition.attached_pic]
        if not self._container.streams and self._kind.format == "MP4":
            raise PictureUndecodable(_NO_INDEX)
        if not streams:
            raise PictureUndecodable("it has no video track")
        stream = streams[0]
        if stream.codec_context is None:
            raise PictureUndecodable("the codec of its video track is not known")
        if stream.codec_context.codec_tag.lower() in ("encv", "drmi"):
            raise PictureUndecodable("its video track is encrypted")
        return stream

    def _set_size(self) -> None:
        """Find the rotation, which a decoded frame has, and the size of the upright picture."""
        frame = self._video.key_frame_before(0)
        if frame is None:
            raise PictureUndecodable("none of its frames can be decoded")
        self._turn = round(frame.rotation / 90) * 90 % 360
        aspect = self._stream.sample_aspect_ratio or Fraction(1)
        width, height = frame.width, frame.height
        if Fraction(1, 4) <= aspect <= 4:
            width = max(1, round(width * aspect))
        self._frame_size = width, height
        self._upright_size = (height, width) if self._turn in (90, 270) else (width, height)
        self._size = self._upright_size
        self.info[CODE_POINTS] = CodePoints(int(frame.color_primaries), int(frame.color_trc))

    @property
    def moments(self) -> Sequence[float]:
        """The times of the chosen moments in seconds."""
        if self._moments is None:
            self._moments = choose_moments(self._video) or [0.0]
        return self._moments

    @property
    def facts(self) -> PhotoMetadata:
        """When, where and with what the video was recorded, and how long it is."""
        return read_facts(self._tags, self._video.duration)

    def tell(self) -> int:
        """Return the number of the current moment."""
        return self._position

    def seek(self, frame: int) -> None:
        """Go to a moment by its number."""
        self.seek_seconds(self.moments[frame])
        self._position = frame

    def seek_seconds(self, seconds: float) -> None:
        """Go to a moment by its time."""
        self._seconds = seconds
        self._size = self._upright_size
        self._im = None

    def draft(self, mode: Any, size: tuple[int, int] | None) -> Any:  # noqa: ARG002
        """Let frames be decoded at a smaller scale, at least of `size`."""
        factor = min(self._frame_size) // min(size) if size else 1
        self._scaled = (self._frame_size[0] // factor, self._frame_size[1] // factor) if factor > 1 else None
        return None

    def load(self) -> Any:
        """Decode the current moment."""
        if self._im is None:
            if self._seconds is None:
                self._seconds = first_moment(self._video) or 0.0
            frame = self._video.frame_at(self._seconds)
            if frame is None:
                raise PictureUndecodable("the frame at this time cannot be decoded")
            width, height = self._scaled or self._frame_size
            image = frame.reformat(width, height, "rgb24", interpolation="AREA").to_image()
            if self._turn:
                image = image.transpose(_TRANSPOSITIONS[self._turn])
            self.im, self._size = image.im, image.size
            self.info["timestamp"] = 1000 * self._video.seconds_of(frame)
        return Image.Image.load(self)


def _refuse(url: str, flags: int, options: Mapping[str, str]) -> NoReturn:  # noqa: ARG001
    raise PermissionError(f"a video refers to another file: {url}")


def _reason(error: Exception, kind: VideoKind) -> str:
    """Return why a video cannot be opened. An MP4 file without its index is one whose recording was interrupted."""
    if kind.format == "MP4":
        return _NO_INDEX
    return f"FFmpeg cannot read it: {getattr(error, 'strerror', None) or error}"
