"""The nearest rows are those that a plain look at all of them finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loss_widget.scores import nearest as module
from loss_widget.scores.nearest import nearest


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 700), st.integers(1, 30))
def test_they_are_the_highest_cosines(seed: int, among: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-2, 3, size=(among, 6)).astype(np.float32)  # many equal ones
    cosines, rows = nearest(vectors[:20], vectors, n)
    plain = vectors[:20] @ vectors.T
    assert rows.shape == cosines.shape == (min(20, among), min(n, among))
    np.testing.assert_array_equal(cosines, np.take_along_axis(plain, rows, axis=1))
    np.testing.assert_array_equal(cosines, -np.sort(-plain, axis=1)[:, : rows.shape[1]])
    assert all(len(set(row)) == len(row) for row in rows.tolist())


def test_many_rows_are_read_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(3_000, 8)).astype(np.float32)
    whole = nearest(vectors[:100], vectors, 5)
    monkeypatch.setattr(module, "BLOCK_NUMBERS", 7 * 3_000)
    parts = nearest(vectors[:100], vectors, 5)
    np.testing.assert_allclose(parts[0], whole[0], atol=1e-5)
    np.testing.assert_array_equal(parts[1], whole[1])
