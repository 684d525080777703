"""Questions to file systems that may not answer.

A call for a network drive whose server is gone can block for minutes or for ever, and nothing interrupts it. Such
questions are asked in threads that do not keep the process alive, and only a short time is waited for the answer.
"""

from collections.abc import Callable, Hashable
from threading import Event, Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

__all__ = ["PATIENCE_SECONDS", "STORE_PATIENCE_SECONDS", "Question", "ask"]

PATIENCE_SECONDS = 2.0
"""How long an answer is waited for. A disk that starts up may need longer, and is asked again later."""

STORE_PATIENCE_SECONDS = 20.0
"""The same for a store of objects: the first question of a process loads a large library, and connects."""

Answer = TypeVar("Answer")

_lock = Lock()
_open: dict[Hashable, "Question[object]"] = {}
"""Questions that have not been answered yet."""


class Question(Generic[Answer]):
    """A question that was asked. `key` names it."""

    def __init__(self, key: Hashable, function: Callable[[], Answer], patience: float) -> None:
        self._key = key
        self._function = function
        self._answered = Event()
        self._answer: Answer | None = None
        self._end = monotonic() + patience

    def answer(self) -> Answer | None:
        """Return the answer; None if there is none within the patience from the time of the question."""
        self._answered.wait(max(0.0, self._end - monotonic()))
        return self._answer

    def run(self) -> None:
        """Call the function."""
        try:
            self._answer = self._function()
        finally:
            with _lock:
                _open.pop(self._key, None)
            self._answered.set()


def ask(key: Hashable, function: Callable[[], Answer], patience: float | None = None) -> Question[Answer]:
    """Call `function` in a thread, unless a call with the same key has not returned yet: that one counts then.

    `function` must not raise, and must not return None. An answer is waited for `patience` seconds, by default
    `PATIENCE_SECONDS`.
    """
    with _lock:
        known = _open.get(key)
        if known is not None:
            return known  # type: ignore[return-value]
        question = Question(key, function, PATIENCE_SECONDS if patience is None else patience)
        _open[key] = question  # type: ignore[assignment]
    Thread(target=question.run, name="ask-file-system", daemon=True).start()
    return question
