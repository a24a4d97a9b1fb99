"""The number of threads follows what is fastest, and is put back."""

from __future__ import annotations

import pytest
import torch
from tiny_models import TEXTS, tiny

from loss_widget.errors import InputError
from loss_widget.scoring import Scorer
from loss_widget.scoring.threads import ThreadChoice


@pytest.fixture
def two_threads() -> object:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_the_faster_number_of_threads_is_kept() -> None:
    for pace, best in (({2: 1.0, 1: 3.0}, 2), ({2: 3.0, 1: 1.0}, 1)):
        choice = ThreadChoice()
        for _ in range(2):
            threads = choice.next_threads()
            choice.learn(threads, pace[threads])
        assert choice.next_threads() == best


@pytest.mark.usefixtures("two_threads")
def test_a_choice_that_turned_slow_is_given_up() -> None:
    choice = ThreadChoice()
    choice.learn(2, 1.0)
    choice.learn(1, 3.0)
    choice.learn(2, 9.0)
    assert choice.next_threads() == 1


@pytest.mark.usefixtures("two_threads")
def test_both_are_timed_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    choice = ThreadChoice()
    choice.learn(2, 9.0)
    choice.learn(1, 1.0)
    monkeypatch.setattr("loss_widget.scoring.threads.SECONDS_BETWEEN_LOOKS", -1.0)
    assert choice.next_threads() == 2


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
