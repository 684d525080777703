"""How long threads wait for files: until what needs them has ended, or should stop."""

from concurrent.futures import Future
from threading import Event, Thread

import pytest

from core.root_files.waiting import checks_while_waiting, result_of, waits_until


class Stopped(BaseException):
    """Raised by a check."""


def test_result_that_is_there_is_returned_without_a_check() -> None:
    def check() -> None:
        raise Stopped

    future = Future[int]()
    future.set_result(7)
    with checks_while_waiting(check):
        assert result_of(future) == 7


def test_thread_stops_waiting_when_its_check_raises() -> None:
    checks = []

    def check() -> None:
        checks.append(1)
        if len(checks) == 3:
            raise Stopped

    with checks_while_waiting(check), pytest.raises(Stopped):
        result_of(Future[int]())
    assert len(checks) == 3


def test_check_holds_for_its_block_and_its_thread() -> None:
    checked = list[str]()
    future = Future[int]()

    def answer() -> None:
        if not future.done():
            future.set_result(1)

    with checks_while_waiting(lambda: checked.append("outer")):
        with checks_while_waiting(answer):
            assert result_of(future) == 1
        other, found = Future[int](), list[int]()
        thread = Thread(target=lambda: found.append(result_of(other)))
        thread.start()
        thread.join(0.5)  # longer than the time between two checks
        other.set_result(2)
        thread.join(60)
    assert (found, checked) == ([2], [])


def test_error_of_the_reader_is_raised_also_if_it_is_a_timeout() -> None:
    future = Future[int]()
    future.set_exception(TimeoutError("the store"))
    with pytest.raises(TimeoutError, match="the store"):
        result_of(future)


def test_answer_that_arrives_when_the_time_between_two_checks_is_over_is_returned() -> None:
    """Here it arrives after the wait has given up, and before the future is asked whether it is done."""

    class LateFuture(Future[int]):
        def result(self, timeout: float | None = None) -> int:
            try:
                return super().result(timeout)
            except TimeoutError:
                self.set_result(7)
                raise

    assert result_of(LateFuture()) == 7


def test_thread_stops_waiting_when_the_run_has_ended() -> None:
    ended = Event()
    ended.set()
    with waits_until(ended), pytest.raises(InterruptedError):
        result_of(Future[int]())
