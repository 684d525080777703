"""How long a thread waits for a store: until what needs the answer has ended.

A request to a store that does not answer takes minutes to fail. A thread that reads for a run must end with it, and the
thread of the run itself must notice that it should stop.
"""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from threading import Event, local
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from concurrent.futures import Future

__all__ = ["POLL_SECONDS", "answer_of", "checks_while_waiting", "require_wanted", "result_of", "waits_until"]

POLL_SECONDS = 0.2
"""Time between two looks at whether the answer is still needed. An answer that arrives ends the wait at once."""

Answer = TypeVar("Answer")

_threads = local()


@contextmanager
def waits_until(ended: Event) -> Iterator[None]:
    """Within the block, this thread waits for no store any longer once `ended` is set: `InterruptedError` is raised."""
    before = getattr(_threads, "ended", None)
    _threads.ended = ended
    try:
        yield
    finally:
        _threads.ended = before


@contextmanager
def checks_while_waiting(check: Callable[[], None]) -> Iterator[None]:
    """Within the block, call `check` several times a second while this thread waits for files or vector engines.

    It may raise to stop. What it raises must be no `Exception`, which what reads would take for an error of the store.
    """
    before = getattr(_threads, "check", None)
    _threads.check = check
    try:
        yield
    finally:
        _threads.check = before


def answer_of(
    loop: "AbstractEventLoop", function: Callable[..., Coroutine[Any, Any, Answer]], *args: Any, **parameters: Any
) -> Answer:
    """Call a function in a loop of another thread, and return its answer. Raises `InterruptedError`, and its errors."""
    from asyncio import run_coroutine_threadsafe  # programs without objects start without it

    future = run_coroutine_threadsafe(function(*args, **parameters), loop)
    try:
        return result_of(future)
    finally:
        future.cancel()


def result_of(future: "Future[Answer]") -> Answer:
    """Return what another thread reads, when it has. Raises `InterruptedError`, and the errors of the other thread."""
    while True:
        try:
            return future.result(POLL_SECONDS)
        except TimeoutError:
            if future.done():  # since this moment, or with a timeout of what reads
                return future.result()
        require_wanted()


def require_wanted() -> None:
    """Raise `InterruptedError`, or what `checks_while_waiting` says, if nothing needs what this thread waits for."""
    ended: Event | None = getattr(_threads, "ended", None)
    if ended is not None and ended.is_set():
        raise InterruptedError("the run has ended")
    check: Callable[[], None] | None = getattr(_threads, "check", None)
    if check is not None:
        check()
