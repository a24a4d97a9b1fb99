"""Data and classifier of the two stories: from the Hugging Face hub, or from a folder of files and a model made on the spot.

The environment variable `LOSS_WIDGET_DATA` names the folder, and then the hub is not asked. In it: `emotion/train.txt` and
`emotion/val.txt` (a header, then `text;label_name`), `agnews/test.csv` (class 1 to 4, title, description; no header).
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from classifier import fine_tune

FOLDER = "LOSS_WIDGET_DATA"
EMOTIONS = ["sadness", "joy", "love", "anger", "fear", "surprise"]
TOPICS = ["World", "Sports", "Business", "Sci/Tech"]


@dataclass(frozen=True)
class Story:
    """Rows to judge, a classifier that was not trained on them, and rows that it may have been trained on.

    Both frames have a column `text` and a categorical column `label`; the index of `data` is the row of its file or split.
    """

    data: pd.DataFrame
    train: pd.DataFrame
    model: Any


def emotion(*, learn_from: int = 10_000) -> Story:
    """Tweets in six emotions (Saravia et al. 2018): the 2,000 of the validation split, as in *NLP with Transformers*."""
    folder = _folder("emotion")
    if folder is None:
        return _from_hub("dair-ai/emotion", "validation", "bhadresh-savani/distilbert-base-uncased-emotion")
    train, data = (_emotion_file(folder / name) for name in ("train.txt", "val.txt"))
    unseen = train[~train["text"].isin(data["text"])]
    return Story(data, train, _fine_tuned(unseen.sample(learn_from, random_state=0)))


def ag_news(*, learn_from: int = 2_600) -> Story:
    """News in four topics (Zhang et al. 2015): the test split, less what a model made on the spot had to be trained on."""
    folder = _folder("agnews")
    if folder is None:
        return _from_hub("fancyzhx/ag_news", "test", "andi611/distilbert-base-uncased-ner-agnews")
    table = pd.read_csv(folder / "test.csv", header=None, names=["class", "title", "description"])
    label = pd.Categorical.from_codes(table["class"] - 1, TOPICS)
    news = pd.DataFrame({"text": table["title"] + " " + table["description"], "label": label})
    train = news.sample(learn_from, random_state=0)
    return Story(news.drop(train.index), train, _fine_tuned(train, epochs=2))


def _folder(name: str) -> Path | None:
    named = os.environ.get(FOLDER)
    if not named:
        return None
    folder = Path(named).expanduser() / name
    if not folder.is_dir():
        raise FileNotFoundError(
            f"Expected a folder {name!r} in {named}, which {FOLDER} names, found none. "
            f"Put the files there, or unset {FOLDER} to use the Hugging Face hub."
        )
    return folder


def _emotion_file(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, sep=";", quoting=csv.QUOTE_NONE)
    return pd.DataFrame({"text": table["text"], "label": pd.Categorical(table["label_name"], EMOTIONS)})


def _fine_tuned(rows: pd.DataFrame, *, epochs: int = 1) -> Any:
    label = rows["label"].cat
    return fine_tune(rows["text"].tolist(), label.codes.tolist(), list(label.categories), epochs=epochs)


def _from_hub(dataset: str, split: str, model: str) -> Story:
    from datasets import load_dataset
    from transformers import AutoModelForSequenceClassification

    try:
        splits = load_dataset(dataset)
        classifier = AutoModelForSequenceClassification.from_pretrained(model)
    except OSError as error:
        raise ConnectionError(
            f"Expected {dataset!r} and {model!r} from the Hugging Face hub, found no way to them. Go online, or name a folder "
            f"with the files in the environment variable {FOLDER} (notebooks/stories.py says which)."
        ) from error
    names = splits[split].features["label"].names
    if all(name.startswith("LABEL_") for name in classifier.config.id2label.values()):
        classifier.config.id2label = dict(enumerate(names))  # it was trained on this dataset, in its order
        classifier.config.label2id = {name: label_id for label_id, name in enumerate(names)}
    data, train = (_with_names(splits[part].to_pandas(), names) for part in (split, "train"))
    return Story(data, train, classifier.eval())


def _with_names(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return frame.assign(label=pd.Categorical.from_codes(frame["label"], names))[["text", "label"]]
