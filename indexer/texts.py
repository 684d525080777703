"""Read the text in the pictures of a library: those that this version of the recogniser has not read yet.

    read_texts                                while no other process reads text in this library:
      unread_texts                              store.texts          the last added pictures first
      TextReader.read                           indexer.text_process all frames of a file
      write_texts                               store.texts          one transaction for each batch

The library is locked only for each of the writes, so that searches and index runs go on. A run that is stopped or
killed loses at most the batch in flight, and the next one continues from there.
"""

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

from encoders.text_recognizer import DEFAULT_RECOGNIZER, TextRecognizer, load_recognizer
from indexer.summary import Progress
from indexer.text_process import TextReader
from indexer.text_reading import FileText, TextRequest
from pictures.decode import DecodeSettings
from store.library import Library
from store.texts import ContentTexts, FrameTexts, UnreadText, count_unread_texts, unread_texts, write_texts

__all__ = ["TextSettings", "TextSummary", "read_texts"]

MAX_BATCH = 16
"""Contents written in one transaction."""

MAX_BATCH_SECONDS = 20.0
"""Time after which a batch is written even if it is smaller."""


@dataclass(frozen=True)
class TextSettings:
    """How to read text.

    `again` also reads the pictures that this version of the recogniser failed to read before.
    """

    decode: DecodeSettings = field(default_factory=DecodeSettings)
    again: bool = False


@dataclass(frozen=True)
class TextSummary:
    """The outcome of a run. Copies count once."""

    recognizer: str
    version: str
    read: int = 0
    """Pictures that were read, with or without text."""
    with_text: int = 0
    lines: int = 0
    failed: int = 0
    unavailable: int = 0
    """Pictures whose file is gone or cannot be read now; the next run tries again."""
    seconds: float = 0.0


def read_texts(
    library: Library,
    recognizer: TextRecognizer | str = DEFAULT_RECOGNIZER,
    settings: TextSettings | None = None,
    progress: Progress | None = None,
) -> TextSummary:
    """Read the text in all present pictures that this version of the recogniser has not read yet.

    Waits while another process does the same in this library. A picture that cannot be read is recorded with the
    reason, and does not stop the run. Raises `UnknownModel` for the name of a recogniser, `ExtraMissing` if its
    packages are not installed, `ModelUnavailable`, `PluginError` and `LibraryUnusable`.
    """
    started = monotonic()
    settings, progress = settings or TextSettings(), progress or Progress()
    if isinstance(recognizer, str):
        recognizer = load_recognizer(recognizer)
    with (
        library.text_reading_lock(progress.waiting, progress.check),
        TextReader(recognizer, settings.decode, progress.warn) as reader,
    ):
        run = _TextRun(library, recognizer, settings, progress)
        run.read_all(reader)
    return TextSummary(recognizer.name, recognizer.version, **dict(run.counts), seconds=monotonic() - started)


class _TextRun:
    """One run over the contents that have not been read. Adds up the outcomes."""

    def __init__(
        self, library: Library, recognizer: TextRecognizer, settings: TextSettings, progress: Progress
    ) -> None:
        self.counts = Counter[str]()
        self._library = library
        self._recognizer = recognizer
        self._again = settings.again
        self._progress = progress
        self._batch: dict[int, ContentTexts] = {}
        self._written = monotonic()

    def read_all(self, reader: TextReader) -> None:
        """Read and write all contents."""
        of_recognizer = (self._recognizer.name, self._recognizer.version)
        self._progress.begin(count_unread_texts(self._library, *of_recognizer, again=self._again))
        for content in unread_texts(self._library, *of_recognizer, again=self._again):
            self._progress.check()
            self._add(content, reader.read(TextRequest(content.files, content.digest)))
            if len(self._batch) >= MAX_BATCH or monotonic() - self._written > MAX_BATCH_SECONDS:
                self._write()
            self._progress.advance(1)
        self._write()

    def _add(self, content: UnreadText, file: FileText) -> None:
        if file.transient:
            self.counts["unavailable"] += 1
            return
        if file.reason is not None:
            self.counts["failed"] += 1
            self._batch[content.content_id] = ContentTexts(reason=file.reason, detail=file.detail)
            return
        self.counts.update(read=1, with_text=bool(file.frames), lines=sum(len(frame.lines) for frame in file.frames))
        frames = tuple(FrameTexts(frame.number, frame.lines) for frame in file.frames)
        self._batch[content.content_id] = ContentTexts(frames)

    def _write(self) -> None:
        if self._batch:
            with self._library.exclusive(self._progress.waiting, self._progress.check) as writer:
                write_texts(writer, self._recognizer.name, self._recognizer.version, self._batch)
        self._batch = {}
        self._written = monotonic()
