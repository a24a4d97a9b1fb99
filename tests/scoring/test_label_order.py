"""A wrong order of many labels is told by the shipped model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from loss_widget import score
from loss_widget.errors import LabelMismatch

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MODEL = str(NOTEBOOKS / "models" / "banking77-tiny-bert")


@pytest.fixture(scope="module")
def banking() -> pd.DataFrame:
    return pd.read_csv(NOTEBOOKS / "data" / "banking77" / "test.csv").rename(columns={"category": "label"})


def test_permuted_ids_of_77_labels_are_refused(banking):
    names, ids = np.unique(banking["label"], return_inverse=True)
    order = np.random.default_rng(0).permutation(len(names))
    with pytest.raises(LabelMismatch, match=r"if the labels were read as .* … and "):
        score(banking.assign(label=order[ids]), MODEL, progress=False)


def test_permuted_names_in_the_config_of_77_labels_warn(banking):
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(MODEL)
    names = list(model.config.id2label.values())
    model.config.id2label = dict(enumerate(names[1:] + names[:1]))
    with pytest.warns(UserWarning, match="The names match, so they are believed"):
        score(banking, model, tokenizer=AutoTokenizer.from_pretrained(MODEL), progress=False)
