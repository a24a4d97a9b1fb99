"""What runs in the process of one device: parts of a window in, batches of log-probabilities out, until the pipe ends."""

from __future__ import annotations

import os
import pickle
import queue
import shutil
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, Any

import numpy as np

from loss_widget.errors import ModelError


def main() -> None:
    """Started by `devices.SeveralDevices` with a device and the file of the model; speaks pickles over stdin and stdout."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    device_name, path = sys.argv[1:]
    # Whatever the model prints must not end up among the answers.
    questions_from, answers_to = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    questions: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(questions_from, questions, Path(path).parent), daemon=True).start()
    try:
        _answer(questions, answers_to, device_name, path)
    except ModelError as error:
        _say(answers_to, ("refused", str(error)))
    except BaseException:
        _say(answers_to, ("failed", traceback.format_exc()))


def _answer(questions: queue.SimpleQueue[Any], answers_to: IO[bytes], device_name: str, path: str) -> None:
    import torch

    from loss_widget.scoring.devices.one import OneDevice
    from loss_widget.scoring.engine.forward import borrowed

    device = torch.device(device_name)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # pinned memory would open a context on the first GPU
    model, settings, threads = torch.load(path, map_location="cpu", mmap=True, weights_only=False)
    torch.set_num_threads(threads)

    def on_batch(rows: np.ndarray, values: np.ndarray, notes: dict[int, str]) -> None:
        _say(answers_to, ("batch", rows, values, notes))

    with borrowed(model, device=device) as working:
        here = OneDevice(working, settings)
        while True:
            precision, tokens, sample = questions.get()
            if sample is not None:
                here.prepare(sample, precision)
            here.run(tokens, np.arange(len(tokens)), precision, on_batch)
            _say(answers_to, ("part", here.report(precision)))


def _listen(questions_from: IO[bytes], questions: queue.SimpleQueue[Any], folder: Path) -> None:
    """At the end of the pipe, the one who asked was killed: this process ends in the middle of a batch, the model's file too."""
    try:
        while True:
            questions.put(pickle.load(questions_from))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


def _say(answers_to: IO[bytes], answer: Any) -> None:
    pickle.dump(answer, answers_to, protocol=5)
    answers_to.flush()
