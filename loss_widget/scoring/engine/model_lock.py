"""A model is lent to one pass at a time, in whichever thread that runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from loss_widget.errors import ModelError

_lent: set[int] = set()
_guard = threading.Lock()
_ours: ContextVar[frozenset[int]] = ContextVar("modules lent in this context", default=frozenset())


@contextlib.contextmanager
def locked_model(model: Any) -> Iterator[None]:
    """Keep other contexts from reading `model`, or any part of it, meanwhile: `ModelError` for the second one.

    A pass puts the model into evaluation mode and, at its end, back: a second pass would go on in training mode, with dropout.
    """
    modules = frozenset(map(id, model.modules())) - _ours.get()
    with _guard:
        if not _lent.isdisjoint(modules):
            raise ModelError(
                "Expected a model that nothing else is reading, found that another run is. Wait for it (`run.result()`), stop it "
                "(`run.cancel()`), or load the model a second time."
            )
        _lent.update(modules)
    before = _ours.set(_ours.get() | modules)
    try:
        yield
    finally:
        _ours.reset(before)
        with _guard:
            _lent.difference_update(modules)
