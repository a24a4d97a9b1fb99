"""Nothing grows faster than the data: four times the rows, labels or columns are about four times the work, and not sixteen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from growing import operations, peak_bytes

from loss_widget.review import ReviewSession, apply_changes

MEGABYTE = 1 << 20


def equal_texts(n: int) -> pd.DataFrame:
    return pd.DataFrame({"text": [""] * n, "label": ["a", "b"] * (n // 2), "loss": np.arange(float(n))})


def test_changes_on_equal_texts_are_applied_in_linear_time() -> None:
    def work(n: int) -> int:
        frame = equal_texts(n)
        with ReviewSession(frame, journal=None, copy=True) as session:
            session.remove(range(n))
            changes = session.changes
        return operations(lambda: apply_changes(frame, changes)) + operations(lambda: apply_changes(frame[::-1], changes))

    assert work(800) < 6 * work(200)


@pytest.mark.parametrize("letters", ["word ", "слово "])
@pytest.mark.parametrize("documents", [1, 40, 2_000])
def test_long_documents_take_memory_of_a_few_times_their_texts(letters: str, documents: int) -> None:
    def peak(megabytes: int) -> int:
        rng = np.random.default_rng(0)
        length = megabytes * MEGABYTE // documents // len(letters.encode())
        texts = [f"{number} {letters * length}" for number in rng.permutation(documents)]
        if documents > 1:
            texts[-1] = f"{texts[0].upper()} !"  # the same words
        frame = pd.DataFrame({"text": texts, "label": "a", "loss": 0.0}, index=range(len(texts)))
        return peak_bytes(lambda: found(frame))

    def found(frame: pd.DataFrame) -> None:
        with ReviewSession(frame, journal=None, copy=True) as session:
            session.page()
            session.facets()

    assert peak(40) - peak(8) < 4 * 32 * MEGABYTE
