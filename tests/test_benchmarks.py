"""The benchmarks' own arithmetic: what they call work, what they compare, and what they write into the docs."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertForSequenceClassification, DistilBertConfig, DistilBertForSequenceClassification

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def _beside_the_benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in ("matmul", "report", "spent"):
        sys.modules.pop(name, None)


BERT = BertConfig(vocab_size=50, hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=160)
DISTILBERT = DistilBertConfig(vocab_size=50, dim=64, n_layers=3, n_heads=4, hidden_dim=160)


@pytest.mark.parametrize(
    ("kind", "config"), [(BertForSequenceClassification, BERT), (DistilBertForSequenceClassification, DISTILBERT)]
)
def test_the_limit_counts_the_operations_that_torch_counts(kind, config):
    import matmul

    model = kind._from_config(config, attn_implementation="eager").eval()  # torch does not count fused attention
    counted, lengths = 0, np.array([7, 40, 111])
    for length in lengths:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            model(torch.ones((1, length), dtype=torch.long))
        counted += counter.get_total_flops()
    assert matmul.operations_of(model, lengths) == pytest.approx(counted, rel=0.01)


def test_a_subset_is_compared_row_by_row_and_by_its_own_rate():
    from report import Result, Suite

    base = Result("all", np.arange(4), 4e9, [(4.0, 8.0)], np.array([0.0, 1.0, 2.0, 3.0], dtype=np.float32))
    part = Result("part", np.array([1, 3]), 2e9, [(1.0, 1.0)], np.array([1.5, 3.25], dtype=np.float32))
    line = next(line for line in Suite("title", [base, part], base="all").markdown().splitlines() if line.startswith("| part"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:6] == ["2", "1.0", "1.0", "2.00", "4.00"]
    assert cells[-2:] == ["5e-01", "2e-01"]


def test_who_cannot_run_is_named_with_the_reason():
    from report import Result, Suite

    absent = Result("theirs", np.arange(2), 1.0, why_not="the package theirs is not installed")
    ran = Result("ours", np.arange(2), 1.0, [(1.0, 1.0)])
    assert "theirs: not measured, the package theirs is not installed." in Suite("title", [absent, ran]).markdown()


def test_only_the_block_between_the_markers_is_written(tmp_path):
    from report import Result, Suite, markers, write_suites

    begin, end = markers("scoring.py")
    suite = Suite("title", [Result("ours", np.arange(2), 1.0, [(1.0, 1.0)])])
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n", encoding="utf-8")
    write_suites([suite], "on a machine", page)
    once = page.read_text(encoding="utf-8")
    write_suites([suite], "on a machine", page)
    assert page.read_text(encoding="utf-8") == once
    assert once.startswith(f"before\n{begin}\n")
    assert once.endswith(f"{end}\nafter\n")
    assert suite.markdown() in once
    assert "old" not in once


@pytest.mark.parametrize("script", ["scoring.py", "browser.py", "review.py"])
def test_the_page_has_a_place_for_the_tables(script):
    from report import PAGE, markers

    text = PAGE.read_text(encoding="utf-8")
    assert [text.count(marker) for marker in markers(script)] == [1, 1]
    assert (BENCHMARKS / script).exists()


def test_what_a_pass_spends_its_time_on_is_said_largest_first():
    from spent import spent_on

    weights = torch.rand(1_000, 1_000)
    said = spent_on(lambda: torch.tanh(weights @ weights).add_(1.0))
    shares = [int(part.split()[-2]) for part in said.split(", ")]
    assert "bfloat16 matrix products" in spent_on(lambda: weights.bfloat16() @ weights.bfloat16())
    assert said.startswith("float32 matrix products ")
    assert shares == sorted(shares, reverse=True)
    assert 97 <= sum(shares) <= 103
