"""The stock engine: any transformers model as it is, in padded batches."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from loss_widget.errors import ModelError
from loss_widget.scoring.engine.autocast import NarrowTypes
from loss_widget.scoring.engine.batches import Padding, absent_id, by_length, padded
from loss_widget.scoring.engine.memory import is_out_of_memory
from loss_widget.scoring.engine.tokens import Tokens

TOLERANCE = 1e-4
"""How far a row may move when it is batched before the batches are made plainer."""

_PROBE_ROWS = 8
Read = Callable[[Any, Any], Any]
"""(the model's output, the mask of its input) → a tensor of one row of numbers for each example."""


def read_logits(output: Any, mask: Any) -> Any:
    """(batch, labels) float32 logits of a sequence classifier."""
    logits = output.logits if hasattr(output, "logits") else output[0]
    if logits.ndim != 2 or logits.shape[0] != mask.shape[0]:
        raise ModelError(
            f"Expected logits of shape (batch, labels) from a sequence classifier, found {tuple(logits.shape)}. "
            "Token classifiers and language models are not supported; pass a sequence classifier."
        )
    return logits.float()


def read_mean_pooled(output: Any, mask: Any) -> Any:
    """(batch, width) float32: the mean of the last hidden states over the real tokens."""
    hidden = output.last_hidden_state if hasattr(output, "last_hidden_state") else output[0]
    weights = mask[..., None].to(hidden.dtype)  # (batch, tokens, 1)
    return ((hidden * weights).sum(1) / weights.sum(1)).float()


class StockEngine:
    """A borrowed model read in padded batches; without a mask where all rows of a batch are equally long.

    `batching` says how: "padded"; or, after `choose_batching` has compared a few rows read alone and together, "equal lengths"
    for a head that minds its padding and "one by one" for one that minds its neighbours. `narrowest`: the type that numbers
    pass through, where it is narrower than float32; looked for in the first batch.
    """

    name = "stock"
    side_by_side = False  # models keep state while they read

    def __init__(self, model: Any, read: Read, *, padding: Padding) -> None:
        self._read = read
        self._padding = padding
        self._model = model
        self._unpadded_config: Any = None
        if padding.token_id is None:
            # A head without a padding token refuses batches. It gets one on a shallow copy with a config of its own:
            # the weights are shared, the user's config is never touched.
            self._model = copy.copy(model)
            self._model.config = copy.deepcopy(model.config)
            self._unpadded_config = self._model.config
        parameters = inspect.signature(model.forward).parameters
        self._takes_types = "token_type_ids" in parameters or _wraps_one_that_takes_types(model, parameters)
        types, mask = parameters.get("token_type_ids"), parameters.get("attention_mask")
        self._needs_types = types is not None and types.default is inspect.Parameter.empty
        self._mask_may_go = mask is not None and mask.default is None
        self._extra = {"use_cache": False} if "use_cache" in parameters else {}
        self.device = next(iter(model.parameters())).device
        self.batching = "padded"
        self.narrowest = ""
        self._watched = False

    def with_model(self, model: Any) -> StockEngine:
        """This engine, batching and all, for another copy of the model."""
        engine = StockEngine(model, self._read, padding=self._padding)
        engine.batching, engine.narrowest, engine._watched = self.batching, self.narrowest, True
        return engine

    def read(self, tokens: Tokens, batch: np.ndarray) -> Any:
        """(batch, numbers) float32 tensor on the model's device for those rows of `tokens`."""
        import torch

        padding = self._padding
        if self._unpadded_config is not None:
            padding = replace(padding, token_id=absent_id(tokens.ids_of(batch)))
            config = self._unpadded_config
            text_config = config.get_text_config() if hasattr(config, "get_text_config") else config
            text_config.pad_token_id = padding.token_id if len(batch) > 1 else None
        arrays = padded(tokens, batch, padding)
        if not self._takes_types:
            arrays.pop("token_type_ids", None)
        elif self._needs_types:
            arrays.setdefault("token_type_ids", np.zeros_like(arrays["input_ids"]))
        whole = bool(arrays["attention_mask"].all())
        inputs = {name: on_device(torch.from_numpy(array), self.device) for name, array in arrays.items()}
        mask = inputs["attention_mask"]
        if whole and self._mask_may_go:
            del inputs["attention_mask"]
        if self._watched:
            return self._read(self._model(**inputs, **self._extra), mask)
        with NarrowTypes() as narrow:
            found = self._read(self._model(**inputs, **self._extra), mask)
        self.narrowest, self._watched = narrow.narrowest, True
        return found

    def choose_batching(self, tokens: Tokens, rows: np.ndarray) -> None:
        """Compare a few of `rows` read alone and together, and set `batching` to the largest batches that leave them alone."""
        if len(rows) < 2:
            return
        order = by_length(tokens.lengths, rows)
        lengths = tokens.lengths
        shorter = order[len(order) // 2 :]
        spread = shorter[np.linspace(0, len(shorter) - 1, min(_PROBE_ROWS, len(shorter))).astype(int)]
        sizes, counts = np.unique(lengths[shorter], return_counts=True)
        alike = shorter[lengths[shorter] == sizes[counts.argmax()]][: _PROBE_ROWS // 2]
        for name, probe in (("padded", np.unique(spread)), ("equal lengths", alike)):
            if name == "padded" and len(probe) < 2:
                return
            if len(probe) >= 2 and self._batch_agrees(tokens, probe):
                self.batching = name
                return
        self.batching = "one by one"

    def _batch_agrees(self, tokens: Tokens, rows: np.ndarray) -> bool:
        try:
            together = self.read(tokens, rows).cpu().numpy()
            return bool(rows_agree(together, self.one_by_one(tokens, rows), within=TOLERANCE).all())
        except Exception as error:
            if isinstance(error, ModelError):
                raise
            return is_out_of_memory(error)

    def one_by_one(self, tokens: Tokens, rows: np.ndarray) -> np.ndarray:
        """(rows, numbers) float32: each row read alone, the plainest pass there is."""
        return np.concatenate([np.asarray(self.read(tokens, rows[i : i + 1]).cpu().numpy()) for i in range(len(rows))])


def rows_agree(found: np.ndarray, plain: np.ndarray, *, within: float) -> np.ndarray:
    """(rows,) bool: equal within that, absolute below 1 and relative above. Rows that are not finite in both are not judged."""
    judged = np.isfinite(plain).all(axis=1) & np.isfinite(found).all(axis=1)
    with np.errstate(invalid="ignore"):
        close = np.abs(found - plain) <= within * np.maximum(1.0, np.abs(plain))
    return np.asarray(close.all(axis=1) | ~judged)


def on_device(array: Any, device: Any) -> Any:
    """A CPU tensor on `device`; on CUDA it is copied while the GPU computes."""
    if device.type != "cuda":
        return array.to(device)
    return array.pin_memory().to(device, non_blocking=True)


def padding_for(model: Any, tokenizer: Any) -> Padding:
    """The padding that this model itself looks for: its config's token before the tokenizer's, on the right but for XLNet.

    Decoder heads read the right-most token that is not `config.pad_token_id`, RoBERTa counts positions by it.
    """
    config = model.config.get_text_config() if hasattr(model.config, "get_text_config") else model.config
    token_id = getattr(config, "pad_token_id", None)
    if token_id is not None and token_id < 0:
        token_id = None
    left = getattr(config, "model_type", "") == "xlnet"
    return Padding(token_id, int(getattr(tokenizer, "pad_token_type_id", 0) or 0), left)


def _wraps_one_that_takes_types(model: Any, parameters: Mapping[str, inspect.Parameter]) -> bool:
    """PEFT's models hand `**kwargs` on to the model inside."""
    if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values()) or not hasattr(model, "get_base_model"):
        return False
    return "token_type_ids" in inspect.signature(model.get_base_model().forward).parameters
