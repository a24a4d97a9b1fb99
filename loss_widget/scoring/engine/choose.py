"""Which engine reads a model: the packed one where it gives the stock model's numbers, else the stock one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from loss_widget.errors import InputError, ModelError
from loss_widget.scoring.engine.batches import by_length
from loss_widget.scoring.engine.forward import Engine
from loss_widget.scoring.engine.memory import available_bytes, is_out_of_memory
from loss_widget.scoring.engine.packed import NotPacked, PackedModel, bytes_needed
from loss_widget.scoring.engine.stock import StockEngine, on_device, rows_agree
from loss_widget.scoring.engine.tokens import Tokens

ENGINES = ("auto", "stock", "packed")
AGREES_WITHIN = 1e-4
_CHECK_ROWS = 64
_MOST_OF_MEMORY = 0.5
Activation = Callable[[Any], Any]
"""(batch, labels) logits → (batch, labels) log-probabilities."""

_checked: dict[tuple[str, str], tuple[int, str]] = {}
"""What self-checks found, by what is known of the model and by the device: the longest row that was checked; "" or the reason."""


@dataclass
class PackedEngine:
    """A model's weights in the packed forward; rows follow each other without padding."""

    model: PackedModel
    activation: Activation
    device: Any
    name: str = "packed"
    batching: str = "packed"
    narrowest: str = ""
    side_by_side: bool = True

    def read(self, tokens: Tokens, batch: np.ndarray) -> Any:
        """(batch, labels) float32 tensor of log-probabilities."""
        import torch

        ids = on_device(torch.from_numpy(tokens.ids_of(batch).astype(np.int64)), self.device)
        kinds = tokens.types_of(batch)
        types = None if kinds is None else on_device(torch.from_numpy(kinds.astype(np.int64)), self.device)
        return self.activation(self.model(ids, types, tokens.lengths[batch]))


def choose_engine(
    stock: StockEngine, model: Any, tokens: Tokens, activation: Activation, *, known_as: str, asked: str = "auto"
) -> tuple[Engine, str]:
    """The packed engine and "", or the stock engine and the reason in words. float32, whatever comes later.

    `model`: the borrowed model that `stock` reads. The packed engine must give the stock model's log-probabilities, row by row,
    within 1e-4 on 64 of the rows; what the check found is remembered by `known_as`, and later only longer rows are checked.
    `asked="packed"`: `ModelError` with the reason instead of the stock engine.
    """
    if asked not in ENGINES:
        raise InputError(f"Expected engine to be one of {', '.join(map(repr, ENGINES))}, found {asked!r}.")
    everything = np.arange(len(tokens))
    reason = "asked for" if asked == "stock" else ""
    if not reason:
        try:
            engine = PackedEngine(_packed(model), activation, stock.device)
            reason = _self_check(engine, stock, tokens, (known_as, str(stock.device)))
        except NotPacked as refusal:
            reason = str(refusal)
    if not reason:
        return engine, ""
    if asked == "packed":
        raise ModelError(f'Expected a model that the packed engine can read, found: {reason}. Leave out `engine="packed"`.')
    stock.choose_batching(tokens, everything)
    return stock, reason


def _packed(model: Any) -> PackedModel:
    import torch

    needed, free = bytes_needed(model, torch.float32), available_bytes(next(iter(model.parameters())).device)
    if free is not None and needed > _MOST_OF_MEMORY * free:
        raise NotPacked(f"a packed copy of the weights takes {needed / 1e9:.1f} GB of the {free / 1e9:.1f} GB that are free")
    return PackedModel.of(model)


def _self_check(engine: PackedEngine, stock: StockEngine, tokens: Tokens, known_as: tuple[str, str]) -> str:
    """ "" where the engines agree on 64 rows of all the lengths that were not checked yet, else what was found."""
    checked_to, reason = _checked.get(known_as, (0, ""))
    longer = by_length(tokens.lengths, np.flatnonzero(tokens.lengths > checked_to))
    if reason or not len(longer):
        return reason
    rows = longer[np.unique(np.linspace(0, len(longer) - 1, min(_CHECK_ROWS, len(longer))).astype(int))]
    try:
        found, plain = _read_in_eights(engine, tokens, rows), _read_in_eights(stock, tokens, rows)
        if found.shape == plain.shape:
            # The stock model itself may answer otherwise for rows that it reads together: alone is what counts.
            for i in np.flatnonzero(~_same_rows(found, plain)):
                plain[i] = stock.one_by_one(tokens, rows[i : i + 1])[0]
    except Exception as error:
        if is_out_of_memory(error):
            return "too little memory for its self-check"
        return f"its self-check failed ({type(error).__name__}: {error})"
    if found.shape != plain.shape or (np.isfinite(found) != np.isfinite(plain)).any():
        reason = "its self-check gave other rows than the stock model"
    elif not _same_rows(found, plain).all():
        reason = f"its self-check differs from the stock model by {np.nanmax(np.abs(found - plain)):.1e}"
    if reason or checked_to or len(rows) == _CHECK_ROWS:
        _checked[known_as] = (int(tokens.lengths[longer[0]]), reason)
    return reason


def _same_rows(found: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """(rows,) bool."""
    as_finite = (np.isfinite(found) == np.isfinite(plain)).all(axis=1)
    return as_finite & rows_agree(found, plain, within=AGREES_WITHIN)


def _read_in_eights(engine: Engine, tokens: Tokens, rows: np.ndarray) -> np.ndarray:
    """(rows, labels) float32: eight rows of about one length at a time; one alone would leave the processor waiting."""
    parts = np.split(rows, np.arange(8, len(rows), 8))
    return np.concatenate([np.asarray(engine.read(tokens, part).cpu().numpy()) for part in parts])


def rough_engine(engine: Engine, model: Any, stock: StockEngine, activation: Activation) -> Engine:
    """The same engine on a copy of the weights in bfloat16. `model`: the borrowed model that `stock` reads."""
    import torch

    if isinstance(engine, PackedEngine):
        return PackedEngine(PackedModel.of(model, dtype=torch.bfloat16), activation, engine.device)
    return stock.with_model(copy.deepcopy(model).to(torch.bfloat16))
