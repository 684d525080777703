"""Principal components fitted in chunks."""

from pathlib import Path

import numpy as np
import pytest

from training.pca import PCA, fit_pca


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """400 points near a plane in five dimensions."""
    rng = np.random.default_rng(1)
    plane = rng.normal(size=(400, 2)) * [3, 2] @ rng.normal(size=(2, 5))
    return (plane + 0.01 * rng.normal(size=(400, 5)) + 4).astype(np.float32)


def test_two_components_explain_a_plane_for_any_chunk_size(rows: np.ndarray) -> None:
    whole, chunked = fit_pca([rows], 2), fit_pca(np.split(rows, 4), 2)
    assert whole.explained > 0.999
    np.testing.assert_allclose(np.abs(whole(rows)), np.abs(chunked(rows)), rtol=1e-4, atol=1e-4)


def test_directions_equal_the_singular_vectors(rows: np.ndarray) -> None:
    _, singular, directions = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
    found = fit_pca([rows], 2)(rows)
    expected = (rows - rows.mean(0)) @ directions[:2].T
    expected /= np.sqrt((singular[:2] ** 2 / len(rows)).mean())
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)


def test_outputs_have_mean_zero_and_mean_square_one(rows: np.ndarray) -> None:
    found = fit_pca([rows], 3)(rows)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-4)
    assert (found**2).mean() == pytest.approx(1, abs=1e-3)


def test_save_and_load_round_trip(rows: np.ndarray, tmp_path: Path) -> None:
    pca = fit_pca([rows], 2)
    pca.save(tmp_path / "pca.npz")
    again = PCA.load(tmp_path / "pca.npz")
    np.testing.assert_array_equal(again(rows), pca(rows))
    assert (again.dim, again.explained) == (2, pca.explained)
