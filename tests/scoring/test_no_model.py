"""What people hand in where a model is expected is named in a short sentence, and the line in it works as it stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.linear_model
import sklearn.pipeline
import sklearn.svm
import torch
import transformers
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import cross_val_predict
from tiny_models import LABELS, TEXTS, tiny

import loss_widget as lw
from loss_widget.errors import InputError, ModelError

DATA = pd.DataFrame({"text": TEXTS * 2, "label": [LABELS[i % 3] for i in range(len(TEXTS) * 2)]})
X = np.random.default_rng(0).normal(size=(len(DATA), 4))


@pytest.fixture
def known(tmp_path: Path) -> dict[str, Any]:
    """What the lines of advice speak of; the model has a name, so that its tokenizer is found beside it."""
    model, tokenizer = tiny("bert")
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    return {
        "lw": lw,
        "np": np,
        "cross_val_predict": cross_val_predict,
        "CalibratedClassifierCV": CalibratedClassifierCV,
        "BertForSequenceClassification": transformers.BertForSequenceClassification,
        "data": DATA,
        "X": X,
        "name": str(tmp_path),
        "names": LABELS,
        "model": model,
        "tokenizer": tokenizer,
        "weights": model.state_dict(),
    }


def trainer(known: dict[str, Any]) -> Any:
    arguments = transformers.TrainingArguments(known["name"], use_cpu=True, report_to=[])
    known["trainer"] = transformers.Trainer(known["model"], arguments, processing_class=known["tokenizer"])
    return known["trainer"]


def pipeline(known: dict[str, Any]) -> Any:
    known["pipe"] = transformers.pipeline("text-classification", known["model"], tokenizer=known["tokenizer"], device="cpu")
    return known["pipe"]


def wrapper(known: dict[str, Any]) -> Any:
    known["model"] = torch.nn.DataParallel(known["model"])
    return known["model"]


def estimator(known: dict[str, Any]) -> Any:
    known["model"] = sklearn.linear_model.LogisticRegression().fit(X, DATA["label"])
    return known["model"]


def estimator_of_ids(known: dict[str, Any]) -> Any:
    known["data"] = DATA.assign(label=[LABELS.index(label) for label in DATA["label"]])
    known["model"] = sklearn.linear_model.LogisticRegression().fit(X, known["data"]["label"])
    return known["model"]


def estimator_of_texts(known: dict[str, Any]) -> Any:
    steps = CountVectorizer(), sklearn.linear_model.LogisticRegression()
    known["model"] = sklearn.pipeline.make_pipeline(*steps).fit(DATA["text"], DATA["label"])
    return known["model"]


def keras_model(known: dict[str, Any]) -> Any:
    class Sequential:
        __module__ = "keras.src.models.sequential"

        def predict(self, x: Any) -> Any:
            return np.full((len(x), 3), 1 / 3, dtype=np.float32)

    known["model"] = Sequential()
    return known["model"]


def sentence_encoder(known: dict[str, Any]) -> Any:
    class SentenceTransformer(torch.nn.Sequential):
        __module__ = "sentence_transformers.SentenceTransformer"

    class Transformer(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.auto_model = known["model"].bert

    known["model"] = SentenceTransformer(Transformer())
    known["model"].tokenizer = known["tokenizer"]
    return known["model"]


ADVICE: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (trainer, "a Trainer"),
    (pipeline, r"a pipeline \(TextClassificationPipeline\)"),
    (wrapper, r"a wrapper \(DataParallel\)"),
    (estimator, r"an estimator \(LogisticRegression\)"),
    (estimator_of_ids, r"an estimator \(LogisticRegression\)"),
    (estimator_of_texts, r"an estimator \(Pipeline\)"),
    (keras_model, "a Keras model"),
    (sentence_encoder, "a SentenceTransformer, an encoder"),
    (lambda known: transformers.BertForSequenceClassification, "a class"),
    (lambda known: known["model"].config, r"a config \(BertConfig\)"),
    (lambda known: known["tokenizer"], "a tokenizer"),
]


@pytest.mark.filterwarnings("ignore:.*the labels in the order", "ignore:.*far better")
@pytest.mark.parametrize("judge", [lw.score, lw.cross_score])
@pytest.mark.parametrize(("make", "found"), ADVICE)
def test_the_advice_works(make: Callable[[dict[str, Any]], Any], found: str, judge: Any, known: dict[str, Any]) -> None:
    thing = make(known)
    with pytest.raises(ModelError, match=f"found {found}") as refusal:
        judge(known["data"], thing, tokenizer=known["tokenizer"])
    said = str(refusal.value)
    assert len(said) < 320
    [line] = re.findall("`([^`]+)`", said)
    assert line.startswith(("lw.Scores.from_probs(", "lw.cross_score(", f"lw.{judge.__name__}("))
    if line.startswith("lw.c"):
        line = line[:-1] + ", folds=2)"
    scores = eval(line, known)
    assert len(scores) == len(DATA)
    assert np.isfinite(scores.losses).all()


@pytest.mark.parametrize(
    ("thing", "found"),
    [
        (None, "None"),
        (lambda texts: texts, "function"),
        (3, "int"),
        (torch.nn.Linear(2, 2), "Linear"),
        (DATA, "DataFrame"),
    ],
)
def test_probabilities_will_do_for_anything_else(thing: Any, found: str, known: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=f"found {found}") as refusal:
        lw.score(DATA, thing)
    known["probs"] = np.full((len(DATA), 3), 1 / 3)
    [line] = re.findall("`([^`]+)`", str(refusal.value))
    assert len(eval(line, known)) == len(DATA)


def test_weights_alone_belong_into_a_model(known: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"found weights without a model.*`model\.load_state_dict\(weights\)`"):
        lw.score(DATA, known["weights"])
    known["model"].load_state_dict(known["weights"])
    assert len(lw.score(DATA, known["model"], progress=False)) == len(DATA)


def test_an_estimator_without_probabilities_gets_some(known: dict[str, Any]) -> None:
    known["model"] = sklearn.svm.LinearSVC().fit(X, DATA["label"])
    with pytest.raises(ModelError, match="an estimator without probabilities") as refusal:
        lw.score(DATA, known["model"])
    [line] = re.findall("`([^`]+)`", str(refusal.value))
    calibrated = eval(line, known).fit(X, DATA["label"])
    with pytest.raises(ModelError, match="predict_proba"):
        lw.score(DATA, calibrated)


def test_a_list_is_taken_apart(known: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"found a tuple\. Pass the model alone"):
        lw.score(DATA, (known["model"], known["tokenizer"]))


@pytest.mark.parametrize("judge", [lw.score, lw.cross_score])
@pytest.mark.parametrize("whole", [True, False])
def test_a_model_without_its_weights_is_refused(whole: bool, judge: Any, known: dict[str, Any]) -> None:
    model = known["model"]
    (model if whole else model.bert.encoder.layer[1]).to("meta")
    with pytest.raises(ModelError, match=r"found .*weight on the device meta: empty.*from_pretrained"):
        judge(DATA, model, tokenizer=known["tokenizer"])


@pytest.mark.parametrize("device", ["mps", "meta", "auto", "gpu", -1, ""])
def test_a_device_that_is_not_here_is_told_in_short(device: Any, known: dict[str, Any]) -> None:
    if device == "mps" and torch.backends.mps.is_available():
        return
    with pytest.raises(InputError, match="Expected a device that this machine has") as refusal:
        lw.score(DATA, known["model"], device=device)
    assert len(str(refusal.value)) < 150
    assert "`device=None`" in str(refusal.value)
    assert len(lw.score(DATA, known["model"], device=None, progress=False)) == len(DATA)


def test_one_output_is_no_choice_of_labels(known: dict[str, Any]) -> None:
    model, tokenizer = tiny("bert", labels=["score"])
    with pytest.raises(ModelError, match=r"found a regression model .*num_labels=1") as refusal:
        lw.score(DATA, model, tokenizer=tokenizer)
    known["data"] = DATA[DATA["label"] != "business"]
    known["p"], known["names"] = np.full(len(known["data"]), 0.25), ["world", "sport"]
    line = re.findall("`([^`]+)`", str(refusal.value))[-1]
    assert len(eval(line, known)) == len(known["data"])
