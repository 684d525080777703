import numpy as np
import pytest
from numpy.typing import NDArray

from pictures.sample_range import find_range, to_bytes


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("u1", [0, 255], (0, 255)),
        ("u2", [0, 255], (0, 255)),
        ("u2", [0, 256], (0, 1023)),
        ("u2", [7, 4095], (0, 4095)),
        ("u2", [7, 4096], (0, 16383)),
        ("u2", [7, 65535], (0, 65535)),
        ("u2", [0, 0], (0, 255)),
        ("i2", [0, 32767], (0, 32767)),
        ("i2", [0, 4095], (0, 4095)),
        ("i2", [-1000, 1000], (-1000, 1000)),
        ("i1", [0, 127], (0, 127)),
        ("u4", [0, 4095], (0, 4095)),
        ("u4", [0, 65535], (0, 65535)),
        ("u4", [100, 200_000], (100, 200_000)),
        ("u4", [100, 1 << 31], (0, (1 << 32) - 1)),
        ("i4", [0, 1 << 30], (0, (1 << 31) - 1)),
        ("f4", [0, 0.3], (0, 1)),
        ("f4", [0, 128], (0, 255)),
        ("f4", [0, 2], (0, 2)),
        ("f4", [3, 1000], (0, 1000)),
        ("f8", [-1, 1], (-1, 1)),
        ("f4", [np.nan, np.inf], (0, 1)),
    ],
)
def test_range_of_samples(kind: str, values: list[float], expected: tuple[float, float]) -> None:
    assert find_range(np.array([values], kind)) == expected


def test_declared_depth_is_the_largest_range() -> None:
    assert find_range(np.array([[1, 4095]], np.uint16), 12) == (0, 4095)
    assert find_range(np.array([[1, 1000]], np.uint16), 10) == (0, 1023)


@pytest.mark.parametrize(("outlier", "clipped"), [(3.0, 255), (-0.5, 0)])
def test_outliers_of_floats_are_clipped(outlier: float, clipped: int) -> None:
    values = np.full((100, 100), 0.6)
    values[0, :10] = outlier  # 0.1 % of the pixels
    scaled = to_bytes(values, find_range(values))
    assert scaled[0, 0] == clipped
    assert scaled[50, 50] == 153
    values[0, :11] = outlier
    assert find_range(values) == (min(outlier, 0), max(outlier, 0.6))


@pytest.mark.parametrize(
    ("values", "limits", "expected"),
    [
        (np.array([0, 128, 129, 65535], np.uint16), (0, 65535), [0, 0, 1, 255]),
        (np.array([0, 4095, 5000], np.uint16), (0, 4095), [0, 255, 255]),
        (np.array([0.0, 0.2, np.nan, np.inf, -np.inf]), (0, 1), [0, 51, 0, 255, 0]),
        (np.array([-1000, 0, 1000], np.int16), (-1000, 1000), [0, 128, 255]),
        (np.array([5, 5]), (5, 5), [0, 0]),
    ],
)
def test_samples_become_bytes(values: NDArray[np.float64], limits: tuple[float, float], expected: list[int]) -> None:
    assert to_bytes(values[:, None], limits)[:, 0].tolist() == expected
