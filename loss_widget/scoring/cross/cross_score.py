"""cross_score(): every row judged by a model that never saw it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from loss_widget.data.examples import Examples, read_examples
from loss_widget.data.labels import NO_LABEL, AlignedLabels, align_labels
from loss_widget.data.texts import Texts
from loss_widget.errors import DataError, InputError
from loss_widget.scores.scores import Scores, callers_columns
from loss_widget.scoring import models
from loss_widget.scoring.cross.fine_tuning import Training, fine_tuned
from loss_widget.scoring.engine.forward import ForwardPass
from loss_widget.scoring.engine.stock import StockEngine, read_mean_pooled
from loss_widget.scoring.progress import progress_bar
from loss_widget.scoring.text_pass import TextPass
from loss_widget.scoring.text_reader import TextReader

_WAYS = ("head", "full")
INVERSE_PENALTY = 20.0
"""LogisticRegression's C on unit-length embeddings. On BANKING77 with MiniLM 10 and 20 both give an accuracy of 0.92."""


def cross_score(
    data: Any,
    model: Any,
    *,
    text: str | Sequence[str] = "text",
    label: str = "label",
    tokenizer: Any = None,
    label_names: Sequence[str] | None = None,
    label_map: Mapping[Any, str] | None = None,
    train: str = "head",
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
    the unit-length mean of its last hidden states one logistic regression is fitted per fold; no fine-tuned model is needed.
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
    training = Training(epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, seed=seed)
    examples = read_examples(data, text=text, label=label, label_names=label_names)
    callers_columns(examples.frame)  # a name that is taken is told before the wait
    labels = _labels_of(examples, label_names, label_map)
    _check_folds(folds, labels)
    base = models.load_base(model)
    reader = TextReader(models.encoder_of(base), tokenizer=tokenizer, max_length=max_length, device=device)
    fold_of = assign_folds(labels.codes, _text_groups(examples), folds=folds, seed=seed)
    how: dict[str, Any] = {}
    if train == "full":
        read = fine_tuned(reader, base, examples, labels, fold_of, training=training, progress=progress)
        log_probs, how = read.log_probs, asdict(training)
    else:
        embeddings, read, how = _embed(reader, Texts.of(examples.contents), progress=progress)
        log_probs = out_of_fold_log_probs(embeddings, labels, fold_of, progress=progress)
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


def assign_folds(label_ids: np.ndarray, groups: np.ndarray, *, folds: int, seed: int) -> np.ndarray:
    """(n,) int: a fold for each row, rows of one group together, each label spread evenly over the folds.

    `label_ids`, `groups`: (n,) integers. A group counts for the label of its first row. Linear in n, seeded.

    >>> assign_folds(np.array([0, 0, 1, 1]), np.array([0, 1, 2, 3]), folds=2, seed=0).tolist()
    [0, 1, 0, 1]
    """
    _, first, group_of = np.unique(groups, return_index=True, return_inverse=True)
    shuffled = np.random.default_rng(seed).permutation(len(first))
    by_label = shuffled[np.argsort(label_ids[first][shuffled], kind="stable")]
    fold_of_group = np.empty(len(first), dtype=np.int64)
    fold_of_group[by_label] = np.arange(len(first)) % folds
    fold_of: np.ndarray = fold_of_group[group_of]
    return fold_of


def unlearned(labels: AlignedLabels, fold_of: np.ndarray) -> dict[int, str]:
    """A note for each row whose label no row of another fold has."""
    notes: dict[int, str] = {}
    for code in np.unique(labels.codes[labels.codes != NO_LABEL]).tolist():
        rows = np.flatnonzero(labels.codes == code)
        if len(np.unique(fold_of[rows])) == 1:
            said = f"no row of another fold is labelled {labels.names[code]!r}, so that it could not be learned"
            notes |= dict.fromkeys(rows.tolist(), f"{said}: the loss says little")
    return notes


def out_of_fold_log_probs(
    embeddings: np.ndarray, labels: AlignedLabels, fold_of: np.ndarray, *, progress: bool = False
) -> np.ndarray:
    """(n, labels) float32: each fold judged by a logistic regression fitted on the other folds.

    `embeddings`: (n, width) float32, rows of unit length; NaN rows are neither learned from nor judged.
    """
    from tqdm.auto import tqdm

    judged = np.isfinite(embeddings).all(axis=1)
    log_probs = np.full((len(embeddings), len(labels.names)), np.nan, dtype=np.float32)
    for fold in tqdm(np.unique(fold_of), desc="fitting", unit="fold", disable=not progress):
        held_out = np.flatnonzero((fold_of == fold) & judged)
        others = np.flatnonzero((fold_of != fold) & judged & (labels.codes != NO_LABEL))
        if not len(held_out):
            continue
        known, probs = _fit_and_predict(embeddings[others], labels.codes[others], embeddings[held_out])
        log_probs[held_out] = _over_all_labels(probs, known, len(labels.names), learned_from=len(others))
    return log_probs


def _fit_and_predict(embeddings: np.ndarray, label_ids: np.ndarray, held_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    known = np.unique(label_ids)
    if len(known) < 2:
        return known, np.ones((len(held_out), len(known)))
    head = LogisticRegression(C=INVERSE_PENALTY, solver="lbfgs", tol=1e-4, max_iter=500)
    with warnings.catch_warnings(), threadpool_limits(1):  # a fit of seconds took minutes where BLAS's threads found busy cores
        warnings.simplefilter("ignore", ConvergenceWarning)
        head.fit(embeddings, label_ids)
    return known, head.predict_proba(held_out)


def _over_all_labels(probs: np.ndarray, known: np.ndarray, n_labels: int, *, learned_from: int) -> np.ndarray:
    """Log-probabilities over all labels; one that was never seen gets 1 / (rows + labels), as one unseen row would."""
    smallest = 1.0 / (learned_from + n_labels)
    full = np.full((len(probs), n_labels), smallest)
    full[:, known] = np.maximum(probs, np.finfo(np.float32).tiny) * (1.0 - smallest * (n_labels - len(known)))
    logs: np.ndarray = np.log(full / full.sum(axis=1, keepdims=True))
    return logs.astype(np.float32)


def _embed(reader: TextReader, texts: Texts, *, progress: bool) -> tuple[np.ndarray, TextPass, dict[str, Any]]:
    """(n, width) float32 embeddings of unit length, NaN where the encoder gave no finite answer; what was read, and how."""
    read = TextPass.empty(len(texts), 0)
    found: list[np.ndarray] = []
    with reader.lent() as model, progress_bar(len(texts), shown=progress, what="embedding") as advance:
        engine = StockEngine(model, read_mean_pooled, padding=reader.padding())
        forward = ForwardPass(engine, reader.pace())
        for tokens in reader.windows(texts):
            read.keep_facts(tokens)
            here, rows_a_token = np.arange(len(tokens)), len(tokens) / len(tokens.flat)
            if not found:
                engine.choose_batching(tokens, here)

            def on_batch(rows: np.ndarray, values: np.ndarray, notes: dict[int, str], pace: float = rows_a_token) -> None:
                if not found:
                    found.append(np.full((len(texts), values.shape[1]), np.nan, dtype=np.float32))
                found[0][rows] = values
                read.notes.update(notes)
                advance(len(rows), float(read.tokens[rows].sum()) * pace)

            forward.run(tokens, here, on_batch)
    embeddings = found[0]
    length = np.linalg.norm(embeddings, axis=1, keepdims=True)
    embeddings /= np.maximum(length, np.finfo(np.float32).tiny)
    return embeddings, read, forward.report()


def _labels_of(examples: Examples, label_names: Sequence[str] | None, label_map: Mapping[Any, str] | None) -> AlignedLabels:
    if label_map is not None:
        targets = list(label_names) if label_names is not None else list(dict.fromkeys(label_map.values()))
        called = "label_map" if label_names is None else "label_names"
        return align_labels(examples.given, targets, label_map=label_map, called=called)
    given = examples.given
    return AlignedLabels(given.codes, given.names, given.values)


def _check_folds(folds: int, labels: AlignedLabels) -> None:
    found = np.unique(labels.codes[labels.codes != NO_LABEL])
    if len(found) < 2:
        raise DataError(f"Expected rows of at least two labels to tell apart, found {len(found)} in use. Check the label column.")
    labelled = int((labels.codes != NO_LABEL).sum())
    if isinstance(folds, bool) or not isinstance(folds, int) or not 2 <= folds <= labelled:
        possible = f"from 2 to {labelled}" if labelled > 2 else "= 2"
        raise InputError(f"Expected folds {possible}, the number of labelled rows, found {folds!r}.")


def _text_groups(examples: Examples) -> np.ndarray:
    """(n,) integers, equal where the text (both texts of a pair) is the same."""
    groups = np.zeros(len(examples), dtype=np.int64)
    for words in Texts.of(examples.contents).columns:
        groups = groups * len(examples) + np.asarray(words.combine_chunks().dictionary_encode().indices)
    return groups
