"""Those who score: the loops of the book and of the tutorial, the libraries' own ways, ONNX Runtime, and ours.

Each is made once, untimed, of a model and its tokenizer, and is then called with a frame of `text` and `label` (names) for its
losses. What cannot run here raises `NotHere` with the reason.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import torch
from material import NAMES
from torch.nn.functional import cross_entropy
from transformers import DataCollatorWithPadding

import loss_widget as lw
from loss_widget.scoring.precision import has_bfloat16

Contestant = Callable[[pd.DataFrame], np.ndarray]
"""Rows → (n,) float32 losses, in their order."""

ONNX_TOKENS = 2_048


class NotHere(Exception):
    """A contestant that cannot run on this machine, and why."""


def book(model: Any, tokenizer: Any) -> Contestant:
    """*Natural Language Processing with Transformers*, chapter 2: everything padded to the longest of all, 16 rows at a time."""

    def forward(rows: dict[str, Any]) -> dict[str, Any]:
        inputs = {name: value for name, value in rows.items() if name in tokenizer.model_input_names}
        with torch.no_grad():
            logits = model(**inputs).logits
        loss = cross_entropy(logits, rows["label"], reduction="none")
        return {"loss": loss.cpu().numpy(), "predicted_label": logits.argmax(dim=-1).cpu().numpy()}

    def losses(frame: pd.DataFrame) -> np.ndarray:
        data = _dataset(frame)
        data = data.map(lambda rows: tokenizer(rows["text"], padding=True, truncation=True), batched=True, batch_size=None)
        data.set_format("torch", columns=[*(name for name in tokenizer.model_input_names if name in data.column_names), "label"])
        data = data.map(forward, batched=True, batch_size=16)
        data.set_format("pandas")
        return data[:]["loss"].to_numpy()

    return losses


def tutorial(model: Any, tokenizer: Any) -> Contestant:
    """Rubrix, "Finding label errors with a loss": `Dataset.map` in dataset order, 32 rows padded to their longest.

    Its softmax is taken over the right axis here, so that losses can be compared.
    """
    collator = DataCollatorWithPadding(tokenizer=tokenizer)

    def forward(rows: dict[str, Any]) -> dict[str, Any]:
        columns = [name for name in tokenizer.model_input_names if name in rows]
        batch = collator([{name: rows[name][i] for name in columns} for i in range(len(rows["label"]))])
        with torch.no_grad():
            logits = model(**batch).logits
        return {
            "loss": cross_entropy(logits, torch.tensor(rows["label"]), reduction="none").numpy(),
            "probabilities": torch.softmax(logits, dim=-1).numpy(),
        }

    def losses(frame: pd.DataFrame) -> np.ndarray:
        data = _dataset(frame).map(lambda rows: tokenizer(rows["text"], truncation=True), batched=True)
        return np.array(data.map(forward, batched=True, batch_size=32)["loss"], dtype=np.float32)

    return losses


def pipeline(model: Any, tokenizer: Any) -> Contestant:
    """transformers' `pipeline("text-classification")`, 32 rows at a time."""
    from transformers import pipeline as make_pipeline
    from transformers.pipelines.pt_utils import KeyDataset

    classify = make_pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")

    def losses(frame: pd.DataFrame) -> np.ndarray:
        texts = KeyDataset(_dataset(frame), "text")
        answers = classify(texts, batch_size=32, top_k=None, truncation=True, function_to_apply="none")
        logits = [{answer["label"]: answer["score"] for answer in row} for row in answers]
        return _losses(np.array([[row[name] for name in NAMES] for row in logits], dtype=np.float32), frame)

    return losses


def trainer(model: Any, tokenizer: Any) -> Contestant:
    """transformers' `Trainer.predict`, 32 rows at a time."""
    from transformers import Trainer, TrainingArguments

    folder = tempfile.TemporaryDirectory()
    try:
        arguments = TrainingArguments(
            output_dir=folder.name, per_device_eval_batch_size=32, report_to=[], use_cpu=True, disable_tqdm=True
        )
    except ImportError as error:
        raise NotHere("Trainer needs the package accelerate") from error

    def losses(frame: pd.DataFrame) -> np.ndarray:
        data = _dataset(frame).map(lambda rows: tokenizer(rows["text"], truncation=True), batched=True)
        judge = Trainer(model=model, args=arguments, data_collator=DataCollatorWithPadding(tokenizer), processing_class=tokenizer)
        return _losses(judge.predict(data).predictions, frame)

    return losses


