"""Read the text in one picture file. This module and those it imports are all that its process loads."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from core.errors import FileTooLarge, PictureError, PictureUnreadable
from core.frames import FIRST_FRAME
from core.object_paths import as_path
from core.text_lines import TextLine
from encoders.text_recognizer import TextRecognizer
from pictures.decode import DecodeSettings, decode_frames
from pictures.failures import short_message
from pictures.sources import MAX_FILE_BYTES, open_source

__all__ = ["FileText", "FrameLines", "TextRequest", "read_text"]


@dataclass(frozen=True)
class TextRequest:
    """Read the first of `paths` whose bytes have this SHA-256 digest."""

    paths: Sequence[bytes]
    digest: bytes


@dataclass(frozen=True)
class FrameLines:
    """The lines of text in the frame with this number."""

    number: int
    lines: tuple[TextLine, ...]


@dataclass(frozen=True)
class FileText:
    """The text in the frames of a file that have any, or why it could not be read.

    `reason` and `detail` are those of a `PictureError`; the reason is `recognizer-failed` if the recogniser raised an
    error. `transient` says that the file may be readable later.
    """

    frames: tuple[FrameLines, ...] = ()
    reason: str | None = None
    detail: str = ""
    transient: bool = False


def read_text(
    request: TextRequest,
    recognizer: TextRecognizer,
    settings: DecodeSettings,
    progress: Callable[[], None] = lambda: None,
) -> FileText:
    """Read the text in all frames of a file. `progress` is called after each frame. No picture makes it raise."""
    try:
        with _open(request, progress) as data:
            return FileText(tuple(_read_frames(data, recognizer, settings, progress)))
    except PictureError as error:
        return FileText(reason=error.reason, detail=error.detail, transient=error.transient)
    except _RecognizerFailed as error:
        return FileText(reason="recognizer-failed", detail=str(error))


class _RecognizerFailed(Exception):
    """A recogniser raised an error."""


def _read_frames(
    data: bytes | BinaryIO, recognizer: TextRecognizer, settings: DecodeSettings, progress: Callable[[], None]
) -> list[FrameLines]:
    frames = []
    for frame, decoded in decode_frames(data, settings, shortest_side=max(recognizer.max_side // 2, 1)):
        try:
            lines = recognizer.read(decoded.image)
        except Exception as error:  # a recogniser may raise anything
            raise _RecognizerFailed(f"{type(error).__name__}: {short_message(error)}") from error
        if lines:
            frames.append(FrameLines(FIRST_FRAME if frame is None else frame.number, lines))
        progress()
    return frames


@contextmanager
def _open(request: TextRequest, progress: Callable[[], None]) -> Iterator[bytes | BinaryIO]:
    """Open the first file that has the bytes of the request. Raises `PictureError`."""
    failure: PictureError = PictureUnreadable("no file has this content now")
    with ExitStack() as stack:
        for path in map(as_path, request.paths):
            try:
                source = stack.enter_context(open_source(path))
                digest = source.digest(progress)
            except OSError as error:
                failure = PictureUnreadable(error.strerror or str(error))
                continue
            if source.is_too_large:
                failure = FileTooLarge(source.size, MAX_FILE_BYTES)
            elif digest == request.digest:
                yield source.data
                return
    raise failure
