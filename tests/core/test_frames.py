"""Names of frames."""

import pytest

from core.frames import Frame, FrameKind, format_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (5.99, "0:05"), (65, "1:05"), (3599, "59:59"), (3600, "1:00:00"), (7207, "2:00:07")],
)
def test_seconds_are_formatted_as_minutes_and_hours(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_pages_count_from_one_and_moments_have_a_time() -> None:
    assert str(Frame(1, FrameKind.PAGE)) == "page 2"
    assert str(Frame(3, FrameKind.MOMENT, 65.2)) == "1:05"
    assert str(Frame(3, FrameKind.MOMENT)) == "moment 4"
