"""lw.score: a labelled dataset and a model in, Scores out; on the project's own classifier."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import transformers
from tiny_models import LABELS, PAIRS, TEXTS, byte_pairs, plain_log_probs, tiny, wordpiece

from loss_widget.scores.scores import Scores
from loss_widget.scoring import Scorer, score
from loss_widget.scoring.models import longest_input


def labelled(**more: Any) -> pd.DataFrame:
    return pd.DataFrame({"text": TEXTS, "label": [LABELS[i % 3] for i in range(len(TEXTS))], **more})


def quiet(data: Any, family: str = "bert", **more: Any) -> Scores:
    model, tokenizer = tiny(family)
    return score(data, model, tokenizer=tokenizer, progress=False, **more)


def test_losses_are_those_of_the_given_labels() -> None:
    model, tokenizer = tiny("bert")
    plain = plain_log_probs(model, tokenizer, TEXTS)
    scores = quiet(labelled())
    ids = np.arange(len(TEXTS)) % 3
    np.testing.assert_allclose(scores.losses, -plain[np.arange(len(TEXTS)), ids], atol=1e-5)
    assert scores.label_names == LABELS
    assert scores.frame["predicted_label"].tolist() == [LABELS[i] for i in plain.argmax(axis=1)]


def test_any_kind_of_data_reads_alike() -> None:
    frame = labelled()
    kinds = [
        frame,
        pl.from_pandas(frame),
        pa.Table.from_pandas(frame),
        datasets.Dataset.from_pandas(frame),
        frame.to_dict("records"),
    ]
    losses = [quiet(data).losses for data in kinds]
    for other in losses[1:]:
        np.testing.assert_array_equal(other, losses[0])


def test_the_data_is_not_modified() -> None:
    frame = labelled(split="train")
    before = frame.copy(deep=True)
    quiet(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_pairs_of_texts() -> None:
    model, tokenizer = tiny("roberta")
    frame = labelled().rename(columns={"text": "premise"}).assign(hypothesis=PAIRS)
    scores = quiet(frame, "roberta", text=("premise", "hypothesis"))
    plain = plain_log_probs(model, tokenizer, TEXTS, PAIRS)
    np.testing.assert_allclose(scores.log_probs, plain, atol=1e-5, rtol=0)


def test_names_match_whatever_their_case_and_order() -> None:
    frame = labelled()
    plain = quiet(frame).losses
    shouted = frame.assign(label=frame["label"].str.upper() + " ")
    np.testing.assert_array_equal(quiet(shouted).losses, plain)
    coded = datasets.Dataset.from_pandas(frame).cast_column("label", datasets.ClassLabel(names=sorted(LABELS)))
    np.testing.assert_array_equal(quiet(coded).losses, plain)


def test_a_label_map_translates() -> None:
    frame = labelled()
    german = dict(zip(["Welt", "Sport", "Wirtschaft"], LABELS, strict=True))
    in_german = frame.assign(label=frame["label"].map({v: k for k, v in german.items()}))
    np.testing.assert_array_equal(quiet(in_german, label_map=german).losses, quiet(frame).losses)


def test_rows_without_a_label_or_a_text_are_kept() -> None:
    frame = labelled()
    frame["label"] = frame["label"].astype(object)
    frame.loc[1, "label"] = None
    frame["text"] = frame["text"].astype(object)
    frame.loc[2, "text"] = None
    scores = quiet(frame)
    assert np.isnan(scores.losses[1])
    assert np.isfinite(np.delete(scores.losses, 1)).all()
    assert "no label" in scores.frame["score_note"][1]
    assert "missing" in scores.frame["score_note"][2]
    np.testing.assert_array_equal(scores.log_probs[2], scores.log_probs[3])  # "" itself


def test_provenance_says_where_the_numbers_came_from(classifier_folder: Path) -> None:
    data = [{"text": "My card has not arrived", "label": "card_arrival"}]
    made = score(data, classifier_folder, progress=False, in_sample=True, max_length=10).provenance
    expected = {
        "model": "models/banking77-tiny-bert",
        "engine": "packed",
        "precision": "exact (float32)",
        "device": "cpu",
        "max_length": 10,
        "rows": 1,
        "in_sample": True,
        "accuracy": 1.0,
    }
    assert {name: made[name] for name in expected} == expected
    assert len(made["weights_sha256"]) == 64
    assert made["seconds"] > 0
    assert made["created"].startswith("20")
    assert {"torch", "transformers", "tokenizers"} <= set(made["versions"])
    assert str(Path.home()) not in str(made)


def test_the_shipped_classifier_judges_the_test_rows(classifier_folder: Path, banking_test: pd.DataFrame) -> None:
    scores = score(banking_test, classifier_folder, progress=False)
    assert scores.provenance["accuracy"] == pytest.approx(0.866, abs=0.005)
    np.testing.assert_allclose(scores.probs.sum(axis=1), 1.0, atol=1e-5)
    assert not scores.frame["truncated"].all()
    assert np.isfinite(scores.losses).all()


def test_a_name_a_path_and_the_model_itself_give_the_same(classifier: Any, classifier_folder: Path) -> None:
    texts = ["My card has not arrived", "How do I top up?"]
    from_path = Scorer(classifier_folder)(texts).log_probs
    np.testing.assert_array_equal(Scorer(str(classifier_folder))(texts).log_probs, from_path)
    np.testing.assert_array_equal(Scorer(classifier)(texts).log_probs, from_path)


def test_the_bar_shows_rows_a_second_and_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    model, tokenizer = tiny("bert")
    score(labelled(), model, tokenizer=tokenizer)
    shown = capsys.readouterr().err
    assert "8 of 8 rows" in shown
    assert "rows/s" in shown
    assert "left" in shown
    score(labelled(), model, tokenizer=tokenizer, progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("family", "tokenizer", "asked", "limit"),
    [
        ("bert", wordpiece(), None, 128),
        ("bert", wordpiece(), 20, 20),
        ("roberta", byte_pairs("roberta"), None, 128),  # 130 positions, two of which are never a token's; the tokenizer says 1e30
        ("gpt2", byte_pairs("gpt2"), None, 128),
        ("xlnet", byte_pairs("roberta"), None, 512),  # neither knows a limit
    ],
)
def test_the_length_is_what_the_model_can_read(family: str, tokenizer: Any, asked: int | None, limit: int) -> None:
    assert longest_input(tiny(family)[0], tokenizer, asked) == limit


def test_a_length_beyond_the_model_is_cut_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="max_length=999 is more than this model can read; 128 tokens are used"):
        assert quiet(labelled(), max_length=999).provenance["max_length"] == 128


def test_a_long_text_is_truncated_and_flagged() -> None:
    for family in ("roberta", "gpt2"):
        scores = quiet([{"text": "market " * 10_000, "label": "world"}, {"text": "goals", "label": "sport"}], family)
        assert scores.frame["truncated"].tolist() == [True, False]
        assert scores.frame["tokens"].iloc[0] == 128


def test_unknown_tokens_are_counted() -> None:
    scores = quiet([{"text": "goals 文 文", "label": "world"}])
    assert scores.frame["unknown_tokens"].tolist() == [2]


def test_an_old_style_output_is_read() -> None:
    model, tokenizer = tiny("bert")
    plain = plain_log_probs(model, tokenizer, TEXTS)
    model.config.return_dict = False
    np.testing.assert_allclose(Scorer(model, tokenizer=tokenizer)(TEXTS).log_probs, plain, atol=1e-5)


def test_importing_the_scorer_imports_no_torch() -> None:
    program = "import sys, loss_widget.scoring; sys.exit(any(m in sys.modules for m in ('torch', 'transformers', 'sklearn')))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_nothing_is_pickled_from_a_file(classifier_folder: Path) -> None:
    assert [p.name for p in classifier_folder.iterdir() if p.suffix in (".bin", ".pt", ".pkl")] == []
    assert isinstance(transformers.AutoTokenizer.from_pretrained(classifier_folder), transformers.PreTrainedTokenizerFast)
