"""The wire: the kernel answers every message once, whatever it holds, as tests/protocol_cases.json says."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import loss_widget as lw
from loss_widget.widget import protocol
from loss_widget.widget.answers import answer

CASES = json.loads((Path(__file__).parents[1] / "protocol_cases.json").read_text(encoding="utf-8"))


def make_session() -> lw.ReviewSession:
    """The review that the replies in protocol_cases.json are from."""
    frame = pd.DataFrame({"text": ["fine", "awful", "long " * 500], "label": ["good", "good", None]})
    probs = np.array([[0.125, 0.75, 0.125], [0.75, 0.125, 0.125], [0.25, 0.25, 0.5]])
    scores = lw.Scores.from_probs(frame, probs, label_names=["bad", "good", "Sci/Tech"])
    return lw.ReviewSession(scores, journal=None, reviewer="ann")


def test_the_kernel_answers_the_examples_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = make_session()
    for case in CASES["exchanges"]:
        reply = answer(session, case["request"])
        sent = json.loads(json.dumps(reply, allow_nan=False))
        assert sent == case["reply"], case["name"]


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: case["name"])
def test_messages_that_make_no_sense_get_an_error_and_change_nothing(case):
    session = make_session()
    reply = answer(session, case["request"])
    assert reply["ok"] is False
    assert reply["error"]["kind"] == case["kind"]
    assert case["says"] in reply["error"]["message"]
    assert session.revision == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(protocol.VERBS) | st.text(max_size=5), JSON)
def test_no_message_goes_unanswered_or_breaks_the_review(verb, args):
    session = make_session()
    if verb == "export":
        return
    reply = answer(session, {"v": 1, "rid": "a-1", "verb": verb, "args": args})
    assert reply["rid"] == "a-1"
    assert reply["ok"] or reply["error"]["kind"] in {"input", "stale"}
    json.dumps(reply, allow_nan=False)
    assert answer(session, {"v": 1, "rid": "a-2", "verb": "page", "args": {}})["ok"]


def test_replies_never_carry_a_string_field_named_id():
    for case in CASES["exchanges"]:
        assert "id" not in case["reply"], "ipykernel 7.4 keeps an entry for each message with one"


def test_messages_stay_small():
    frame = pd.DataFrame({"text": ["word " * 100_000] * 200, "label": [0, 1] * 100})
    scores = lw.Scores.from_probs(frame, np.full((200, 100), 0.01), label_names=[f"label {i}" for i in range(100)])
    request = {"v": 1, "rid": "a", "verb": "page", "args": {"query": {"limit": 200}}}
    reply = answer(lw.ReviewSession(scores, journal=None), request)
    assert reply["result"]["rows"][0]["text_cut"]
    assert len(json.dumps(reply)) < 1_000_000


def test_export_finds_a_free_name_and_takes_no_path_from_the_browser(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = make_session()
    paths = [
        answer(session, {"v": 1, "rid": "a", "verb": "export", "args": {"path": "/etc/x"}})["result"]["path"] for _ in range(2)
    ]
    assert paths == ["corrected.parquet", "corrected-2.parquet"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["corrected-2.parquet", "corrected.parquet"]


GOOD_NAMES = ["clean.csv", "a b.tsv", "v1.2.jsonl", "Zürich.parquet", "CLEAN.CSV", "-x.csv", "x" * 190 + ".jsonl"]
BAD_NAMES = [
    *("", ".csv", "..csv", "~.csv", "~root.csv", " a.csv", "a .csv", "a", "a.", "a.xlsx", "a.csv.exe", "a.csv ", "a.csv/"),
    *("/etc/a.csv", "../a.csv", "a/b.csv", "a\\b.csv", "..\\a.csv", "C:a.csv", "C:\\a.csv", "a:b.csv", "file:///a.csv", "a?.csv"),
    *(
        "a\0.csv",
        "a\n.csv",
        "a\u202e.csv",
        "a\u2028b.csv",
        "a\ud800.csv",
        "nul.csv",
        "COM1.csv",
        "con.tar.csv",
        "x" * 250 + ".csv",
    ),
    *(3, 1.5, True, [], ["a.csv"], {"name": "a.csv"}),
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_export_takes_a_name_and_never_writes_over_a_file(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    ask = {"v": 1, "rid": "a", "verb": "export", "args": {"name": name}}
    assert answer(make_session(), ask)["result"]["path"] == name
    before = (tmp_path / name).read_bytes()
    assert "never writes over" in answer(make_session(), ask)["error"]["message"]
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("name", BAD_NAMES, ids=lambda name: repr(name)[:20])
def test_export_refuses_whatever_is_no_plain_name(tmp_path, monkeypatch, name):
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    reply = answer(make_session(), {"v": 1, "rid": "a", "verb": "export", "args": {"name": name}})
    assert reply["error"]["kind"] == "input"
    assert [p.name for p in tmp_path.rglob("*")] == ["inside"]


def test_export_never_writes_through_a_link(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clean.csv").symlink_to(tmp_path / "elsewhere.csv")
    reply = answer(make_session(), {"v": 1, "rid": "a", "verb": "export", "args": {"name": "clean.csv"}})
    assert "never writes over" in reply["error"]["message"]
    assert not (tmp_path / "elsewhere.csv").exists()


def write_cases() -> None:
    """`python tests/test_protocol.py` writes the replies anew; read the difference before you commit it."""
    session = make_session()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for case in CASES["exchanges"]:
            case["reply"] = answer(session, case["request"])
    path = Path(__file__).resolve().parents[1] / "protocol_cases.json"
    path.write_text(json.dumps(CASES, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(write_cases())
