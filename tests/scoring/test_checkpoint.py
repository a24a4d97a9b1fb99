"""Finished work lands on disk as it is done; the same call resumes; another run is never mixed in."""

from __future__ import annotations

import copy
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_models import LABELS, TEXTS, tiny
from tokenizers import normalizers

from loss_widget.errors import InputError
from loss_widget.scoring import Scorer, score

MANY = [f"{text} {i}" for i in range(6) for text in TEXTS]


class Stop(Exception):
    pass


def stop_after(batches: int) -> Any:
    seen: list[int] = []

    def on_rows(rows: np.ndarray, log_probs: np.ndarray) -> None:
        seen.append(len(rows))
        if len(seen) == batches:
            raise Stop

    return on_rows


def scorer(**config: Any) -> Scorer:
    model, tokenizer = tiny("bert", **config)
    return Scorer(model, tokenizer=tokenizer, token_budget=200)


def test_the_same_call_resumes_where_it_was_stopped(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    whole = scorer()(MANY).log_probs
    with pytest.raises(Stop):
        scorer()(MANY, checkpoint=path, on_rows=stop_after(3))
    read: list[int] = []
    resumed = scorer()(MANY, checkpoint=path, on_rows=lambda rows, _: read.extend(rows.tolist()))
    assert 0 < resumed.provenance["resumed_rows"] == len(MANY) - len(read)
    np.testing.assert_allclose(resumed.log_probs, whole, atol=1e-6, rtol=0)


def test_a_finished_run_is_not_computed_again(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    first = scorer()(MANY, checkpoint=path)
    again = scorer()(MANY, checkpoint=path, on_rows=stop_after(1))
    assert again.provenance["resumed_rows"] == len(MANY)
    np.testing.assert_array_equal(again.log_probs, first.log_probs)


def test_notes_survive(tmp_path: Path) -> None:
    model, tokenizer = tiny("gpt2")
    read = Scorer(model, tokenizer=tokenizer)
    first = read(TEXTS, checkpoint=tmp_path / "c")
    assert first.notes
    assert read(TEXTS, checkpoint=tmp_path / "c").notes == first.notes


def test_ctrl_c_keeps_what_was_done(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"

    def interrupt(rows: np.ndarray, log_probs: np.ndarray) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scorer()(MANY, checkpoint=path, on_rows=interrupt)
    assert scorer()(MANY, checkpoint=path).provenance["resumed_rows"] > 0


def test_changed_texts_weights_and_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    scorer()(MANY, checkpoint=path)
    with pytest.raises(InputError, match="another value of: texts"):
        scorer()(MANY[::-1], checkpoint=path)
    with pytest.raises(InputError, match="another value of: weights"):
        scorer(seed=1)(MANY, checkpoint=path)
    changed = scorer()
    with torch.no_grad():
        changed.model.classifier.bias[0] += 1e-3
    with pytest.raises(InputError, match="another value of: weights"):
        changed(MANY, checkpoint=path)
    model, tokenizer = tiny("bert")
    with pytest.raises(InputError, match="another value of: max_length"):
        Scorer(model, tokenizer=tokenizer, max_length=12)(MANY, checkpoint=path)
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.backend_tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    with pytest.raises(InputError, match="another value of: tokenizer"):
        Scorer(model, tokenizer=tokenizer)(MANY, checkpoint=path)
    with pytest.raises(InputError, match="another value of: label names"):
        scorer(labels=["a", "b", "c"])(MANY, checkpoint=path)
    assert scorer()(MANY, checkpoint=path).provenance["resumed_rows"] == len(MANY)


def test_weights_of_another_type_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    scorer()(MANY, checkpoint=path)
    half = scorer()
    half.model.to(torch.bfloat16)
    with pytest.raises(InputError, match="another value of: weights"):
        half(MANY, checkpoint=path)


@pytest.mark.parametrize(("before", "after"), [("exact", "fast"), ("fast", "exact")])
def test_another_precision_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str) -> None:
    monkeypatch.setattr("loss_widget.scoring.scorer.why_exact", lambda *_: "")
    model, tokenizer = tiny("bert")

    def run(precision: str) -> None:
        Scorer(model, tokenizer=tokenizer, precision=precision)(
            MANY, checkpoint=tmp_path / "c", loss_of=lambda rows, log_probs: -log_probs[:, 0]
        )

    run(before)
    with pytest.raises(InputError, match="another value of: precision"):
        run(after)


@pytest.mark.filterwarnings("ignore:Expected the labels in the order")
def test_changed_labels_are_no_other_run(tmp_path: Path) -> None:
    model, tokenizer = tiny("bert")
    frame = pd.DataFrame({"text": MANY, "label": [LABELS[i % 3] for i in range(len(MANY))]})
    quiet = {"tokenizer": tokenizer, "progress": False, "checkpoint": tmp_path / "c"}
    score(frame, model, **quiet)
    frame["label"] = LABELS[0]
    scores = score(frame, model, **quiet)
    assert scores.provenance["resumed_rows"] == len(MANY)
    np.testing.assert_allclose(scores.losses, -scores.log_probs[:, 0])


def test_files_of_others_are_refused_and_left_alone(tmp_path: Path) -> None:
    text, database = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("my notes, long enough to be no header of a database at all")
    with sqlite3.connect(database) as other:
        other.execute("CREATE TABLE finished (x)")
    other.close()
    for path in (text, database):
        before = path.read_bytes()
        with pytest.raises(InputError, match="Expected a checkpoint of ours"):
            scorer()(MANY, checkpoint=path)
        assert path.read_bytes() == before


def test_bad_paths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found a directory"):
        scorer()(MANY, checkpoint=tmp_path)
    with pytest.raises(InputError, match="found no folder"):
        scorer()(MANY, checkpoint=tmp_path / "nowhere" / "c")
