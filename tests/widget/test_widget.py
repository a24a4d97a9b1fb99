"""LossWidget: a review in a cell. (What people see and click is tested in tests/ui and tests/jupyter.)"""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import threading
import weakref

import anywidget
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import loss_widget as lw
from loss_widget.errors import InputError, ReadOnly
from loss_widget.review import Decision

TEXTS = ["fine text", "awful <img src=x onerror=alert(1)>", "so so"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"text": TEXTS, "label": ["good", "good", "bad"], "loss": [0.1, 4.0, 1.0]})


@pytest.fixture
def widget(frame):
    with lw.LossWidget(frame, reviewer="bo-42") as widget:
        yield widget


def test_it_is_an_anywidget_that_corrects_the_frame_it_was_given(widget, frame):
    assert isinstance(widget, anywidget.AnyWidget)
    widget.relabel(1, "bad")
    assert widget.df is frame
    assert frame["label"].tolist() == ["good", "bad", "bad"]
    widget.keep(0)
    widget.unsure(2)
    widget.note(2, "hm")
    widget.undo()
    widget.undo()
    widget.redo()
    widget.remove(0)
    assert widget.summary()["reviewed"] == 3
    assert widget.changes["verdict"].tolist() == ["remove", "relabel", "unsure"]
    assert len(widget.corrected()) == 2
    widget.clear(1)
    assert frame["label"].tolist() == ["good", "good", "bad"]
    assert [row.row for row in widget.page(lw.Query(limit=2)).rows] == [1, 2]


def test_no_dataset_text_and_no_path_is_in_what_a_notebook_could_save(widget):
    widget.relabel(1, "bad")
    widget.note(1, "private note")
    state = {**widget.get_state(), **widget.announcements.get_state()}
    told = json.dumps({k: v for k, v in state.items() if k not in ("_esm", "_css")}, default=str)
    for secret in (*TEXTS, "private note", "review-", "bo-42"):
        assert secret not in told


def test_without_a_kernel_there_is_a_sentence_and_a_table_only_if_asked(widget, frame):
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"] == "LossWidget: 3 rows, 0 reviewed. Run this cell to see the grid."
    assert "application/vnd.jupyter.widget-view+json" in data
    assert not any(text in str(data) for text in TEXTS)
    with pytest.raises(NotImplementedError):
        widget._ipython_display_()
    with lw.LossWidget(frame, journal=None, static_rows=2) as shown:
        table = shown._lw_static_table()
    assert "awful &lt;img src=x onerror=alert(1)&gt;" in table
    assert "<img" not in table
    assert "fine text" not in table


def test_the_grid_may_sit_in_a_box(widget):
    import ipywidgets

    assert ipywidgets.VBox([widget]).children == (widget,)


def test_clicks_are_answered_and_cells_announced_on_another_comm(widget):
    sent: list[dict] = []
    widget.send = lambda content, buffers=None: sent.append(content)
    op = {"op_id": "a", "kind": "relabel", "rows": [1], "label": widget.session.label_names.index("bad"), "from": None}
    widget._handle_custom_msg({"v": 1, "rid": "v-1", "verb": "decide", "args": {"ops": [op]}}, [])
    assert [m["rid"] for m in sent] == ["v-1"]
    assert widget.announcements.revision == 0, "the answer already told it"
    widget.keep(0)
    assert widget.announcements.revision == 2
    assert widget.announcements.said == "Row 0: good kept, in a cell"
    assert len(sent) == 1, "a push on the grid's own comm would make later clicks wait"


def test_a_newer_widget_turns_the_older_one_read_only(frame):
    older = lw.LossWidget(frame)
    older.relabel(1, "bad")
    newer = lw.LossWidget(frame)
    assert "newer widget" in older.announcements.read_only
    with pytest.raises(ReadOnly):
        older.keep(0)
    newer.keep(0)
    assert newer.summary()["reviewed"] == 2
    assert newer.snapshot["read_only"] == ""
    newer.close()
    older.close()


