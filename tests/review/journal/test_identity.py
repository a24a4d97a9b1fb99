"""A journal is of its texts, its label column and its labels: what was decided on one column never reaches another."""

from __future__ import annotations

import contextlib
import sqlite3
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import loss_widget as lw
from loss_widget.errors import DataError, JournalError

NO_YES = ["no", "yes"]


def make_frame(**labels: object) -> pd.DataFrame:
    return pd.DataFrame({"text": [f"comment {i}" for i in range(20)], **labels, "loss": np.arange(20.0)})


def review(frame: pd.DataFrame, label: str, journal: str = "auto") -> None:
    with lw.ReviewSession(frame, label=label, label_names=NO_YES, journal=journal) as session:
        session.relabel([3, 5], "yes")


def test_two_label_columns_of_one_frame_are_two_reviews():
    frame = make_frame(toxic=0, insult=0)
    review(frame, "toxic")
    with lw.ReviewSession(frame, label="insult", label_names=NO_YES) as other:
        assert (other.df["insult"].sum(), other.summary()["reviewed"], len(other.unmatched)) == (0, 0, 0)
        other.relabel(7, "yes")
    for label, rows in (("toxic", [3, 5]), ("insult", [7])):
        with lw.ReviewSession(make_frame(toxic=0, insult=0), label=label, label_names=NO_YES) as again:
            assert again.changes["row"].tolist() == rows


def test_two_label_columns_of_two_frames_are_two_reviews_and_a_renamed_one_is_named():
    review(make_frame(toxic=0), "toxic")
    with pytest.warns(
        UserWarning, match=r"A new review begins here.*holds a review of these texts.*'toxic'.*this one is 'insult'"
    ):
        other = lw.ReviewSession(make_frame(insult=0), label="insult", label_names=NO_YES)
    assert other.df["insult"].sum() == 0


def test_a_journal_by_its_path_is_refused_for_another_column_and_taken_under_the_old_name():
    review(make_frame(toxic=0), "toxic", "j.sqlite")
    renamed = make_frame(target=0)
    for read_only in (False, True):
        with pytest.raises(JournalError, match=r"is of the label column 'toxic'.*rename\(columns={'target': 'toxic'}\)"):
            lw.ReviewSession(renamed, label="target", label_names=NO_YES, journal="j.sqlite", read_only=read_only)
    assert renamed["target"].sum() == 0
    assert not Path("j.sqlite.lock").exists()
    as_it_was = renamed.rename(columns={"target": "toxic"})
    with lw.ReviewSession(as_it_was, label="toxic", label_names=NO_YES, journal="j.sqlite") as session:
        assert session.df["toxic"].sum() == 2


def test_an_open_review_is_not_taken_over_by_one_of_another_column():
    session = lw.ReviewSession(make_frame(toxic=0), label="toxic", label_names=NO_YES, journal="j.sqlite")
    session.relabel(3, "yes")
    with pytest.raises(JournalError, match="'toxic'"):
        lw.ReviewSession(make_frame(insult=0), label="insult", label_names=NO_YES, journal="j.sqlite")
    session.relabel(4, "yes")
    assert session.df["toxic"].sum() == 2


def test_the_same_texts_under_other_labels_are_another_review():
    topics, moods = make_frame(label=["sport", "news"] * 10), make_frame(label=["good", "bad", "mixed", "good"] * 5)
    with lw.ReviewSession(topics, journal="auto") as session:
        session.relabel([0, 2], "news")
    with pytest.warns(UserWarning, match=r"holds a review of these texts, but it is of other labels \('sport', 'news'"):
        other = lw.ReviewSession(moods)
    assert (other.label_names, other.summary()["reviewed"]) == (["bad", "good", "mixed"], 0)
    [path] = Path(".loss_widget").glob("*.sqlite")
    with pytest.raises(JournalError, match="is of other labels"):
        lw.ReviewSession(moods, journal=path)
    assert lw.ReviewSession(topics.copy()).summary()["reviewed"] == 2


