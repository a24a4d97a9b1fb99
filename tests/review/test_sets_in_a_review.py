"""Sets of labels open as a review that can be read, says why it is not more, and gives the data back unchanged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import loss_widget as lw
from loss_widget.data.examples import read_examples
from loss_widget.data.label_sets import LabelSets, align_label_sets
from loss_widget.errors import ReadOnly
from loss_widget.scores.multi_label import MultiLabelScores

NAMES = ["joy", "anger", "fear"]
SETS = [["joy"], ["anger", "fear"], [], None, ["fear", "anger"]]
PROBS = np.array([[0.9, 0.1, 0.1], [0.9, 0.8, 0.9], [0.4, 0.3, 0.2], [0.6, 0.1, 0.1], [0.1, 0.9, 0.9]])


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def judged(sets: list[Any] = SETS) -> MultiLabelScores:
    data = pd.DataFrame(
        {"text": ["yay", "grr", "hm", "?", "aargh"], "label": sets, "source": list("abcde")}, index=[3, 3, 4, 5, 6]
    )
    examples = read_examples(data, head="sigmoid")
    scores = lw.Scores.from_pass(examples, align_label_sets(examples.given, NAMES), np.log(PROBS))
    assert isinstance(scores, MultiLabelScores)
    return scores


def test_rows_are_sorted_by_loss_with_their_sets_as_joined_names() -> None:
    session = lw.ReviewSession(judged())
    rows = session.page().rows
    assert [row.row for row in rows] == [1, 2, 4, 0, 3]
    assert [row.given_label for row in rows] == ["anger, fear", "(none)", "anger, fear", "joy", None]
    assert [row.predicted_label for row in rows] == ["joy, anger, fear", "(none)", "anger, fear", "joy", "joy"]
    assert session.label_names == ["(none)", "anger, fear", "joy", "joy, anger, fear"]
    assert [row.row for row in session.page(lw.Query(disagreements=True)).rows] == [1]
    assert [row.row for row in session.page(lw.Query(given="anger, fear")).rows] == [1, 4]
    assert [row.row for row in session.page(lw.Query(unlabelled=True)).rows] == [3]


@pytest.mark.parametrize(
    "act",
    [
        lambda s: s.relabel(0, "anger"),
        lambda s: s.relabel(0, "anger, fear"),
        lambda s: s.keep(0),
        lambda s: s.remove([0, 1]),
        lambda s: s.note(0, "hm"),
        lambda s: s.undo(),
        lambda s: s.add_label("shame"),
    ],
)
def test_decisions_are_refused_with_the_reason(act: Any) -> None:
    session = lw.ReviewSession(judged())
    assert session.read_only == LabelSets.read_only
    with pytest.raises(ReadOnly, match="Sets of labels"):
        act(session)
    assert session.summary()["reviewed"] == 0
    assert not Path(".loss_widget").exists()


@pytest.mark.parametrize("sets", [SETS, [[0], [1, 2], [], None, [2, 1]], [[1, 0, 0], [0, 1, 1], [0, 0, 0], None, [0, 1, 1]]])
def test_the_data_come_back_unchanged(sets: list[Any], tmp_path: Path) -> None:
    scores = judged(sets)
    own = scores.frame[["text", "label", "source"]].copy()
    session = lw.ReviewSession(scores)
    assert session.df is scores.frame
    pd.testing.assert_frame_equal(session.corrected(), own)
    assert list(session.corrected(scores=True)) == list(scores.frame)
    assert session.corrected(audit=True)["original_label"].iloc[:3].tolist() == own["label"].iloc[:3].tolist()
    assert len(session.changes) == 0
    lines = session.export(tmp_path / "clean.jsonl").read_text().splitlines()
    assert [json.loads(line)["label"] for line in lines] == own["label"].tolist()
    assert session.to_dataset()["label"][:] == own["label"].tolist()


def test_an_earlier_review_of_the_same_texts_is_left_alone() -> None:
    frame = pd.DataFrame({"text": ["yay", "grr"], "label": ["joy", "joy"], "loss": [0.1, 2.0]})
    with lw.ReviewSession(frame, label_names=["joy", "anger, fear"]) as earlier:
        earlier.relabel(1, "anger, fear")
    session = lw.ReviewSession(judged())
    assert session.summary()["reviewed"] == 0
    assert session.journal is None
    with lw.ReviewSession(frame, label_names=["joy", "anger, fear"]) as again:
        again.keep(0)
        assert again.summary()["reviewed"] == 2


def test_the_grid_is_told_and_answers_pages() -> None:
    sent: list[dict[str, Any]] = []
    with lw.LossWidget(judged(), columns=["worst_label"]) as widget:
        assert widget.announcements.read_only == widget.snapshot["read_only"] == LabelSets.read_only
        assert widget.snapshot["label_names"] == ["(none)", "anger, fear", "joy", "joy, anger, fear"]
        widget.send = lambda content, buffers=None: sent.append(content)
        widget._handle_custom_msg({"v": 1, "rid": "a", "verb": "page", "args": {"query": {"limit": 2}}}, [])
        op = {"op_id": "o", "kind": "keep", "rows": [1], "from": None}
        widget._handle_custom_msg({"v": 1, "rid": "b", "verb": "decide", "args": {"ops": [op]}}, [])
        page, decided = sent
        assert [(row["given"], row["predicted"]) for row in page["result"]["rows"]] == [(1, 3), (0, 0)]
        [result] = decided["result"]["results"]
        assert (result["ok"], result["error"]["kind"], result["error"]["message"]) == (False, "read_only", LabelSets.read_only)
