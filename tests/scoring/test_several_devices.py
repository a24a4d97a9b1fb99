"""Several devices share out the rows, a process each: the numbers of one device, and nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plain_model import PlainClassifier
from tiny_models import TEXTS, tiny

from loss_widget.errors import InputError, ModelError, ScoringCancelled
from loss_widget.scoring import Scorer
from loss_widget.scoring.devices import several as several_devices
from loss_widget.scoring.devices.one import ForwardSettings, OneDevice
from loss_widget.scoring.devices.several import SeveralDevices, are_worth_it
from loss_widget.scoring.engine.batches import Padding
from loss_widget.scoring.engine.tokens import Tokens
from loss_widget.scoring.heads import log_softmax
from loss_widget.scoring.models import devices_for

MANY = [f"{text} {i}" for i in range(40) for text in TEXTS]
CPUS = [torch.device("cpu")] * 2
SETTINGS = ForwardSettings(log_softmax, Padding(0), "weights", token_budget=100)

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")


def ragged(rows: int = 400) -> Tokens:
    random = np.random.default_rng(0)
    lengths = random.integers(1, 20, rows)
    ids = random.integers(1, 50, lengths.sum()).astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    return Tokens(ids, None, starts, np.zeros(rows, bool), np.zeros(rows, np.int32), {7: "odd"}, np.arange(rows) + 1_000)


def runs(pid: int, *, parent: int | None = None) -> bool:
    """Whether that is the process of a device, and no zombie."""
    folder = Path("/proc") / str(pid)
    try:
        state, parent_found = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        return (
            b"loss_widget.scoring.devices.process" in (folder / "cmdline").read_bytes()
            and state != "Z"
            and parent in (None, int(parent_found))
        )
    except OSError:
        return False


def processes() -> set[int]:
    """Those of devices that this process has running."""
    return {int(folder.name) for folder in Path("/proc").glob("[0-9]*") if runs(int(folder.name), parent=os.getpid())}


@pytest.fixture(autouse=True)
def _nothing_is_left_running() -> Any:
    yield
    assert not processes()


def test_two_processes_give_the_numbers_of_one_and_resume(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model, tokenizer = tiny("bert")
    plain = Scorer(model, tokenizer=tokenizer)(MANY)
    several = Scorer(model, tokenizer=tokenizer, device=["cpu", "cpu"], token_budget=100)
    seen: list[np.ndarray] = []
    finished: list[np.ndarray] = []

    def first_rows(rows: np.ndarray, log_probs: np.ndarray) -> None:
        seen.append(rows)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Scorer(model, tokenizer=tokenizer, token_budget=500)(MANY, checkpoint=tmp_path / "passes", on_rows=first_rows)
    found = several(MANY, checkpoint=tmp_path / "passes", on_rows=lambda rows, log_probs: finished.append(rows), progress=True)
    assert sorted(np.concatenate([*seen, *finished]).tolist()) == list(range(len(MANY)))
    np.testing.assert_allclose(found.log_probs, plain.log_probs, atol=1e-5, rtol=0)
    told = {name: found.provenance[name] for name in ("device", "engine", "token_budget", "resumed_rows")}
    before = sum(map(len, seen))
    assert told == {"device": "cpu, cpu", "engine": "packed", "token_budget": 100, "resumed_rows": before}
    assert f"{len(MANY) - before} of {len(MANY) - before} rows" in capfd.readouterr().err

    again = several(MANY, checkpoint=tmp_path / "passes")
    np.testing.assert_array_equal(again.log_probs, found.log_probs)
    assert again.provenance["resumed_rows"] == len(MANY)


def test_ctrl_c_leaves_no_process() -> None:
    def on_batch(*batch: Any) -> None:
        assert len(processes()) == 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), SeveralDevices(PlainClassifier(), SETTINGS, CPUS) as several:
        several.run(ragged(), np.arange(400), "float32", on_batch)


def test_both_take_part_halve_their_batches_and_do_not_hear_ctrl_c() -> None:
    model, tokens = PlainClassifier(most_rows=3), ragged()
    plain, found, notes, asked = np.empty((400, 3)), np.full((400, 3), np.nan), {}, np.arange(0, 400, 2)
    with torch.no_grad():
        OneDevice(model, SETTINGS).run(tokens, asked, "float32", lambda rows, values, _: plain.__setitem__(rows - 1_000, values))
    with SeveralDevices(model, SETTINGS, CPUS) as several:

        def on_batch(rows: np.ndarray, values: np.ndarray, said: dict[int, str]) -> None:
            if np.isnan(found).all():
                for pid in processes():
                    os.kill(pid, signal.SIGINT)
            assert len(rows) <= 3
            found[rows - 1_000] = values
            notes.update(said)

        several.run(tokens, asked, "float32", on_batch)
        several.run(tokens, np.array([7]), "float32", on_batch)  # a second window, too small for both
        report = several.report("float32")
        assert len(several._reports["float32"]) == 2
    np.testing.assert_allclose(found[asked], plain[asked], atol=1e-6)
    assert np.flatnonzero(np.isfinite(found).all(axis=1)).tolist() == sorted([7, *asked])
    assert notes == {1_007: "odd"}
    assert report["out_of_memory"] >= 2
    assert report["engine"] == "stock"
    assert "packed" in report["why_stock"]


def test_a_process_that_is_killed_is_told_with_its_device() -> None:
    with SeveralDevices(PlainClassifier(), SETTINGS, CPUS) as several:

        def on_batch(*batch: Any) -> None:
            if len(alive := processes()) == 2:
                os.kill(alive.pop(), signal.SIGKILL)

        with pytest.raises(ModelError, match=r"process for cpu .* exit code -9.*same call again"):
            several.run(ragged(20_000), np.arange(20_000), "float32", on_batch)


def test_a_cancelled_pass_does_not_wait_for_processes_to_start() -> None:
    def check() -> None:
        if processes():
            raise ScoringCancelled("enough")

    with pytest.raises(ScoringCancelled), SeveralDevices(PlainClassifier(), SETTINGS, CPUS, check=check) as several:
        several.run(ragged(), np.arange(400), "float32", lambda *batch: pytest.fail("it waited for a batch"))


def test_what_a_model_cannot_read_is_told_by_its_row() -> None:
    tokens = ragged()
    tokens.flat[tokens.starts[123]] = 50  # one more than the embedding has
    with (
        pytest.raises(ModelError, match=r"read row 1123 .* IndexError: index out of range"),
        SeveralDevices(PlainClassifier(), SETTINGS, CPUS) as several,
    ):
        several.run(tokens, np.arange(400), "float32", lambda *batch: None)


def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    """From a script without `if __name__ == "__main__"`, as a notebook is."""
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_several_devices import *\n"
        "with SeveralDevices(PlainClassifier(), SETTINGS, CPUS) as several:\n"
        "    def on_batch(*batch):\n"
        "        print(*[worker._process.pid for worker in several._workers], flush=True)\n"
        "        sys.stdin.read()\n"
        "    several.run(ragged(20_000), np.arange(20_000), 'float32', on_batch)\n"
    )
    (room := tmp_path / "room").mkdir()
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, str(script)], **pipes, text=True, env={**os.environ, "TMPDIR": str(room)}) as parent:
        assert parent.stdout is not None
        pids = set(map(int, parent.stdout.readline().split()))
        assert len(pids) == 2
        assert all(map(runs, pids))
        assert list(room.glob("*/model.pt"))
        parent.kill()
    until = time.monotonic() + 5
    while any(map(runs, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(runs, pids))
    assert not list(room.iterdir())


def test_a_model_that_cannot_be_handed_over_is_told() -> None:
    model = PlainClassifier()
    model.forward = lambda input_ids, attention_mask: None  # type: ignore[method-assign]
    with (
        pytest.raises(ModelError, match=r'handed to a process.*device="cpu"'),
        SeveralDevices(model, SETTINGS, CPUS) as several,
    ):
        several.run(ragged(), np.arange(400), "float32", lambda *batch: None)


def test_all_gpus_are_used_where_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = tiny("bert")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [str(device) for device in devices_for(model, None)] == ["cuda:0", "cuda:1"]
    assert [str(device) for device in devices_for(model, "cpu")] == ["cpu"]
    assert [str(device) for device in devices_for(model, ["cpu", "cpu"])] == ["cpu", "cpu"]
    monkeypatch.setattr(PlainClassifier, "__module__", "__main__")
    assert [str(device) for device in devices_for(PlainClassifier(), None)] == ["cuda"]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert [str(device) for device in devices_for(model, None)] == ["cuda"]


def test_little_work_starts_no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = tiny("bert")
    weights = sum(p.numel() for p in model.parameters())
    assert not are_worth_it(model, len(MANY))
    assert are_worth_it(model, int(several_devices.WORTH_PROCESSES / weights) + 1)
    monkeypatch.setattr("loss_widget.scoring.models.devices_for", lambda model, device: tuple(CPUS))
    assert Scorer(model, tokenizer=tokenizer)(MANY).provenance["device"] == "cpu"


@pytest.mark.parametrize("asked", [[], [None, "cpu"], ["cpu", "tpu9000"]])
def test_devices_that_are_none_are_refused(asked: list[Any]) -> None:
    model, tokenizer = tiny("bert")
    with pytest.raises(InputError, match=r"Expected (devices|a device)"):
        Scorer(model, tokenizer=tokenizer, device=asked)


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two NVIDIA GPUs")
def test_two_gpus_give_the_numbers_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loss_widget.scoring.devices.several.WORTH_PROCESSES", 0)
    model, tokenizer = tiny("bert")
    found = Scorer(model, tokenizer=tokenizer, token_budget=100)(MANY)
    assert found.provenance["device"].startswith("cuda:0, cuda:1")
    plain = Scorer(model, tokenizer=tokenizer, device="cpu")(MANY)
    np.testing.assert_allclose(found.log_probs, plain.log_probs, atol=1e-4, rtol=0)