def test_a_journal_that_knows_no_column_is_taken_and_learns_it():
    review(make_frame(toxic=0), "toxic", "j.sqlite")
    with contextlib.closing(sqlite3.connect("j.sqlite", isolation_level=None)) as db:
        for table in ("about", "sums", "other_sums"):
            db.execute(f"DROP TABLE {table}")
    with lw.ReviewSession(make_frame(target=0), label="target", label_names=NO_YES, journal="j.sqlite") as session:
        assert session.df["target"].sum() == 2
        session.keep(1)
    with pytest.raises(JournalError, match="'target'"):
        lw.ReviewSession(make_frame(toxic=0), label="toxic", label_names=NO_YES, journal="j.sqlite")


OTHER_NAMES = {
    "other words": ([0, 1], ["neg", "pos"], [0, 1], ["negative", "positive"]),
    "names for bare ids": ([0, 1], ["0", "1"], [0, 1], ["negative", "positive"]),
    "ids written as text": ([0, 1], ["neg", "pos"], ["0", "1"], ["0", "1"]),
    "floats": ([0, 1], ["neg", "pos"], [0.0, 1.0], ["negative", "positive"]),
    "the other way round": ([0, 1], ["neg", "pos"], [0, 1], ["pos", "neg"]),
    "coded anew": ([0, 1], ["neg", "pos"], [1, 0], ["pos", "neg"]),
}


@pytest.mark.parametrize("case", OTHER_NAMES)
def test_the_same_labels_under_other_names_keep_their_review(case):
    before, names_before, after, names_after = OTHER_NAMES[case]
    rows, probs = np.arange(20) % 2, np.tile([0.3, 0.7], (20, 1))

    def open_on(values: list[object], names: list[str]) -> lw.ReviewSession:
        frame = pd.DataFrame({"text": [f"comment {i}" for i in range(20)], "label": [values[i] for i in rows]})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an order of labels that would fit better
            return lw.ReviewSession(lw.Scores.from_probs(frame, probs, label_names=names))

    with open_on(before, names_before) as session:
        session.relabel([0, 2, 4], names_before[1])
        session.keep(1)
    with open_on(after, names_after) as again:
        assert (again.summary()["reviewed"], len(again.unmatched)) == (4, 0)
        assert again.df["label"].iloc[[0, 1, 2, 4, 6]].tolist() == [after[i] for i in (1, 1, 1, 1, 0)]
        again.keep(7)
    with open_on(before, names_before) as back:
        assert (back.summary()["reviewed"], len(back.unmatched)) == (5, 0)
        assert back.df["label"].tolist() == [before[1] if i in (0, 2, 4) else before[rows[i]] for i in range(20)]


@pytest.mark.parametrize("damage", ["torn", "text", "newer", "pipe"])
def test_auto_never_begins_an_empty_review_beside_a_journal_it_cannot_read_without_a_word(damage, frame):
    import os

    frame = frame.assign(loss=1.0)
    with lw.ReviewSession(frame) as session:
        session.keep(range(5))
    [path] = Path(".loss_widget").glob("*.sqlite")
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "text":
        path.write_text("dear diary")
    elif damage == "newer":
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version=99")
    else:
        path.unlink()
        os.mkfifo(path)
    before = None if damage == "pipe" else path.read_bytes()
    with pytest.warns(UserWarning, match=rf"A new review begins here.*{path.name}"):
        again = lw.ReviewSession(frame)
    again.keep(0)
    again.close()
    assert before is None or path.read_bytes() == before
    with lw.ReviewSession(frame) as found:  # which is told nothing: its own journal is the one it goes on with
        assert found.summary()["reviewed"] == 1


def test_changes_of_one_label_column_are_not_applied_to_the_other():
    review(make_frame(toxic=0, insult=0), "toxic", "j.sqlite")
    both = make_frame(toxic=0, insult=0)
    with pytest.raises(DataError, match="label='toxic'"):
        lw.apply_changes(both, "j.sqlite", label="insult")
    assert lw.apply_changes(both, "j.sqlite", label="toxic")["toxic"].sum() == 2
    assert lw.apply_changes(make_frame(renamed=0), "j.sqlite", label="renamed")["renamed"].sum() == 2
