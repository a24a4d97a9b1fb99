"""LossRecorder: what a real Trainer's model made of every row after each epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from easy_texts import easy
from tiny_models import TEXTS, plain_log_probs, tiny
from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments

import loss_widget as lw
from loss_widget.errors import ColumnError, InputError, LabelMismatch, ModelError

NAMES = ["money", "sport"]
WRONG = [10, 33, 47, 90]


def noisy() -> pd.DataFrame:
    frame = easy(120)
    frame["label"] = frame["label"].where(~frame.index.isin(WRONG), frame["label"].map({"money": "sport", "sport": "money"}))
    return frame


def classifier() -> tuple[Any, Any]:
    model, tokenizer = tiny("bert")
    torch.manual_seed(0)
    model.classifier = torch.nn.Linear(model.config.hidden_size, 2)
    model.num_labels = model.config.num_labels = 2
    model.config.id2label, model.config.label2id = dict(enumerate(NAMES)), {name: i for i, name in enumerate(NAMES)}
    return model, tokenizer


def train(model: Any, tokenizer: Any, frame: pd.DataFrame, folder: Path, *callbacks: TrainerCallback, epochs: int = 4) -> None:
    rows = [
        {**tokenizer(text, truncation=True), "labels": NAMES.index(label)}
        for text, label in zip(frame["text"], frame["label"], strict=True)
        if label in NAMES
    ]
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        learning_rate=5e-3,
        per_device_train_batch_size=8,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=DataCollatorWithPadding(tokenizer),
        processing_class=tokenizer,
        callbacks=list(callbacks),
    )
    trainer.train()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> lw.LossRecorder:
    model, tokenizer = classifier()
    recorder = lw.LossRecorder(noisy(), progress=False)
    train(model, tokenizer, noisy(), tmp_path_factory.mktemp("run"), recorder)
    return recorder


def test_wrong_labels_have_the_lowest_margins(recorded: lw.LossRecorder) -> None:
    scores = recorded.scores()
    by_margin = scores.frame["aum"].to_numpy().argsort()
    assert set(WRONG) <= set(by_margin[:8].tolist())
    assert scores.provenance["in_sample"] is True
    assert scores.provenance["epochs"] == 4


def test_columns_are_what_the_papers_define(recorded: lw.LossRecorder) -> None:
    frame, losses, margins = recorded.scores().frame, recorded.losses, recorded.margins
    assert losses.shape == margins.shape == (4, 120)
    np.testing.assert_allclose(frame["aum"], margins.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(frame["mean_loss"], losses.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(frame["loss_std"], losses.std(axis=0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(frame["correctness"], (margins > 0).mean(axis=0))
    np.testing.assert_array_equal(frame["loss"], losses[-1])


def test_each_epoch_is_the_plain_pass_of_the_model_at_its_end(tmp_path: Path) -> None:
    model, tokenizer = classifier()
    frame = noisy()
    codes = np.array([NAMES.index(label) for label in frame["label"]])
    plain: list[np.ndarray] = []

    class Plain(TrainerCallback):
        def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            model.eval()
            plain.append(-plain_log_probs(model, tokenizer, frame["text"].tolist())[np.arange(len(codes)), codes])
            model.train()

    recorder = lw.LossRecorder(frame, progress=False)
    train(model, tokenizer, frame, tmp_path, Plain(), recorder, epochs=2)
    np.testing.assert_allclose(recorder.losses, np.stack(plain), atol=1e-4)


def test_training_is_what_it_is_without_the_recorder(tmp_path: Path) -> None:
    with_it, tokenizer = classifier()
    without, _ = classifier()
    train(with_it, tokenizer, noisy(), tmp_path, lw.LossRecorder(noisy(), progress=False), epochs=2)
    train(without, tokenizer, noisy(), tmp_path, epochs=2)
    for (name, one), (_, other) in zip(with_it.named_parameters(), without.named_parameters(), strict=True):
        assert torch.equal(one, other), name


def test_saved_scores_keep_the_columns_and_exports_leave_them_out(recorded: lw.LossRecorder, tmp_path: Path) -> None:
    scores = lw.Scores.load(recorded.scores().save(tmp_path / "scores.parquet"))
    assert {"aum", "mean_loss", "loss_std", "correctness"} <= set(scores.columns)
    pd.testing.assert_frame_equal(scores.frame, recorded.scores().frame)
    session = lw.ReviewSession(scores, journal=None)
    assert session.corrected().columns.tolist() == ["text", "label"]
    first = session.page(lw.Query(sort="aum", descending=False, limit=8))
    assert set(WRONG) <= {row.row for row in first.rows}


def test_training_again_begins_anew(recorded: lw.LossRecorder, tmp_path: Path) -> None:
    model, tokenizer = classifier()
    recorder = lw.LossRecorder(noisy(), progress=False)
    for epochs in (2, 1):
        train(model, tokenizer, noisy(), tmp_path, recorder, epochs=epochs)
        assert recorder.losses.shape == (epochs, 120)


def test_rows_without_a_label_have_no_margin(tmp_path: Path) -> None:
    model, tokenizer = classifier()
    frame = noisy()
    frame["label"] = frame["label"].astype(object)
    frame.loc[5, "label"] = None
    recorder = lw.LossRecorder(frame, progress=False)
    train(model, tokenizer, frame, tmp_path, recorder, epochs=1)
    own = recorder.scores().frame
    assert own.loc[5, ["loss", "aum", "mean_loss", "loss_std", "correctness"]].isna().all()
    assert own.drop(index=5)[["aum", "mean_loss", "loss_std", "correctness"]].notna().all(axis=None)


def test_what_cannot_be_recorded_is_refused_before_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Expected an epoch that has ended, found none"):
        lw.LossRecorder(noisy()).scores()
    with pytest.raises(ColumnError, match="'aum'"):
        lw.LossRecorder(noisy().assign(aum=0.0))
    model, tokenizer = classifier()
    before = model.classifier.weight.detach().clone()
    strange = lw.LossRecorder(noisy().assign(label=lambda frame: "my " + frame["label"]), progress=False)
    with pytest.raises(LabelMismatch):
        train(model, tokenizer, noisy(), tmp_path, strange)
    with pytest.raises(InputError, match="Expected labels to record"):
        train(model, tokenizer, noisy(), tmp_path, lw.LossRecorder(noisy().assign(label=None), progress=False))
    assert torch.equal(model.classifier.weight, before)


def test_a_multi_label_model_is_refused() -> None:
    model, tokenizer = tiny("bert")
    model.config.problem_type = "multi_label_classification"
    recorder = lw.LossRecorder(pd.DataFrame({"text": TEXTS, "label": "sport"}))
    state = type("State", (), {"is_world_process_zero": True})()
    with pytest.raises(ModelError, match="one label a row to record, found a multi-label one"):
        recorder.on_train_begin(None, state, None, model=model, processing_class=tokenizer)
