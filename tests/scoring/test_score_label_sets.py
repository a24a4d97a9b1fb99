"""lw.score on multi-label models: a set of labels a row, each label a question of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_models import FAMILIES, LABELS, TEXTS, tiny

from loss_widget.errors import ColumnError, LabelError, LabelMismatch, LossWidgetError
from loss_widget.scores.multi_label import MultiLabelScores
from loss_widget.scores.scores import Scores
from loss_widget.scoring import Scorer, score

SETS = [["world"], ["sport", "world"], [], None, ["business"], LABELS, [], ["sport"]]
ON = np.array([[0 if s is None else name in s for name in LABELS] for s in SETS], dtype=float)
GIVEN = np.array([s is not None for s in SETS])
MULTI = "multi_label_classification"


def labelled(sets: list[Any] = SETS) -> pd.DataFrame:
    return pd.DataFrame({"text": TEXTS, "label": sets})


def judged(data: Any, family: str = "bert", **more: Any) -> MultiLabelScores:
    model, tokenizer = tiny(family, problem_type=MULTI)
    scores = score(data, model, tokenizer=tokenizer, progress=False, **more)
    assert isinstance(scores, MultiLabelScores)
    return scores


def plain_losses(family: str) -> np.ndarray:
    """(n, labels) binary cross-entropies row by row, as a user would compute them."""
    model, tokenizer = tiny(family, problem_type=MULTI)
    rows = []
    for text, on in zip(TEXTS, ON, strict=True):
        encoded = tokenizer([text], return_tensors="pt")
        if encoded["input_ids"].shape[1] == 0:
            encoded = {"input_ids": torch.tensor([[tokenizer.bos_token_id]]), "attention_mask": torch.tensor([[1]])}
        with torch.no_grad():
            logits = model(**encoded).logits[0]
        each = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.tensor(on).float(), reduction="none")
        rows.append(each.numpy())
    return np.where(GIVEN[:, None], np.stack(rows), np.nan)


@pytest.mark.parametrize("family", FAMILIES)
def test_losses_are_the_binary_cross_entropies_of_a_plain_pass(family: str) -> None:
    scores = judged(labelled(), family)
    plain = plain_losses(family)
    np.testing.assert_allclose(scores.label_losses, plain, atol=1e-5)
    np.testing.assert_allclose(scores.losses, plain.mean(axis=1), atol=1e-5)
    assert scores.log_probs.dtype == np.float32
    assert scores.label_names == LABELS
    assert scores.frame["predicted_label"].tolist() == [[LABELS[j] for j in np.flatnonzero(row)] for row in scores.probs > 0.5]


def test_names_ids_and_vectors_are_judged_alike() -> None:
    by_name = judged(labelled())
    ids = [None if s is None else [LABELS.index(name) for name in s] for s in SETS]
    vectors = [None if s is None else [float(name in s) for name in LABELS] for s in SETS]
    for sets in (ids, vectors):
        scores = judged(labelled(sets))
        np.testing.assert_array_equal(scores.losses, by_name.losses)
        assert type(scores.frame["predicted_label"].iloc[0][0]) is type(sets[0][0])


def test_a_jsonl_file_and_rows_without_any_set(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    labelled().to_json(path, orient="records", lines=True)
    np.testing.assert_array_equal(judged(path).losses, judged(labelled()).losses)
    unlabelled = judged(labelled([None] * len(TEXTS)))
    assert np.isnan(unlabelled.losses).all()
    assert np.isfinite(unlabelled.log_probs).all()
    assert unlabelled.provenance["accuracy"] is None


def test_provenance_tells_how_often_the_whole_set_is_right() -> None:
    scores = judged(labelled())
    same = ((scores.probs > 0.5) == ON).all(axis=1)[GIVEN]
    assert scores.provenance["accuracy"] == round(float(same.mean()), 4)
    assert 0 <= scores.provenance["micro_f1"] <= 1


def test_ids_in_another_order_than_the_models_stop_the_run() -> None:
    model, tokenizer = tiny("bert", problem_type=MULTI)
    words = ["market", "coach", "minister", "oil", "peace", "goals", "winter", "bank"]
    frame = pd.DataFrame({"text": [f"{a} {b} {c}" for a in words for b in words for c in words]})
    best = Scorer(model, tokenizer=tokenizer)(frame["text"].tolist()).log_probs.argmax(axis=1)
    right = score(frame.assign(label=[[i] for i in best]), model, tokenizer=tokenizer, progress=False)
    assert isinstance(right, MultiLabelScores)
    with pytest.raises(LabelMismatch, match="if the labels were read as"):
        score(frame.assign(label=[[(i + 1) % 3] for i in best]), model, tokenizer=tokenizer, progress=False)


def test_one_label_a_row_and_sets_are_not_taken_for_each_other() -> None:
    model, tokenizer = tiny("bert")
    with pytest.raises(LabelError, match=r"one label a row.*found lists .*problem_type"):
        score(labelled(), model, tokenizer=tokenizer)
    model, tokenizer = tiny("bert", problem_type=MULTI)
    with pytest.raises(LabelError, match="this is a multi-label model, found single labels, the first is 'world' in row 0"):
        score(labelled([LABELS[i % 3] for i in range(len(TEXTS))]), model, tokenizer=tokenizer)
    with pytest.raises(ColumnError, match=r"'worst_label'.*rename"):
        score(labelled().assign(worst_label="mine"), model, tokenizer=tokenizer)


def test_a_checkpoint_of_another_kind_of_model_is_not_mixed_in(tmp_path: Path) -> None:
    model, tokenizer = tiny("bert")
    path = tmp_path / "checkpoint"
    score(labelled(["world"] * len(TEXTS)), model, tokenizer=tokenizer, progress=False, checkpoint=path)
    model.config.problem_type = MULTI
    with pytest.raises(LossWidgetError, match="kind of model"):
        score(labelled(), model, tokenizer=tokenizer, progress=False, checkpoint=path)


def test_fast_scores_of_sets_are_exact_where_a_reviewer_looks() -> None:
    data = pd.DataFrame({"text": TEXTS * 40, "label": SETS * 40})
    exact, fast = judged(data), judged(data, precision="fast")
    reached = np.argsort(-np.nan_to_num(exact.losses, nan=-1), kind="stable")[:100]
    np.testing.assert_allclose(fast.losses[reached], exact.losses[reached], atol=1e-5)


def test_saved_scores_come_back(tmp_path: Path) -> None:
    scores = judged(labelled())
    back = Scores.load(scores.save(tmp_path / "s.parquet"))
    pd.testing.assert_frame_equal(back.frame, scores.frame)
