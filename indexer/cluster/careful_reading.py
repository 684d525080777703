"""Read files one by one in a process that may crash, to find out which of them crashes it, and why."""

import socket
import time
from collections.abc import Sequence

from core.errors import DecoderCrashed
from indexer.reader_pool import MAX_SECONDS
from indexer.reader_processes import ReaderEnded, ReaderMemory, ReaderProcess
from pictures.batch_reading import FramePixels, ReadReport, apart
from pictures.reading import ReadFailure, ReadFile, ReadRequest, ReadSettings

__all__ = ["read_carefully"]


def read_carefully(
    requests: Sequence[ReadRequest], settings: ReadSettings
) -> tuple[ReadReport, *tuple[FramePixels, ...]]:
    """Read all files as `pictures.batch_reading.read_batch` does. A file that crashes its process fails with the cause.

    Raises `ReadersUnavailable` if no process can be started.
    """
    files: list[ReadFile | None] = []
    pixels: list[FramePixels] = []
    memory = ReaderMemory(settings, slots=1)
    process: ReaderProcess | None = None
    try:
        for request in requests:
            try:
                process = process or _start(settings, memory)
                process.send(request)
                file = process.receive(lambda _: True, MAX_SECONDS)
            except ReaderEnded as cause:
                file = ReadFile(failure=ReadFailure.of(DecoderCrashed(str(cause))))
                if process is not None:
                    process.close()
                process = None
            report, frames = apart(file)
            files.append(report)
            pixels.append(frames)
    finally:
        if process is not None:
            process.close()
        memory.close()
    return ReadReport(socket.gethostname(), tuple(files)), *pixels


def _start(settings: ReadSettings, memory: ReaderMemory) -> ReaderProcess:
    process = ReaderProcess(settings, memory, range(1))
    try:
        while not process.is_ready():
            time.sleep(0.01)
    except BaseException:
        process.close()
        raise
    return process
