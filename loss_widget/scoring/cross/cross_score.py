"""cross_score(): every row judged by a model that never saw it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from loss_widget.data.examples import Examples, read_examples
from loss_widget.data.label_space import AlignedLabels
from loss_widget.data.texts import Texts
from loss_widget.errors import InputError
from loss_widget.scores.scores import Scores, callers_columns
from loss_widget.scoring import models
from loss_widget.scoring.cross.fine_tuning import Training, fine_tuned
from loss_widget.scoring.cross.folds import assign_folds, check_folds, first_of_each, groups_of_texts, unlearned
from loss_widget.scoring.cross.judges import Rows
from loss_widget.scoring.cross.rounds import Judgement, judge_in_rounds
from loss_widget.scoring.devices.one import ForwardSettings, OneDevice
from loss_widget.scoring.heads import unit_length
from loss_widget.scoring.progress import progress_bar
from loss_widget.scoring.text_pass import TextPass
from loss_widget.scoring.text_reader import CPU_TOKENS, TextReader

_WAYS = ("head", "full")


def cross_score(
    data: Any,
    model: Any,
    *,
    text: str | Sequence[str] = "text",
    label: str = "label",
    tokenizer: Any = None,
    label_names: Sequence[str] | None = None,
    label_map: Mapping[Any, str | None] | None = None,
    train: str = "head",
    rounds: int = 2,
    neighbours: bool = True,
    folds: int = 5,
    seed: int = 0,
    epochs: int = 3,
    learning_rate: float = 5e-5,
    batch_size: int = 16,
    max_length: int | None = None,
    device: Any = None,
    progress: bool = True,
) -> Scores:
    """Every example judged out-of-fold: by a classifier that was not trained on it, nor on a row with the same text.

    `model`: an encoder, or its name or path (a head on it is not used). `train="head"`: the encoder reads every row once, and on
    the unit-length mean of its last hidden states linear discriminants are fitted per fold; no fine-tuned model is needed.
    `rounds=2`: as many rows as labels seem to be wrong after the first round are not learned from in the second, which judges all
    rows; of no label more than half. `neighbours`: the nearest rows of other folds have a say, as much as they have proved right
    about the given labels. `provenance["how"]` says in words what was done. The loss is -log of the probability shown.
    `train="full"`: per fold a classifier with a new head is fine-tuned from the encoder's weights, for `epochs` at a
    `learning_rate` in batches of `batch_size` (`pip install "loss-widget[train]"`). Begin with weights that were not trained on
    these labels: what an encoder has learned of a row, no fold can take from it.

    The folds are stratified by label and drawn from `seed`; the same call gives the same numbers on a CPU. Label names come from
    the data; `label_names` and `label_map` {name or id in the data: one of `label_names`} as in `lw.score`.

    Rows without a label are judged but not learned from. A label that is absent from the other folds gets a probability near 0
    there, and `score_note` says so. Raises `DataError` for fewer than two labels, `InputError` or `ModelError` for other bad
    arguments. Such probabilities find more wrong labels than those of a model that has seen them (Northcutt et al. 2021).
    """
    started = time.perf_counter()
    if train not in _WAYS:
        raise InputError(f"Expected train to be one of {', '.join(map(repr, _WAYS))}, found {train!r}.")
    check_rounds(rounds, neighbours)
    training = Training(epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, seed=seed)
    examples = read_examples(data, text=text, label=label, label_names=label_names)
    callers_columns(examples.frame)  # a name that is taken is refused before the wait
    labels = _labels_of(examples, label_names, label_map)
    check_folds(folds, labels)
    base = models.load_base(model)
    reader = TextReader(models.encoder_of(base), tokenizer=tokenizer, max_length=max_length, device=device)
    _always_batch_alike(reader)
    groups = groups_of_texts(examples)
    fold_of = assign_folds(labels.codes, groups, folds=folds, seed=seed)
    how: dict[str, Any] = {}
    if train == "full":
        read = fine_tuned(reader, base, examples, labels, fold_of, training=training, progress=progress)
        log_probs, how = read.log_probs, asdict(training)
    else:
        embeddings, read, how = _embed(reader, Texts.of(examples.contents), progress=progress)
        first = first_of_each(groups)  # equal texts are equal to the last bit, wherever they stood in a batch
        judged = _judged(embeddings[first], labels, fold_of, rounds=rounds, neighbours=neighbours, seed=seed)
        log_probs, how = judged.log_probs[first], {**how, **judged.how}
    provenance = reader.provenance(
        rows=len(examples),
        seconds=time.perf_counter() - started,
        weights=models.weights_hash(reader.model),
    )
    return Scores.from_pass(
        examples,
        labels,
        log_probs,
        tokens=read.tokens,
        truncated=read.truncated,
        unknown_tokens=read.unknown_tokens,
        notes={**read.notes, **unlearned(labels, fold_of)},
        provenance={
            **provenance,
            **how,
            "precision": "exact (float32)",
            "engine": train,
            "in_sample": False,
            "folds": folds,
            "seed": seed,
        },
    )


def _embed(reader: TextReader, texts: Texts, *, progress: bool) -> tuple[np.ndarray, TextPass, dict[str, Any]]:
    """(n, width) float32 embeddings of unit length, NaN where the encoder gave no finite answer; what was read, and how."""
    read = TextPass.empty(len(texts), 0)
    found: list[np.ndarray] = []
    known_as = f"{models.weights_hash(reader.model)} {models.build_digest(reader.model, settings=True)}"
    settings = ForwardSettings(
        unit_length, reader.padding(), known_as, token_budget=reader.token_budget, threads=reader.threads, pooled=True
    )
    with reader.lent() as model, progress_bar(len(texts), shown=progress, what="embedding") as advance:
        forward = OneDevice(model, settings)
        for tokens in reader.windows(texts):
            read.keep_facts(tokens)
            rows_a_token = len(tokens) / len(tokens.flat)

            def on_batch(rows: np.ndarray, values: np.ndarray, notes: dict[int, str], pace: float = rows_a_token) -> None:
                if not found:
                    found.append(np.full((len(texts), values.shape[1]), np.nan, dtype=np.float32))
                found[0][rows] = values
                read.notes.update(notes)
                advance(len(rows), float(read.tokens[rows].sum()) * pace)

            forward.run(tokens, np.arange(len(tokens)), "float32", on_batch)
    return found[0], read, {name: said for name, said in forward.report("float32").items() if name != "engine"}


def _labels_of(
    examples: Examples, label_names: Sequence[str] | None, label_map: Mapping[Any, str | None] | None
) -> AlignedLabels:
    if label_map is not None:
        names = label_names if label_names is not None else dict.fromkeys(name for name in label_map.values() if name is not None)
        called = "label_map" if label_names is None else "label_names"
        return examples.given.align(list(names), label_map=label_map, called=called)
    return examples.given.as_they_are()


def _always_batch_alike(reader: TextReader) -> None:
    """What is timed would choose other batches in each call, and their last bits differ."""
    import torch

    if reader.device.type == "cpu":
        reader.token_budget, reader.threads = CPU_TOKENS[0], torch.get_num_threads()


def check_rounds(rounds: int, neighbours: bool) -> None:
    """Refuse what is no number of rounds, and no yes or no."""
    if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1:
        raise InputError(f"Expected rounds to be a whole number of at least 1, found {rounds!r}. 2 is usual; 1 is one pass.")
    if not isinstance(neighbours, (bool, np.bool_)):
        raise InputError(f"Expected neighbours to be True or False, found {neighbours!r}.")


def _judged(
    embeddings: np.ndarray, labels: AlignedLabels, fold_of: np.ndarray, *, rounds: int, neighbours: bool, seed: int
) -> Judgement:
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threads = min(4, torch.get_num_threads())
    judged = np.isfinite(embeddings).all(axis=1)
    rows = Rows(labels.codes.astype(np.int64), fold_of, judged, len(labels.names), threads)
    with threadpool_limits(1):  # BLAS's own threads change sums, and wait in a spin for cores that others hold
        return judge_in_rounds(embeddings, rows, rounds=rounds, neighbours=neighbours, seed=seed)