def ask(widget, verb, **args):
    sent: list[dict] = []
    widget.send = lambda content, buffers=None: sent.append(content)
    widget._handle_custom_msg({"v": 1, "rid": "v-1", "verb": verb, "args": args}, [])
    return sent[0]["result"]


def test_a_label_added_in_one_view_is_told_to_all(widget):
    told: list[dict] = []
    widget.announcements.observe(lambda change: told.append(change["new"]), "snapshot")
    assert widget.snapshot["takes_new_labels"]
    reply = ask(widget, "add_label", name="mixed")
    assert reply["label_names"][reply["label"]] == "mixed"
    assert [snapshot["label_names"] for snapshot in told] == [reply["label_names"]]
    widget.relabel(1, "mixed")
    assert widget.df["label"].iloc[1] == "mixed"


def test_rows_carry_the_columns_that_were_asked_for_and_the_snapshot_only_their_names(frame):
    frame["source"] = ["web", None, "x" * 900]
    with lw.LossWidget(frame, columns=["source", "loss"], journal=None) as widget:
        assert widget.snapshot["columns"] == ["source", "loss"]
        shown = {row["row"]: row["columns"] for row in ask(widget, "page")["rows"]}
        assert shown == {0: ["web", "0.1"], 1: ["", "4"], 2: ["x" * 200, "1"]}
        assert "web" not in json.dumps(widget.snapshot)


def test_the_snapshot_says_where_scores_came_from_but_no_path(frame):
    probs = np.array([[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]])
    scores = lw.Scores.from_probs(frame.drop(columns="loss"), probs, label_names=["bad", "good"], in_sample=True)
    scores.provenance.update(model="/home/me/private/bert", engine="packed")
    with lw.LossWidget(scores, journal=None) as widget:
        made = widget.snapshot["made"]
    assert (made["model"], made["in_sample"], made["engine"]) == ("bert", True, "packed")


class Subshell:
    """An event loop on a thread of its own, as ipykernel 7 runs message handlers."""

    def __enter__(self) -> Subshell:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        return self

    def send(self, widget: lw.LossWidget, content: dict) -> None:
        self.loop.call_soon_threadsafe(widget._handle_custom_msg, content, [])

    def wait(self) -> None:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result()

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


def test_clicks_sent_before_a_cell_are_in_the_frame_when_it_runs(widget, frame):
    widget.send = lambda content, buffers=None: None
    good, bad = (widget.session.label_names.index(name) for name in ("good", "bad"))
    with Subshell() as shell:
        shell.send(widget, {"v": 1, "rid": "v-0", "verb": "summary", "args": {}})
        shell.wait()
        for i in range(50):
            label = bad if i % 2 == 0 else good
            op = {"op_id": f"op-{i}", "kind": "relabel", "rows": [1], "label": label, "from": None}
            shell.send(widget, {"v": 1, "rid": f"v-{i}", "verb": "decide", "args": {"ops": [op]}})
            widget._lw_cells._hook()  # what IPython calls before a cell
            assert frame["label"].iloc[1] == ("bad" if i % 2 == 0 else "good")
    widget._lw_cells._hook()


def test_a_click_waits_for_the_next_cell_also_on_the_main_thread(widget, frame):
    """ipykernel 6 handles clicks there, and an async cell may be half-way through."""
    widget.send = lambda content, buffers=None: None
    op = {"op_id": "a", "kind": "relabel", "rows": [1], "label": widget.session.label_names.index("bad"), "from": None}
    widget._handle_custom_msg({"v": 1, "rid": "v-1", "verb": "decide", "args": {"ops": [op]}}, [])
    assert frame["label"].iloc[1] == "good"
    widget._lw_cells._hook()
    assert frame["label"].iloc[1] == "bad"


def test_a_callback_that_fails_does_not_undo_what_is_saved(widget):
    def fail(_):
        raise RuntimeError("mine")

    widget.on_change(fail)
    with pytest.warns(UserWarning, match="RuntimeError.*mine"):
        widget.keep(0)
    assert widget.summary()["keep"] == 1


