"""A Query says at once what is wrong with it; what people and NumPy hand in is understood."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loss_widget.errors import InputError
from loss_widget.review.query import Query


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"sort": ()}, r"Expected sort as the name.*found \(\)"),
        ({"sort": None}, "Expected sort.*found None"),
        ({"sort": 3}, "Expected sort.*found 3"),
        ({"sort": ("loss", 3)}, "Expected sort"),
        ({"search": 3}, "Expected search to be text, found 3"),
        ({"search": "a\ud800"}, "lone surrogate"),
        ({"as_of": "x"}, "Expected as_of to be an integer"),
        ({"as_of": True}, "Expected as_of to be an integer"),
        ({"offset": 1.0}, "Expected offset"),
        ({"limit": 0}, "Expected limit"),
        ({"loss_range": (None, 1)}, r"Expected loss_range.*found \(None, 1\)"),
        ({"loss_range": (2, 1)}, "Expected loss_range"),
        ({"loss_range": 1}, "Expected loss_range"),
        ({"loss_range": (1, 2, 3)}, "Expected loss_range"),
        ({"verdict": "remvoe"}, "did you mean 'remove'"),
        ({"verdict": ["keep"]}, "Expected a verdict"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_was_expected(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Query(**asked)


def test_numbers_of_numpy_are_numbers() -> None:
    query = Query(offset=np.int64(3), limit=np.uint8(5), as_of=np.int32(0), loss_range=np.array([0.0, 1.0]))
    assert query == Query(offset=3, limit=5, as_of=0, loss_range=(0.0, 1.0))
    assert hash(query) == hash(Query(offset=3, limit=5, as_of=0, loss_range=(0.0, 1.0)))


def test_a_list_of_columns_sorts_like_a_tuple() -> None:
    assert Query(sort=["loss", "row"]).sort == ("loss", "row")
