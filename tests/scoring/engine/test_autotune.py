"""Threads and token budget follow what is fastest; the threads are put back."""

from __future__ import annotations

import pytest
import torch
from tiny_models import TEXTS, tiny

from loss_widget.errors import InputError
from loss_widget.scoring import Scorer
from loss_widget.scoring.engine.autotune import Autotune, Setting


@pytest.fixture
def two_threads() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("best", [Setting(2, 2048), Setting(1, 2048), Setting(2, 1024), Setting(1, 4096)])
def test_the_fastest_setting_is_found_and_kept(best: Setting) -> None:
    pace = Autotune(budgets=(2048, 1024, 4096))
    for _ in range(6):
        setting = pace.next_setting()
        pace.learn(setting, 1.0 + 2.0 * (setting.threads != best.threads) + (setting.token_budget != best.token_budget))
    assert pace.next_setting() == best


@pytest.mark.usefixtures("two_threads")
def test_a_setting_that_turned_slow_is_given_up() -> None:
    pace = Autotune(budgets=(100,))
    pace.learn(Setting(2, 100), 1.0)
    pace.learn(Setting(1, 100), 3.0)
    pace.learn(Setting(2, 100), 9.0)
    assert pace.next_setting().threads == 1


@pytest.mark.usefixtures("two_threads")
def test_all_are_timed_again_after_a_while_and_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("loss_widget.scoring.engine.autotune.time.perf_counter", lambda: now[0])
    pace = Autotune(budgets=(100,))
    for after, looks_again in ((0.0, True), (4.0, False), (6.0, True), (15.0, False), (17.0, True)):
        now[0] = after
        assert (pace.next_setting().threads == 2) == looks_again
        pace.learn(Setting(2, 100), 9.0)
        pace.learn(Setting(1, 100), 1.0)


def test_a_budget_that_did_not_fit_is_not_tried_again() -> None:
    pace = Autotune(threads=1, budgets=(2048, 1024, 4096))
    pace.limit(500)
    pace.limit(700)  # of a batch that had begun before
    for _ in range(3):
        assert pace.next_setting() == Setting(1, 500)
        pace.learn(Setting(1, 500), 1.0)


@pytest.mark.usefixtures("two_threads")
def test_threads_asked_for_are_used_and_put_back() -> None:
    model, tokenizer = tiny("bert")
    used = set()
    Scorer(model, tokenizer=tokenizer, threads=1)(TEXTS, on_rows=lambda *_: used.add(torch.get_num_threads()))
    assert used == {1}
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("name", ["threads", "token_budget"])
def test_bad_numbers_are_refused(name: str) -> None:
    model, tokenizer = tiny("bert")
    with pytest.raises(InputError, match=f"{name} to be a whole number of at least 1, found 0"):
        Scorer(model, tokenizer=tokenizer, **{name: 0})