def sorted_by_characters(model: Any, tokenizer: Any) -> Contestant:
    """As sentence-transformers does it: sorted by characters, 32 rows at a time, tokenized batch by batch."""

    def losses(frame: pd.DataFrame) -> np.ndarray:
        texts = frame["text"].tolist()
        order = np.argsort([-len(text) for text in texts], kind="stable")
        logits = np.empty((len(texts), len(NAMES)), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), 32):
                rows = order[start : start + 32]
                batch = tokenizer([texts[i] for i in rows], padding=True, truncation=True, return_tensors="pt")
                logits[rows] = model(**batch).logits.numpy()
        return _losses(logits, frame)

    return losses


def onnx(model: Any, tokenizer: Any) -> Contestant:
    """ONNX Runtime in float32 on batches as good as ours: sorted by tokens, 2,048 of them at a time."""
    try:
        import onnxruntime
        import onnxscript  # noqa: F401  (torch's exporter asks for it)
    except ImportError as error:
        raise NotHere(f"the package {error.name} is not installed") from error

    session = _exported(model, tokenizer, onnxruntime)
    names = [wanted.name for wanted in session.get_inputs()]

    def losses(frame: pd.DataFrame) -> np.ndarray:
        rows = tokenizer(frame["text"].tolist(), truncation=True)["input_ids"]
        logits = np.empty((len(rows), len(NAMES)), dtype=np.float32)
        for batch in _token_batches(np.array([len(row) for row in rows]), ONNX_TOKENS):
            padded = tokenizer.pad({"input_ids": [rows[i] for i in batch]}, return_tensors="np")
            inputs = {name: padded[name].astype(np.int64) for name in names}
            logits[batch] = session.run(None, inputs)[0]
        return _losses(logits, frame)

    return losses


def ours(engine: str, precision: str = "exact", *, threads: int | None = None) -> Callable[[Any, Any], Contestant]:
    """`lw.Scorer` with that engine and precision."""

    def make(model: Any, tokenizer: Any) -> Contestant:
        try:
            scorer = lw.Scorer(model, tokenizer=tokenizer, engine=engine, precision=precision, threads=threads)
            scorer(["a try"], loss_of=_loss_of(np.array([0])))
        except lw.errors.ModelError as error:
            raise NotHere(str(error)) from error
        if precision == "fast" and not has_bfloat16(scorer.device):
            raise NotHere("no bfloat16 here: the processor would compute it slower than float32")

        def losses(frame: pd.DataFrame) -> np.ndarray:
            loss_of = _loss_of(_label_ids(frame))
            found = scorer(frame["text"], loss_of=loss_of)
            return loss_of(np.arange(len(frame)), found.log_probs)

        return losses

    return make


def _exported(model: Any, tokenizer: Any, onnxruntime: Any) -> Any:
    """The model as a session of ONNX Runtime, on as many threads as torch has."""
    example = tokenizer(["one text", "and another, longer one"], padding=True, return_tensors="pt")
    names = [name for name in ("input_ids", "attention_mask") if name in example]
    dynamic = {name: {0: torch.export.Dim("rows"), 1: torch.export.Dim("tokens")} for name in names}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        program = torch.onnx.export(
            model, kwargs={name: example[name] for name in names}, dynamic_shapes=dynamic, dynamo=True, verbose=False
        )
        program.save(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _token_batches(lengths: np.ndarray, budget: int) -> Iterator[np.ndarray]:
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        batch = order[start : start + max(1, budget // lengths[order[start]])]
        yield batch
        start += len(batch)


def _dataset(frame: pd.DataFrame) -> datasets.Dataset:
    data = datasets.Dataset.from_pandas(frame, preserve_index=False)
    return data.cast_column("label", datasets.ClassLabel(names=NAMES))


def _label_ids(frame: pd.DataFrame) -> np.ndarray:
    return np.array([NAMES.index(name) for name in frame["label"]], dtype=np.int64)


def _losses(logits: np.ndarray, frame: pd.DataFrame) -> np.ndarray:
    return cross_entropy(torch.from_numpy(logits), torch.from_numpy(_label_ids(frame)), reduction="none").numpy()


def _loss_of(label_ids: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """What `lw.Scorer` wants to know with `precision="fast"`: (rows, log_probs) → losses."""
    return lambda rows, log_probs: -log_probs[np.arange(len(rows)), label_ids[rows]]
