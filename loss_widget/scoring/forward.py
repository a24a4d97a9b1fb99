"""The pass itself: batches of tokens through a model that is left as it was found, one row of numbers for each example."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from loss_widget.errors import ModelError
from loss_widget.scoring.batches import Padding, Tokens, absent_id, batch_at, by_length, padded
from loss_widget.scoring.threads import ThreadChoice

TOLERANCE = 1e-4
"""How far a row may move when it is batched before the batches are made plainer."""

_PROBE_ROWS = 8
Read = Callable[[Any, Any], Any]
OnBatch = Callable[[np.ndarray, np.ndarray, "dict[int, str]"], None]


@dataclass
class PassReport:
    """How a pass went: `batching` is "padded", "equal lengths" or "one by one"; `token_budget` as it was at the end."""

    batching: str
    token_budget: int
    out_of_memory: int = 0


def read_log_probs(output: Any, mask: Any) -> Any:
    """(batch, labels) float32 log-probabilities: log-softmax of the logits over the labels."""
    import torch

    logits = output.logits if hasattr(output, "logits") else output[0]
    if logits.ndim != 2 or logits.shape[0] != mask.shape[0]:
        raise ModelError(
            f"Expected logits of shape (batch, labels) from a sequence classifier, found {tuple(logits.shape)}. "
            "Token classifiers and language models are not supported; pass a sequence classifier."
        )
    return torch.log_softmax(logits.float(), dim=-1)


def read_mean_pooled(output: Any, mask: Any) -> Any:
    """(batch, width) float32: the mean of the last hidden states over the real tokens."""
    hidden = output.last_hidden_state if hasattr(output, "last_hidden_state") else output[0]
    weights = mask[..., None].to(hidden.dtype)  # (batch, tokens, 1)
    return ((hidden * weights).sum(1) / weights.sum(1)).float()


@contextlib.contextmanager
def borrowed(model: Any, *, device: Any) -> Iterator[Any]:
    """The model in evaluation mode on `device` in float32, without gradients; afterwards it is as it was.

    Half-precision weights are read through a float32 copy: their own losses depend on the shape of the batch. torch's number of
    threads is put back, too.
    """
    import torch

    modes = [(module, module.training) for module in model.modules()]
    parameters = [p for p in model.parameters() if p.is_floating_point()]
    home = parameters[0].device if parameters else torch.device("cpu")
    if getattr(model, "is_quantized", False):
        raise ModelError(
            "Expected weights that can be read as float32, found a quantised model. Load it without `quantization_config`."
        )
    half = any(p.dtype in (torch.float16, torch.bfloat16) for p in parameters)
    working = copy.deepcopy(model).float() if half else model
    spread = bool(getattr(model, "hf_device_map", None))
    threads_before = torch.get_num_threads()
    try:
        if not spread and device != home:
            working.to(device)
        working.eval()
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            yield working
    finally:
        if working is model and not spread and device != home:
            model.to(home)
        for module, training in modes:
            module.training = training
        torch.set_num_threads(threads_before)


class ForwardPass:
    """One pass of a borrowed model over tokens: `read` turns the model's output and the mask into a row of numbers each.

    A few rows are first read alone and in a batch. Where the two differ (a head that minds its neighbours or its padding), rows
    are batched by equal length, and where that differs too, one by one.
    """

    def __init__(
        self, model: Any, tokens: Tokens, read: Read, *, padding: Padding, token_budget: int, threads: int | None = None
    ) -> None:
        self._tokens = tokens
        self._read = read
        self._padding = padding
        self._model = model
        self._unpadded_config: Any = None
        if padding.token_id is None:
            # A head without a padding token refuses batches. It is told of one on a shallow copy with a config of its own:
            # the weights are shared, the user's config is never touched.
            self._model = copy.copy(model)
            self._model.config = copy.deepcopy(model.config)
            self._unpadded_config = self._model.config
        parameters = inspect.signature(model.forward).parameters
        self._takes_types = "token_type_ids" in parameters or _wraps_one_that_takes_types(model, parameters)
        self._extra = {"use_cache": False} if "use_cache" in parameters else {}
        self._device = next(iter(model.parameters())).device
        self._threads = ThreadChoice(threads if self._device.type == "cpu" else None)
        self.report = PassReport("padded", token_budget)

    def run(self, rows: np.ndarray, on_batch: OnBatch) -> PassReport:
        """Read `rows`, longest first; `on_batch(rows, values, notes)` after each batch, values NaN where there is no answer."""
        lengths = self._tokens.lengths
        order = by_length(lengths, rows)
        if len(order) > 1:
            self.report.batching = self._choose_batching(order)
        position = 0
        while position < len(order):
            batch = batch_at(
                position,
                order,
                lengths,
                token_budget=1 if self.report.batching == "one by one" else self.report.token_budget,
                equal=self.report.batching == "equal lengths",
            )
            try:
                with self._threads.timing(int(lengths[batch].sum())):
                    values, notes = self._values(batch)
            except Exception as error:
                if not _is_out_of_memory(error):
                    raise
                self._halve(batch, error)
                continue
            on_batch(batch, values, notes)
            position += len(batch)
        return self.report

    def _values(self, batch: np.ndarray) -> tuple[np.ndarray, dict[int, str]]:
        try:
            values = self._forward(batch)
        except Exception as error:
            if isinstance(error, ModelError) or _is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise ModelError(
                    f"Expected the model to read row {batch[0]} ({self._tokens.lengths[batch[0]]} tokens), found that it failed: "
                    f"{type(error).__name__}: {error}. Check that model and tokenizer belong together."
                ) from error
            values = np.concatenate([self._values(batch[i : i + 1])[0] for i in range(len(batch))])
        notes = {int(row): self._tokens.notes[int(row)] for row in batch if int(row) in self._tokens.notes}
        for i in np.flatnonzero(~np.isfinite(values).all(axis=1)):
            if len(batch) > 1:
                values[i] = self._forward(batch[i : i + 1])[0]
            if not np.isfinite(values[i]).all():
                values[i] = np.nan
                notes[int(batch[i])] = "the model gave no finite answer, also when the row was read alone"
        return values, notes

    def _forward(self, batch: np.ndarray) -> np.ndarray:
        import torch

        padding = self._padding
        if self._unpadded_config is not None:
            start, end = self._tokens.starts[batch], self._tokens.starts[batch + 1]
            used = np.concatenate([self._tokens.flat[a:b] for a, b in zip(start, end, strict=True)])
            padding = replace(padding, token_id=absent_id(used))
            config = self._unpadded_config
            text_config = config.get_text_config() if hasattr(config, "get_text_config") else config
            text_config.pad_token_id = padding.token_id if len(batch) > 1 else None
        arrays = padded(self._tokens, batch, padding)
        if not self._takes_types:
            arrays.pop("token_type_ids", None)
        inputs = {name: torch.from_numpy(array).to(self._device) for name, array in arrays.items()}
        output = self._model(**inputs, **self._extra)
        return np.asarray(self._read(output, inputs["attention_mask"]).cpu().numpy(), dtype=np.float32)

    def _halve(self, batch: np.ndarray, error: Exception) -> None:
        if len(batch) == 1:
            raise ModelError(
                f"Expected room for one row of {self._tokens.lengths[batch[0]]} tokens, found too little memory for it. "
                "Pass a smaller `max_length`, or another `device`."
            ) from error
        self.report.token_budget = (len(batch) // 2) * int(self._tokens.lengths[batch].max())
        self.report.out_of_memory += 1
        if self._device.type == "cuda":
            import torch

            torch.cuda.empty_cache()

    def _choose_batching(self, order: np.ndarray) -> str:
        lengths = self._tokens.lengths
        shorter = order[len(order) // 2 :]
        spread = shorter[np.linspace(0, len(shorter) - 1, min(_PROBE_ROWS, len(shorter))).astype(int)]
        sizes, counts = np.unique(lengths[shorter], return_counts=True)
        alike = shorter[lengths[shorter] == sizes[counts.argmax()]][: _PROBE_ROWS // 2]
        for name, probe in (("padded", np.unique(spread)), ("equal lengths", alike)):
            if len(probe) < 2 and name == "padded":
                return name
            if len(probe) >= 2 and self._batch_agrees(probe):
                return name
        return "one by one"

    def _batch_agrees(self, rows: np.ndarray) -> bool:
        try:
            together = self._forward(rows)
        except Exception as error:
            if isinstance(error, ModelError):
                raise
            return _is_out_of_memory(error)
        alone = np.concatenate([self._values(rows[i : i + 1])[0] for i in range(len(rows))])
        finite = np.isfinite(alone).all(axis=1) & np.isfinite(together).all(axis=1)
        apart = np.abs(together[finite] - alone[finite])
        return bool((apart <= TOLERANCE * np.maximum(1.0, np.abs(alone[finite]))).all())


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


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        sign in text for sign in ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
    )
