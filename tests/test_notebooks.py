"""The notebooks that we ship run as they stand, and are stored without outputs and widget state."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
DATA = Path(__file__).parents[2] / "shared" / "data"

GRID = "application/vnd.jupyter.widget-view+json"
WHAT_THE_SESSION_HOLDS = """
import json
changes = widget.changes[["index", "verdict", "old_label", "new_label"]].astype(str)
print(json.dumps({"summary": widget.summary(), "changes": changes.to_dict("records"),
                  "accuracy": scores.provenance["accuracy"], "in_sample": scores.provenance["in_sample"]}))
"""


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_a_stored_notebook_holds_no_outputs_and_no_widget_state(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.timeout(900)
def test_the_quickstart_runs_to_its_end(tmp_path: Path) -> None:
    for name in ("data", "models"):
        shutil.copytree(NOTEBOOKS / name, tmp_path / name)
    outputs = run("quickstart.ipynb", tmp_path)

    assert GRID in outputs["grid"][-1]["data"]
    assert "3,080 rows" in printed(outputs["classifier"])

    given = pd.read_csv(tmp_path / "data" / "banking77" / "train.csv")
    corrected = pd.read_parquet(tmp_path / "banking77-corrected.parquet")
    assert list(corrected.columns) == list(given.columns)
    assert (corrected["text"] == given["text"]).all()
    assert (corrected["category"] != given["category"]).sum() == 1


@pytest.mark.timeout(900)
def test_the_emotion_story_ends_in_a_corrected_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = pd.read_csv(shared("emotion", monkeypatch) / "val.txt", sep=";")
    outputs = run("emotion.ipynb", tmp_path, then=WHAT_THE_SESSION_HOLDS)

    held = json.loads(printed(outputs["then"]))
    assert held["accuracy"] > 0.75
    assert held["in_sample"] is False
    assert held["summary"]["rows"] == len(given) == 2000
    assert held["summary"]["reviewed"] == len(held["changes"]) > 5
    assert GRID in outputs["grid"][-1]["data"]
    assert "image/png" in outputs["plot"][-1]["data"]

    corrected = pd.read_parquet(tmp_path / "emotion-corrected.parquet")
    expected = given["label_name"].copy()
    for change in held["changes"]:
        assert given["label_name"][int(change["index"])] == change["old_label"]
        if change["verdict"] == "relabel":
            expected[int(change["index"])] = change["new_label"]
    left = [row for row in given.index if str(row) not in removed(held["changes"])]
    assert list(corrected.columns) == ["text", "label"]
    assert corrected["text"].tolist() == given["text"][left].tolist()
    assert corrected["label"].astype(str).tolist() == expected[left].tolist()
    assert (expected != given["label_name"]).sum() == held["summary"]["relabel"] > 0


@pytest.mark.timeout(900)
def test_the_ag_news_story_goes_out_as_json_lines_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared("agnews", monkeypatch)
    outputs = run("ag_news.ipynb", tmp_path, then=WHAT_THE_SESSION_HOLDS)

    held = json.loads(printed(outputs["then"]))
    assert held["accuracy"] > 0.8
    assert held["summary"]["rows"] == 5000
    assert "image/png" in outputs["plot"][-1]["data"]
    assert GRID in outputs["grid"][-1]["data"]

    reviewed = pd.read_json(tmp_path / "ag_news-reviewed.jsonl", lines=True)
    corrected = pd.read_json(tmp_path / "ag_news-corrected.jsonl", lines=True)
    gone = removed(held["changes"])
    assert len(reviewed) == held["summary"]["reviewed"] - len(gone)
    assert len(corrected) == 5000 - len(gone)
    assert sorted(reviewed["verdict"]) == sorted(change["verdict"] for change in held["changes"] if change["verdict"] != "remove")
    changed = reviewed[reviewed["label"] != reviewed["original_label"]]
    assert len(changed) == held["summary"]["relabel"] > 0
    now = corrected.set_index("text")["label"]
    assert (now[changed["text"]].to_numpy() == changed["label"].to_numpy()).all()

    assert GRID in outputs["theirs"][-1]["data"], "the tutorial's file opens in the grid"
    said = printed(outputs["axis"])
    assert "the softmax was taken over the batch" in said
    assert "5,000" in said.split("over the labels:")[1]
    assert outputs["count"][-1]["data"]["text/plain"] == "(499, 500)"


def test_a_story_takes_data_and_model_from_where_their_names_lead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of a dataset's or model's name comes before the hub: the code for the hub runs, without a network."""
    import datasets
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    import loss_widget as lw

    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=EMOTIONS)})
    for split, rows in (("train", 12), ("validation", 6)):
        made = datasets.Dataset.from_dict(
            {"text": [f"i feel {EMOTIONS[row % 6]} {row}" for row in range(rows)], "label": [row % 6 for row in range(rows)]},
            features=features,
        )
        (tmp_path / "dair-ai" / "emotion").mkdir(parents=True, exist_ok=True)
        made.to_parquet(tmp_path / "dair-ai" / "emotion" / f"{split}.parquet")
    tiny = NOTEBOOKS / "models" / "banking77-tiny-bert"
    unnamed = AutoModelForSequenceClassification.from_pretrained(tiny, num_labels=6, ignore_mismatched_sizes=True)
    model = tmp_path / "bhadresh-savani" / "distilbert-base-uncased-emotion"
    unnamed.save_pretrained(model)
    AutoTokenizer.from_pretrained(tiny).save_pretrained(model)

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(NOTEBOOKS)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.delenv("LOSS_WIDGET_DATA", raising=False)
    import stories

    story = stories.emotion()
    assert list(story.data.columns) == list(story.train.columns) == ["text", "label"]
    assert story.data["label"].cat.categories.tolist() == EMOTIONS
    scores = lw.score(story.data, story.model, in_sample=False, progress=False)
    assert scores.label_names == EMOTIONS
    assert scores.given_ids.tolist() == list(range(6))

    monkeypatch.setenv("LOSS_WIDGET_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="LOSS_WIDGET_DATA"):
        stories.ag_news()


def test_the_classifier_made_on_the_spot_is_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.syspath_prepend(NOTEBOOKS)
    from classifier import fine_tune

    texts = [f"{'a calm sea' if row % 2 else 'a loud quarrel'} {row}" for row in range(64)]
    before = torch.get_rng_state()
    first, second = (fine_tune(texts, [row % 2 for row in range(64)], ["loud", "calm"], epochs=10) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert not first.training
    assert first.config.id2label == {0: "loud", 1: "calm"}
    for name, weights in first.state_dict().items():
        assert torch.equal(weights, second.state_dict()[name]), name

    import loss_widget as lw

    unseen = pd.DataFrame({"text": ["calm sea", "loud quarrel"], "label": ["calm", "loud"]})
    assert (lw.score(unseen, first, progress=False).frame["loss"] < 0.5).all()


EMOTIONS = ["sadness", "joy", "love", "anger", "fear", "surprise"]


def shared(name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a dataset that may not be shipped, told to the notebooks; or a skip."""
    if not (DATA / name).is_dir():
        pytest.skip(f"{name} may not be shipped; put its files in ../shared/data/{name} to run this")
    monkeypatch.setenv("LOSS_WIDGET_DATA", str(DATA))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # on busy cores torch's threads wait for each other, and two were slower than one
    return DATA / name


def run(name: str, folder: Path, *, then: str = "") -> dict[str, list[Any]]:
    """The outputs of each code cell of a notebook that was run to its end in `folder`; `then` is one more cell of that name."""
    from nbclient import NotebookClient

    for script in NOTEBOOKS.glob("*.py"):
        shutil.copy(script, folder)
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(then, id="then"))
    NotebookClient(notebook, timeout=800, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}


def printed(outputs: list[Any]) -> str:
    return "".join(output.get("text", "") for output in outputs if output.get("name") != "stderr")


def removed(changes: list[dict[str, str]]) -> set[str]:
    return {change["index"] for change in changes if change["verdict"] == "remove"}
