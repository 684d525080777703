"""Read one picture file: its bytes and digest, and, where they are needed, pixels, metadata and perceptual hash.

This module and those it imports are all that a reader process loads (see `pictures.reader_process`).
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import BinaryIO, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import FileTooLarge, PictureError, PictureUnreadable
from core.frames import Frame, FrameKind
from core.metadata import ImageInfo
from core.object_paths import as_path
from pictures.average_color import average_color
from pictures.decode import DecodeSettings, decode_frames
from pictures.perceptual_hash import HASH_INPUT_SIDE, perceptual_hash
from pictures.sources import MAX_FILE_BYTES, PictureSource, open_source

__all__ = [
    "MAX_FILE_BYTES",
    "Preprocessing",
    "ReadFailure",
    "ReadFile",
    "ReadRequest",
    "ReadSettings",
    "hash_first_frame",
    "read_picture",
]

Result = TypeVar("Result")


class Preprocessing(Protocol):
    """How a model prepares its pixels: the part of `encoders.preprocess.Preprocess` that reading needs."""

    @property
    def size(self) -> int:
        """The side of the square input in pixels."""

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return the square input of `image`, (S, S, 3)."""


@dataclass(frozen=True)
class ReadSettings:
    """What is the same for all files of a run: limits on decoding, and the preprocessing of the model."""

    preprocess: Preprocessing
    decode: DecodeSettings = field(default_factory=DecodeSettings)


@dataclass(frozen=True)
class ReadRequest:
    """What to read: the first of `paths` that exists and, if `digest` is given, has the bytes with this SHA-256.

    `is_new` says that the pixels are needed. Otherwise this depends on the digest of the bytes, which the caller of
    `read_picture` looks up.
    """

    paths: tuple[bytes, ...]
    digest: bytes | None = None
    is_new: bool = True


@dataclass(frozen=True)
class ReadFailure:
    """Why a file has no pixels: the fields of a `PictureError`."""

    reason: str
    detail: str
    transient: bool

    @classmethod
    def of(cls, error: PictureError) -> "ReadFailure":
        """Return the fields of `error`."""
        return cls(error.reason, error.detail, error.transient)


@dataclass(frozen=True)
class ReadFile:
    """The outcome of reading a file. `size` and `mtime_ns` belong to exactly the bytes that were read.

    `path` is the index of the file in the paths of the request. `info`, `pixels` (S, S, 3), `perceptual_hash` and
    `color` are None if the file failed or its pixels were not needed. A picture that is too plain has no hash either,
    nor has a document: documents with the same first page are not near-duplicates.
    """

    path: int = 0
    size: int = 0
    mtime_ns: int = 0
    digest: bytes = b""
    failure: ReadFailure | None = None
    info: ImageInfo | None = None
    perceptual_hash: bytes | None = None
    color: int | None = None
    """The average colour of the first frame as 0xRRGGBB."""
    pixels: NDArray[np.uint8] | None = None
    """Those of the first frame."""
    frames: tuple[Frame, ...] = ()
    """All frames of a file with several."""
    further_pixels: tuple[NDArray[np.uint8], ...] = ()
    """Those of all frames but the first."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Time by stage: `read`, `decode`, `preprocess` and `hash` (the perceptual hash and the average colour)."""


def read_picture(
    request: ReadRequest,
    settings: ReadSettings,
    is_embedded: Callable[[bytes], bool],
    progress: Callable[[], None] = lambda: None,
) -> ReadFile | None:
    """Read a file. Return None if none of the paths has a file, or none has the bytes that are asked for.

    `is_embedded` is called with the digest of the bytes if the request does not say that they are new, `progress` after
    each frame. Safe to call from several threads at once; Pillow and hashlib release the interpreter lock while they
    work.
    """
    failed: ReadFile | None = None
    for number, path in enumerate(request.paths):
        seconds: dict[str, float] = {}
        with ExitStack() as stack:
            try:
                source = _timed(seconds, "read", lambda: stack.enter_context(open_source(as_path(path))))  # noqa: B023
                digest = _timed(seconds, "read", lambda: source.digest(progress))  # noqa: B023
            except FileNotFoundError:
                continue
            except OSError as exc:
                failed = ReadFile(number, failure=ReadFailure.of(PictureUnreadable(exc.strerror or str(exc))))
                continue
            if source.is_too_large:
                failure = ReadFailure.of(FileTooLarge(source.size, MAX_FILE_BYTES))
                failed = ReadFile(number, source.size, source.mtime_ns, failure=failure)
                continue
            if request.digest not in (None, digest):
                continue
            file = ReadFile(number, source.size, source.mtime_ns, digest, seconds=seconds)
            if not request.is_new and is_embedded(digest):
                return file
            return _decode_source(source, settings, file, progress)
    return failed


def _decode_source(
    source: PictureSource, settings: ReadSettings, file: ReadFile, progress: Callable[[], None]
) -> ReadFile:
    try:
        decoded = _decode(source.data, settings, file, progress)
        if not source.is_unchanged():
            raise PictureUnreadable("it changed while it was read")
    except Exception as exc:
        error = exc if source.failure is None else PictureUnreadable(source.failure.strerror or str(source.failure))
        if not isinstance(error, PictureError):
            raise
        return replace(file, failure=ReadFailure.of(error))
    return decoded


def _decode(data: bytes | BinaryIO, settings: ReadSettings, file: ReadFile, progress: Callable[[], None]) -> ReadFile:
    preprocess, seconds = settings.preprocess, dict(file.seconds)
    frames, pixels = list[Frame](), list[NDArray[np.uint8]]()
    info, bits, color = None, None, None
    decoding = decode_frames(data, settings.decode, shortest_side=max(preprocess.size, HASH_INPUT_SIDE))
    while (following := _timed(seconds, "decode", lambda: next(decoding, None))) is not None:
        frame, decoded = following
        pixels.append(_timed(seconds, "preprocess", partial(preprocess.pixels, decoded.image)))  # (S, S, 3)
        frames += [frame] if frame is not None else []
        if info is None:
            info = decoded.info
            bits = _timed(seconds, "hash", partial(hash_first_frame, decoded.image, frame))
            color = _timed(seconds, "hash", partial(average_color, decoded.image))
        progress()
    several = tuple(frames) if len(frames) > 1 else ()
    first, *further = pixels
    return replace(
        file,
        info=info,
        perceptual_hash=bits,
        color=color,
        pixels=first,
        frames=several,
        further_pixels=tuple(further),
        seconds=seconds,
    )


def hash_first_frame(image: Image.Image, frame: Frame | None) -> bytes | None:
    """Return the perceptual hash of a file by its first frame; None for a page, or a picture that is too plain."""
    return None if frame is not None and frame.kind is FrameKind.PAGE else perceptual_hash(image)


def _timed(seconds: dict[str, float], stage: str, run: Callable[[], Result]) -> Result:
    """Return `run()`, and add the time that it took."""
    started = perf_counter()
    try:
        return run()
    finally:
        seconds[stage] = seconds.get(stage, 0.0) + perf_counter() - started
