"""Running statements in a database of a test, and work in several threads."""

import threading
from collections.abc import Callable

__all__ = ["execute", "in_threads"]


def execute(url: str, *statements: str) -> None:
    """Run statements in a PostgreSQL database, each in a transaction of its own."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def in_threads(number: int, work: Callable[[], None]) -> list[BaseException]:
    """Run `work` in several threads at once; return what they raised."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures
