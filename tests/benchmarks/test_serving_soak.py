"""The verdict on a long run of a server, and a short run."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.serving_soak import Interval, Settings, faults, measure, slope

FLAT = [
    Interval(minute / 4, 400 + 20 * math.sin(minute), 30, 12, 100, 20.0, 200.0, 0, 0.2, minute) for minute in range(40)
]


def test_slope_is_that_of_a_line() -> None:
    assert slope([0, 1, 2, 3], [5, 7, 9, 11]) == (2.0, 0.0)


def test_memory_that_goes_up_and_down_is_flat() -> None:
    assert faults(FLAT) == []


def test_growth_before_caches_are_full_does_not_count() -> None:
    assert faults([replace(row, memory_mb=row.minute * 100) if row.minute < 3 else row for row in FLAT]) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda row: replace(row, memory_mb=row.memory_mb + 10 * row.minute), "memory grows"),
        (lambda row: replace(row, files=30 + row.changes), "files grow"),
        (lambda row: replace(row, threads=12 + row.changes // 4), "threads grow"),
        (lambda row: replace(row, p99_ms=200 + 4 * row.changes**2), "p99 grows"),
    ],
)
def test_what_grows_is_named(change: object, told: str) -> None:
    assert callable(change)
    (fault,) = faults([change(row) for row in FLAT])
    assert told in fault


def test_a_run_that_is_too_short_says_nothing() -> None:
    assert "too short" in faults(FLAT[:6])[0]


@pytest.mark.slow
@pytest.mark.processes
def test_server_neither_grows_nor_fails(tmp_path: Path) -> None:
    """Five minutes. The latencies of a shared machine say nothing, so that they are only printed by the benchmark."""
    rows, errors = measure(Settings(seconds=300, interval=10), tmp_path)
    assert errors == []
    assert [fault for fault in faults(rows) if not fault.startswith("p99")] == []
