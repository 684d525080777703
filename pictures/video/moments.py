"""Choose the moments of a video that show different scenes.

Candidates are spread evenly over the video, at least `SECONDS_APART`. Where key frames are dense enough, they are the
candidates, because they can be decoded alone; elsewhere all frames are decoded as long as the budget lasts. Of the
candidates, the moments are chosen one by one: always the one that differs most from those that were chosen before
(Gonzalez, Clustering to minimize the maximum intercluster distance, 1985), until the next one would show nothing new.
"""

import math
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pictures.video.stream import MAX_DECODED_PIXELS, VideoStream

__all__ = ["MAX_CANDIDATES", "MAX_VIDEO_MOMENTS", "choose_moments", "first_moment"]

MAX_VIDEO_MOMENTS = 32
"""Moments of one video."""

MAX_CANDIDATES = 128
SECONDS_APART = 1.0

MAX_MISSES = 8
"""Tries without a new frame after which the rest of the video counts as missing. Damaged files name wrong lengths."""

LEAST_DIFFERENCE = 0.06
"""The mean difference of two small pictures, in 0..1, from which on they show different scenes."""

LEAST_CONTRAST = 0.02
"""The standard deviation of a small picture, below which it shows nothing, such as a fade."""

SIDE = 16
"""Pixels per side of the small pictures that are compared."""

Small = NDArray[np.float32]


class _Candidate(NamedTuple):
    seconds: float
    small: Small

    @property
    def is_plain(self) -> bool:
        return float(self.small.std()) < LEAST_CONTRAST


def choose_moments(video: VideoStream) -> list[float]:
    """Return the times of the chosen moments in seconds, ascending; none if no frame can be decoded.

    The first is that of `first_moment`.
    """
    candidates = list(_candidates(video))
    shown = [each for each in candidates if not each.is_plain] or candidates[:1]
    if not shown:
        return []
    smalls = np.stack([each.small for each in shown])  # (n, SIDE, SIDE, 3)
    chosen, nearest = [0], _differences(smalls, 0)
    while len(chosen) < MAX_VIDEO_MOMENTS and nearest.max() >= LEAST_DIFFERENCE:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, _differences(smalls, chosen[-1]))
    return sorted(shown[number].seconds for number in chosen)


def first_moment(video: VideoStream) -> float | None:
    """Return the time of the first candidate that is not plain, or of the first one; None if there is none."""
    first = None
    for candidate in _candidates(video):
        if not candidate.is_plain:
            return candidate.seconds
        first = candidate.seconds if first is None else first
    return first


def _differences(smalls: Small, number: int) -> Small:
    return np.asarray(np.abs(smalls - smalls[number]).mean(axis=(1, 2, 3)), np.float32)


def _candidates(video: VideoStream) -> Iterator[_Candidate]:
    """Yield candidates in the order of their time."""
    for frame in _frames(video):
        yield _Candidate(video.seconds_of(frame), _small(frame))


def _small(frame: Any) -> Small:
    pixels = frame.reformat(SIDE, SIDE, "rgb24", interpolation="AREA").to_ndarray()
    return np.asarray(pixels / 255, np.float32)


def _frames(video: VideoStream) -> Iterator[Any]:
    """Yield the frames that are candidates."""
    if video.duration is None:
        return islice(_spaced_key_frames(video), MAX_CANDIDATES)
    return _CandidateFrames(video, video.duration).find()


class _CandidateFrames:
    """Finds candidates in a video of known length: key frames, or any frames where key frames are far apart."""

    def __init__(self, video: VideoStream, duration: float) -> None:
        self._video = video
        self._duration = duration
        self._spacing = max(SECONDS_APART, duration / MAX_CANDIDATES)
        self._target = 0.0
        """The time from which on the next candidate is wanted."""
        self._last = -math.inf
        """The time of the last candidate."""
        self._misses = 0
        """Tries without a new frame since then."""
        self._budget = MAX_DECODED_PIXELS
        """Pixels that may still be decoded beside those of key frames."""

    def find(self) -> Iterator[Any]:
        """Yield the candidates in the order of their time."""
        while self._target <= self._duration and self._misses < MAX_MISSES:
            key = self._video.key_frame_before(self._target)
            if key is None:
                self._misses += 1
                self._target += self._spacing
            elif self._video.seconds_of(key) > self._last:
                yield key
                self._found(key)
            elif self._budget >= 0:  # no key frame since the last candidate
                self._misses += 1
                yield from self._between_key_frames(self._video.seconds_of(key))
                self._target = max(self._target, self._last + self._spacing)
            else:
                self._target += self._spacing

    def _between_key_frames(self, last_key: float) -> Iterator[Any]:
        """Yield candidates of all frames from the target on, until key frames are dense again or the budget is spent.

        `last_key` is the time of the key frame before the target.
        """
        for frame in self._video.frames_from(self._target):
            self._budget -= self._video.frame_pixels
            seconds = self._video.seconds_of(frame)
            if seconds >= self._target:
                yield frame
                self._found(frame)
            if self._budget < 0:
                return
            if frame.key_frame and seconds > last_key:
                if seconds - last_key < self._spacing:
                    return
                last_key = seconds

    def _found(self, frame: Any) -> None:
        self._last = self._video.seconds_of(frame)
        self._target = max(self._target, self._last) + self._spacing
        self._misses = 0


def _spaced_key_frames(video: VideoStream) -> Iterator[Any]:
    last = -math.inf
    for frame in video.frames_from(0, only_key_frames=True):
        if video.seconds_of(frame) >= last + SECONDS_APART:
            last = video.seconds_of(frame)
            yield frame
