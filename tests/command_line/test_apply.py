"""`loss-widget apply` makes the changes of a review in a file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from installed_command import Run

import loss_widget as lw


@pytest.fixture
def data(folder: Path) -> Path:
    """The example's rows in another order than they are reviewed in."""
    lw.example().frame[["text", "label"]].iloc[::-1].to_csv(folder / "data.csv", index=False)
    return folder / "data.csv"


@pytest.fixture
def reviewed(folder: Path) -> lw.ReviewSession:
    session = lw.ReviewSession(lw.example(), journal="review.sqlite")
    session.relabel(392, "card_arrival")
    session.remove(93)
    session.keep(157)
    session.changes.to_parquet("changes.parquet")
    session.close()
    return session


@pytest.mark.parametrize("changes", ["changes.parquet", "review.sqlite"])
@pytest.mark.usefixtures("reviewed")
def test_it_corrects_the_rows_of_a_review_and_no_others(loss_widget: Run, data: Path, changes: str) -> None:
    before = pd.read_csv(data)
    done = loss_widget("apply", changes, data, "--out", "clean.csv")
    assert done.stdout == "clean.csv\n"
    assert "928 rows read, 927 written" in done.stderr

    after = pd.read_csv("clean.csv")
    expected = before[before["text"] != "WHAT IS THE SOLUTION OF THIS PROBLEM"].reset_index(drop=True)
    expected.loc[expected["text"] == "Can you tell me the status of my new card?", "label"] = "card_arrival"
    pd.testing.assert_frame_equal(after, expected)


@pytest.mark.usefixtures("reviewed")
def test_removed_rows_stay_where_they_are_asked_to(loss_widget: Run, data: Path) -> None:
    loss_widget("apply", "changes.parquet", data, "--keep-removed", "--out", "clean.jsonl")
    assert len(pd.read_json("clean.jsonl", lines=True)) == 928


@pytest.mark.usefixtures("reviewed")
def test_nothing_is_written_where_a_change_matches_no_row(loss_widget: Run, data: Path) -> None:
    pd.read_csv(data).head(10).to_csv("other.csv", index=False)
    done = loss_widget("apply", "changes.parquet", "other.csv", "--out", "clean.csv", code=1)
    assert "match" in done.stderr
    assert not Path("clean.csv").exists()

    Path("clean.csv").write_text("mine")
    assert "--overwrite" in loss_widget("apply", "changes.parquet", data, "--out", "clean.csv", code=1).stderr
    assert Path("clean.csv").read_text() == "mine"
    loss_widget("apply", "changes.parquet", data, "--out", "clean.csv", "--overwrite")
