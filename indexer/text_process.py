"""A process that reads text in pictures for another one, its parent, so that a crash costs one picture only.

    parent -> reader    recogniser, `DecodeSettings`   once
    reader -> parent    "ready"                        once
    parent -> reader    `TextRequest`
    reader -> parent    "frame"                        after each frame: it makes progress
    reader -> parent    `FileText`

The parent keeps the standard input open and never writes to it. When it ends, however it ends, this process reads
the end of the file and ends too.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Any, Self

from core.root_files.waiting import POLL_SECONDS, require_wanted
from encoders.text_recognizer import TextRecognizer
from indexer.reader_processes import ReaderEnded, ReadersUnavailable, cause_of_end
from indexer.text_reading import FileText, TextRequest, read_text
from pictures.decode import DecodeSettings

__all__ = ["TextReader", "main"]

START_SECONDS = 120.0
"""Time in which a process must be ready."""

FRAME_SECONDS = 300.0
"""Time in which a frame must be read; the first includes loading the models. Pages take up to 20 s."""

READY, FRAME = "ready", "frame"

_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from indexer.text_process import main; main({})"


class TextReader:
    """Reads text in files, in a process of its own if the recogniser runs native code. Use it in a `with` statement.

    The process is started by the first file, and again after a crash. `notice` gets a message if it cannot be started;
    files are then read in this process.
    """

    def __init__(
        self,
        recognizer: TextRecognizer,
        settings: DecodeSettings,
        notice: Callable[[str], None] = lambda _: None,
        frame_seconds: float = FRAME_SECONDS,
    ) -> None:
        self._recognizer = recognizer
        self._uses_process = recognizer.runs_native_code
        self._notice = notice
        self._settings = settings
        self._frame_seconds = frame_seconds
        self._process: _Process | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    def read(self, request: TextRequest) -> FileText:
        """Read a file. Its reason is `recognizer-crashed` if that ended the process or took too long."""
        process = self._ready_process()
        if process is None:
            return read_text(request, self._recognizer, self._settings)
        try:
            return process.read(request, self._frame_seconds)
        except ReaderEnded as error:
            self._drop()
            return FileText(reason="recognizer-crashed", detail=str(error))
        except BaseException:
            self._drop()  # it would send its result when the next one is expected
            raise

    def _ready_process(self) -> "_Process | None":
        """Return the process; None if the file is to be read in this one."""
        if self._process is None and self._uses_process:
            try:
                self._process = _Process(self._recognizer, self._settings)
            except ReadersUnavailable as error:
                self._uses_process = False
                self._notice(f"text is read without the protection of another process, because {error}")
        return self._process

    def _drop(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None


class _Process:
    def __init__(self, recognizer: TextRecognizer, settings: DecodeSettings) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._connection = Connection(ours.detach())
            try:
                self._process = _start(theirs.fileno())
            except (OSError, ValueError) as error:
                self._connection.close()
                raise ReadersUnavailable(f"a process cannot be started: {error}") from error
        try:
            self._connection.send((recognizer, settings))
            message = self._receive(START_SECONDS)
        except Exception as error:  # pickling raises errors of many types
            self.close()
            raise ReadersUnavailable(f"a process to read text cannot be used: {error}") from error
        except BaseException:  # the run was stopped
            self.close()
            raise
        if message != READY:
            self.close()
            raise ReadersUnavailable(f"a process to read text cannot be used: {message}")

    def read(self, request: TextRequest, frame_seconds: float) -> FileText:
        try:
            self._connection.send(request)
        except OSError as error:
            raise ReaderEnded(cause_of_end(self._process, "recogniser or a decoder")) from error
        while not isinstance(message := self._receive(frame_seconds), FileText):
            pass
        return message

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._connection.close()

    def _receive(self, timeout: float) -> Any:
        deadline = monotonic() + timeout
        try:
            while not self._connection.poll(max(0.0, min(POLL_SECONDS, deadline - monotonic()))):
                if monotonic() >= deadline:
                    raise ReaderEnded(f"it did not finish within {timeout:g} s")
                require_wanted()  # the file may be in a store that does not answer
            return self._connection.recv()
        except (EOFError, OSError) as error:
            raise ReaderEnded(cause_of_end(self._process, "recogniser or a decoder")) from error


def _start(connection: int) -> subprocess.Popen[bytes]:
    """Start an interpreter that inherits a socket. Ctrl-C does not reach it: it is in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", _BOOT.format(connection), json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        pass_fds=(connection,),
        process_group=0,
    )


def main(file: int) -> None:
    """Serve requests until the parent ends. The argument is a file descriptor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C ends
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError), Connection(file) as parent:
        try:
            recognizer, settings = parent.recv()
        except (AttributeError, ImportError) as error:  # its class cannot be imported here
            parent.send(f"{type(error).__name__}: {error}")
            return
        parent.send(READY)
        while True:
            request = parent.recv()
            parent.send(read_text(request, recognizer, settings, partial(parent.send, FRAME)))


def _end_with_parent() -> None:
    with suppress(OSError):
        os.read(0, 1)
    os._exit(0)