def test_labels_written_by_a_handler_wait_for_the_main_thread(widget, frame):
    thread = threading.Thread(target=lambda: widget.session.decide(Decision("keep", (0,))))
    thread.start()
    thread.join()
    thread = threading.Thread(target=lambda: widget.session.decide(Decision("relabel", (1,), 0)))
    thread.start()
    thread.join()
    assert frame["label"].iloc[1] == "good"
    assert widget.df["label"].iloc[1] == "bad"


def test_close_lets_the_data_go(frame):
    widget = lw.LossWidget(frame, journal=None)
    session = weakref.ref(widget.session)
    boundary = weakref.ref(widget._lw_cells)
    widget.close()
    widget.close()
    del widget
    gc.collect()
    assert session() is None
    assert boundary() is None


@pytest.mark.parametrize("page_size", [0, 201, "20", 2.5])
def test_a_page_size_out_of_range_is_refused(frame, page_size):
    with pytest.raises(InputError, match="page_size from 1 to 200"):
        lw.LossWidget(frame, page_size=page_size)


def test_each_order_begins_with_its_most_suspicious_rows(frame):
    scores = lw.Scores.from_probs(frame.drop(columns="loss"), np.full((3, 2), 0.5), label_names=["bad", "good"])
    with lw.LossWidget(scores, journal=None) as widget:
        lowest_first = [sort["value"] for sort in widget.snapshot["sorts"] if not sort["descending"]]
    assert lowest_first == ["margin", "row", "label_prob", "predicted_prob"]


@pytest.mark.parametrize("name", ["corrected", "export", "to_dataset", "relabel", "note", "page", "on_change"])
def test_what_the_widget_passes_on_is_spelt_out_as_in_the_session(name):
    of_widget, of_session = (inspect.signature(getattr(owner, name)) for owner in (lw.LossWidget, lw.ReviewSession))
    assert of_widget == of_session


@pytest.mark.parametrize(
    ("source", "options", "says"),
    [
        (lambda f: f.drop(columns="loss"), {}, "column of losses named 'loss'"),
        (lambda f: f.rename(columns={"loss": "Loss"}), {}, "did you mean 'Loss'"),
        (lambda f: f, {"label": "lable"}, "did you mean 'label'"),
        (lambda f: f, {"loss": "text"}, "numbers in the loss column"),
        (lambda f: f.to_dict(), {}, "Scores or a pandas DataFrame, found dict. Make one with"),
        (lambda f: "rows.csv", {}, r"found 'rows\.csv'. Read it with `pd.read_csv"),
        (lambda f: pa.Table.from_pandas(f), {}, r"found a pyarrow Table. Use `\.to_pandas"),
        (lambda f: f, {"probs": np.ones((3, 2)), "label_names": ["bad", "good"]}, "sum to 1"),
        (lambda f: f, {"journal": 3}, "journal to be a path"),
        (lambda f: f, {"columns": ["los"]}, "did you mean 'loss'.*with `columns=`"),
        (lambda f: f, {"columns": "loss"}, "list of names"),
        (lambda f: f, {"static_rows": -1}, "static_rows"),
        (lambda f: f, {"reviewer": "\ud800"}, "UTF-8"),
        (lambda f: f.iloc[:0], {}, "at least one row"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(frame, source, options, says):
    with pytest.raises(InputError, match=says):
        lw.LossWidget(source(frame), **options)


def test_probabilities_beside_a_frame_give_it_suggestions_but_no_columns(frame):
    probs = np.array([[0.1, 0.9], [0.8, 0.2], [0.5, 0.5]])
    before = list(frame.columns)
    with lw.LossWidget(frame, probs=probs, label_names=["bad", "good"], journal=None) as widget:
        row = widget.page().rows[0]
        assert (row.row, row.predicted_label, row.loss) == (1, "bad", 4.0), "the frame's own loss decides the order"
        assert list(widget.df.columns) == before
