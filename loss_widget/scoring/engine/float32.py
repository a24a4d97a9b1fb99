"""Whole float32: torch's faster kinds of it, which round what they multiply to 8 or 11 bits, are off while a model is read."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

_WHOLE = ("highest", False, "ieee", "none")
"""What float32 in full is called, by one setting or another."""

_lock = threading.Lock()
_before: dict[str, Any] = {}
"""The settings that were found, while another is in force."""

_readers = 0


@contextlib.contextmanager
def whole_float32() -> Iterator[None]:
    """float32 as IEEE 754 has it, whatever `torch.set_float32_matmul_precision` or `fp32_precision` say; afterwards as they were.

    The settings are the process's own: other threads compute in full meanwhile, too.
    """
    global _readers
    with _lock:
        _readers += 1
        _insist()
    try:
        yield
    finally:
        with _lock:
            _readers -= 1
            if not _readers:
                _put_back()


def insist() -> None:
    """Within `whole_float32`: whole again, if another thread has asked for less. It gets that at the end."""
    with _lock:
        if _readers:
            _insist()


class _Setting(NamedTuple):
    """`get` raises RuntimeError where torch's older and newer settings were mixed; then the newer one tells."""

    get: Callable[[], Any]
    put: Callable[[Any], None]
    whole: str | bool


def _settings() -> dict[str, _Setting]:
    """By name: torch's older settings, then the newer ones from the general to the particular, as far as this torch has them."""
    import torch

    found = {
        "older, products": _Setting(torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest"),
        "older, convolutions": _attribute(torch.backends.cudnn, "allow_tf32", False),
    }
    for path in ("", "mkldnn", "cuda.matmul", "mkldnn.matmul", "cudnn.conv", "mkldnn.conv"):
        owner: Any = torch.backends
        for name in filter(None, path.split(".")):
            owner = getattr(owner, name, None)
        if hasattr(owner, "fp32_precision"):
            found[path] = _attribute(owner, "fp32_precision", "ieee")
    return found


def _attribute(owner: Any, name: str, whole: str | bool) -> _Setting:
    return _Setting(partial(getattr, owner, name), partial(setattr, owner, name), whole)


def _insist() -> None:
    settings = _settings()
    found = {name: _read(setting) for name, setting in settings.items()}
    less = {name: value for name, value in found.items() if value not in (None, *_WHOLE)}
    if not less:
        return
    _before.update(less if _before else found)
    for setting in settings.values():
        if _read(setting) not in (None, *_WHOLE):  # one may have changed another
            setting.put(setting.whole)


def _put_back() -> None:
    settings = _settings()
    for name, value in _before.items():
        if value not in (None, _read(settings[name])):
            settings[name].put(value)
    _before.clear()


def _read(setting: _Setting) -> Any:
    try:
        return setting.get()
    except RuntimeError:
        return None
