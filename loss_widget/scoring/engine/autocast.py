"""Mixed precision that was put on a model: taken off while it is read, and measured where it cannot be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import MethodType
from typing import Any


@contextlib.contextmanager
def without_autocast(model: Any) -> Iterator[None]:
    """Take off what `Accelerator.prepare(model)` and a Trainer with `bf16=True` leave on a model; afterwards it is as it was.

    They replace `model.forward` by one that computes in half precision and returns float32, and nothing but that attribute tells.
    A `torch.autocast` that somebody put around a module's `forward` goes, too; one that the class itself is written with stays.
    """
    found = [(module, vars(module)["forward"]) for module in model.modules() if "forward" in vars(module)]
    plain = [(module, forward, _plain(module, forward)) for module, forward in found]
    changed = [(module, forward, inside) for module, forward, inside in plain if inside is not forward]
    try:
        for module, _, inside in changed:
            if inside is None:
                del module.forward
            else:
                module.forward = inside
        yield
    finally:
        for module, forward, _ in changed:
            module.forward = forward


_PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "linear", "convolution", "_scaled")
"""How the names of the operators begin that multiply matrices: where half precision costs digits. Other operators may be half by
design, as Falcon's positions are."""


class NarrowTypes:
    """A context that watches the matrix products of this thread, and knows afterwards which were narrower than float32.

    It does not matter who asked for that: an autocast in the model's own code, a hook, a cast.

    >>> import torch
    >>> with NarrowTypes() as narrow:
    ...     product = torch.ones(2, 2).bfloat16() @ torch.ones(2, 2).bfloat16()
    >>> narrow.narrowest
    'bfloat16'
    """

    def __init__(self) -> None:
        self._bytes: dict[str, int] = {}
        self._watching = contextlib.ExitStack()

    @property
    def narrowest(self) -> str:
        """The narrowest of them by name, "" where there was none."""
        return min(self._bytes, key=self._bytes.__getitem__, default="")

    def __enter__(self) -> NarrowTypes:
        from torch.utils._python_dispatch import TorchDispatchMode

        seen = self._seen

        class Watch(TorchDispatchMode):
            def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                found = operator(*args, **(kwargs or {}))
                seen(operator, found)
                return found

        self._watching.enter_context(Watch())
        return self

    def __exit__(self, *exception: object) -> None:
        self._watching.close()

    def _seen(self, operator: Any, found: Any) -> None:
        if operator.namespace == "quantized":
            self._bytes["8-bit integers"] = 1
        if not operator.__name__.startswith(_PRODUCTS):
            return
        for value in found if isinstance(found, (tuple, list)) else (found,):
            dtype = getattr(value, "dtype", None)
            if dtype is not None and dtype.is_floating_point and dtype.itemsize < 4:
                self._bytes[str(dtype).removeprefix("torch.")] = dtype.itemsize


def _plain(module: Any, forward: Any) -> Any:
    """The forward inside the wrappers that only change the precision; None where that is the class's own."""
    bound = isinstance(forward, MethodType)
    inside = forward.__func__ if bound else forward
    while _changes_only_precision(inside):
        inside = inside.__wrapped__
    if inside is (forward.__func__ if bound else forward):
        return forward
    if getattr(inside, "__func__", inside) is type(module).forward:
        return None
    return MethodType(inside, module) if bound else inside


def _changes_only_precision(function: Any) -> bool:
    """Whether it was made by `torch.autocast(…)` as a decorator, or by accelerate to return float32."""
    made_in = type(function).__module__ if not hasattr(function, "__globals__") else function.__globals__["__name__"]
    return hasattr(function, "__wrapped__") and made_in in ("torch.amp.autocast_mode", "accelerate.utils.operations")
