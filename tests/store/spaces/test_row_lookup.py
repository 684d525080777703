"""Rows are found by ID, however the IDs are distributed."""

import numpy as np
import pytest

from store.catalog.frame_ids import CONTENT_BITS
from store.spaces.row_lookup import RowLookup

RNG = np.random.default_rng(5)
CASES = {
    "in a row": np.arange(100),
    "from a high number": np.arange(100) + 5_000_000_000,
    "in any order": RNG.permutation(100) * 3,
    "far apart": RNG.permutation(100) * 1_000_003,
    "one": np.array([7]),
    "none": np.empty(0, np.int64),
    "further frames": np.concatenate([np.arange(50), RNG.permutation(50) | (3 << CONTENT_BITS)]),
    "a low one and high ones": np.concatenate([[0], RNG.permutation(20) + (1 << 60)]),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(3))
def test_rows_are_those_of_the_known_ids(name: str, seed: int) -> None:
    rng, ids = np.random.default_rng(seed), CASES[name]
    lookup = RowLookup(ids)
    unknown = [-5, 2**62, *(ids[:5] + 1), *(ids[-5:] - 1)]
    wanted = rng.permutation(np.concatenate([rng.choice(ids, len(ids) // 2), unknown]).astype(np.int64))
    expected = [int(np.flatnonzero(ids == one)[0]) for one in np.unique(wanted) if one in ids]
    rows = lookup.rows(wanted)
    assert rows.dtype == np.int64
    assert rows.tolist() == expected
    assert lookup.rows(np.unique(wanted)).tolist() == expected
    assert lookup.rows(ids).tolist() == np.argsort(ids).tolist()
    assert lookup.rows(np.empty(0, np.int64)).tolist() == []
