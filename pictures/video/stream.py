"""The frames of a video by their time, decoded within a budget."""

from collections.abc import Iterator
from itertools import dropwhile, islice
from typing import Any

__all__ = ["MAX_DECODED_PIXELS", "VideoStream"]

MAX_DECODED_PIXELS = 2_000_000_000
"""Pixels that are decoded to reach the frame at a time: some 1,000 frames of 1920 x 1080, or 33 s at 30 a second."""

MIN_FRAME_PIXELS = 50_000
"""Pixels that a frame counts at least: the smallest takes some time, too."""

MAX_ERRORS = 100
"""Damaged packets after which decoding stops."""

MAX_PACKETS = 100_000
"""Packets after which decoding stops: an hour at 25 frames a second."""

STEP_FACTOR = 8
"""How much further back each try to find a key frame begins, in a format without an index."""


class VideoStream:
    """The pictures of an open video. Times are seconds from its first picture.

    The frame at a time is the first one that is not earlier. It is found from the last key frame before it, so that it
    is the same one however it is reached.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        self._container = container
        self._stream = stream
        self._start = int(stream.start_time or 0)
        pixels = int(stream.codec_context.width) * int(stream.codec_context.height)
        self.frame_pixels = max(pixels, MIN_FRAME_PIXELS)

    @property
    def duration(self) -> float | None:
        """The length in seconds; None if the file does not say."""
        if self._stream.duration and self._stream.duration > 0:
            return float(self._stream.duration * self._stream.time_base)
        length = self._container.duration
        return length / 1_000_000 if length and length > 0 else None

    def seconds_of(self, frame: Any) -> float:
        """Return the time of a decoded frame."""
        return float((frame.pts - self._start) * self._stream.time_base)

    def frame_at(self, seconds: float) -> Any | None:
        """Return the frame at a time, or the last one before it; None if there is none."""
        target, last = self._ticks(seconds), None
        for frame in self.frames_from(seconds):
            last = frame
            if frame.pts >= target:
                break
        return last

    def key_frame_before(self, seconds: float) -> Any | None:
        """Return the last key frame that is not after a time."""
        return next(self.frames_from(seconds, only_key_frames=True), None)

    def frames_from(self, seconds: float, *, only_key_frames: bool = False) -> Iterator[Any]:
        """Yield frames in the order of their time, from a key frame that is not after `seconds` if there is one.

        It is the last one before, except in formats without an index, where it can be an earlier one.
        """
        target, step = self._ticks(seconds), 0
        while True:
            place = max(self._start, target - step)
            if not self._seek(place):
                return
            self._stream.codec_context.skip_frame = "NONKEY" if only_key_frames else "DEFAULT"
            frames = dropwhile(lambda frame: not frame.key_frame, self._decoded())
            first = next(frames, None)
            if place == self._start or (first is not None and first.pts <= target):
                break
            step = max(STEP_FACTOR * step, round(1 / float(self._stream.time_base)))
        if first is not None:
            yield first
            yield from frames

    def _seek(self, ticks: int) -> bool:
        """Go to the last key frame that is not after a time; return whether there is any place to read from."""
        import av

        try:
            self._container.seek(ticks, stream=self._stream, backward=True)
        except av.FFmpegError:  # beyond the end, or a format that can only be read from its beginning
            return ticks <= self._start
        return True

    def _decoded(self) -> Iterator[Any]:
        """Yield the frames from the current place that are whole, as far as the budget lasts."""
        import av

        errors, budget, packets = 0, MAX_DECODED_PIXELS, islice(self._container.demux(self._stream), MAX_PACKETS)
        while errors < MAX_ERRORS and budget > 0:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                for frame in packet.decode():
                    budget -= self.frame_pixels
                    if frame.pts is not None and not frame.is_corrupt:
                        yield frame
            except av.FFmpegError:
                errors += 1

    def _ticks(self, seconds: float) -> int:
        return self._start + round(seconds / float(self._stream.time_base))
