"""score_with_ray(): the same scorer on Ray Data, on as many machines as there are. The only importer of ray."""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from loss_widget import errors
from loss_widget.data.columns import column_position
from loss_widget.data.contents import ContentColumns
from loss_widget.data.label_space import AlignedLabels
from loss_widget.data.texts import content_columns
from loss_widget.errors import InputError, LossWidgetError, ModelError
from loss_widget.scores import parquet_folder
from loss_widget.scores.label_order import check_permutation
from loss_widget.scores.parquet_file import OWN
from loss_widget.scores.scores import Scores, callers_columns
from loss_widget.scoring import models
from loss_widget.scoring.engine.autocast import without_autocast
from loss_widget.scoring.on_ray.parquet_parts import ParquetRows, fingerprint, open_parquet, parquet_files, stage, tables_of
from loss_widget.scoring.on_ray.part_scorer import ColumnLabels, Job, PartScorer, check_part
from loss_widget.scoring.scorer import Scorer

_EARLY_ROWS = 500
_STREAMED_ROWS = 16_384
_STARTS = 3


def score_with_ray(
    data_or_paths: Any,
    model: Any,
    *,
    out: str | os.PathLike[str],
    workers: int = 2,
    text: str | Sequence[str] = "text",
    label: str = "label",
    tokenizer: Any = None,
    label_names: Sequence[str] | None = None,
    label_map: Mapping[Any, str | None] | None = None,
    max_length: int | None = None,
    precision: str = "exact",
    progress: bool = True,
    in_sample: bool | None = None,
    cpus_per_worker: int | None = None,
    rows_per_part: int | None = None,
) -> Scores:
    """`lw.score` on a Ray cluster: the same numbers, computed by `workers` processes into the folder `out`.

    `data_or_paths`: Parquet files or directories (a path, or a list of paths; their rows never pass through this process), a Ray
    or `datasets` Dataset, or any data of `lw.score`. `out`: a new folder; all machines must see it, and the Parquet files, under
    the same path. It gets one Parquet file for every `rows_per_part` rows, with the data's columns, those of `Scores.frame`, the
    log-probabilities and `__row__`, the position in the data. Written last is `_scores.json`: only then can `Scores.load(out)`
    open it, with the frame and the log-probabilities in memory.

    A worker that dies is replaced and its part done again; where this process dies, the same call does only what is missing. An
    `out` made from other data, weights or settings is refused (`ExportError`). Each worker gets `cpus_per_worker` CPUs (default:
    its share of the cluster) and a GPU where there are any. Ray is started on this machine unless it runs already. The other
    arguments are those of `lw.score`; `precision="fast"` is refused, since its cut needs the losses of all rows.

    >>> scores = score_with_ray("reviews/", model, out="scores", workers=8)  # doctest: +SKIP
    >>> Scores.load("scores").top(3)  # doctest: +SKIP
    """
    if precision != "exact":
        raise InputError(
            f'Expected precision="exact" (float32), found {precision!r}: where "fast" cuts depends on the losses of all rows. '
            "Leave it out, or call `lw.score`."
        )
    _check_counts(workers=workers, cpus_per_worker=cpus_per_worker, rows_per_part=rows_per_part)
    _import_ray()
    started, shown, folder = time.perf_counter(), content_columns(text), Path(out).expanduser().absolute()
    scorer = Scorer(_on_cpu(model), tokenizer=tokenizer, max_length=max_length, device="cpu")
    if scorer.multi_label:
        raise ModelError("Expected a model of one label a row, found a multi-label one. Call `lw.score`, which judges it.")
    parquet_folder.claim(folder)
    rows, source, known = _rows_of(data_or_paths, folder / "_input", text=shown.names, label=label)
    kept, has_names = _kept(rows.schema, shown, label), label_names is not None
    names = label_names if has_names else known
    labels = ColumnLabels.of(rows, label, scorer.label_names, names, label_map, by_position=not has_names)
    made_from = {
        "data": source,
        "weights": models.weights_hash(scorer.model),
        "model's build (config, modules, hooks)": scorer.build_digest(),
        "tokenizer": scorer.tokenizer_digest(),
        "max_length": str(scorer.max_length),
        "text, label": repr((shown.spelled, label)),
        "label names": repr(labels.aligned.space),
    }
    job = Job(scorer, rows, rows.parts(rows_per_part), kept, shown, label, labels, folder)
    is_finished = parquet_folder.begin(folder, rows=rows.rows, parts=len(job.parts), made_from=made_from)
    there = (number for number in range(len(job.parts)) if parquet_folder.part_path(folder, number).exists())
    if (number := next(there, None)) is not None:
        check_part(job, number)
    if not is_finished:
        told_by_all = _Told(labels.aligned)
        with running_ray(), without_autocast(scorer.model):
            for told_by_one in _run(job, workers, cpus_per_worker, progress):
                told_by_all.add(told_by_one)
        told_by_all.check()
        seconds = round(time.perf_counter() - started, 3)
        provenance = told_by_all.provenance(rows=rows.rows, seconds=seconds, workers=workers, in_sample=in_sample)
        parquet_folder.finish(folder, provenance=provenance)
    shutil.rmtree(folder / "_input", ignore_errors=True)
    return Scores.load(folder)


@contextlib.contextmanager
def running_ray() -> Iterator[None]:
    """A running Ray: the one that is there, else one of our own, which ends with the block. Its chatter is silenced."""
    import ray

    loggers = [logging.getLogger(name) for name in ("ray", "ray.data")]
    levels = [logger.level for logger in loggers]
    started = not ray.is_initialized()
    try:
        if started:
            _start_ray()
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        yield
    finally:
        if started:
            ray.shutdown()
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _start_ray() -> None:
    """Ray without dashboard and usage reports. Its agents must be up in 15 s (ray-project/ray#65983), else it is tried again."""
    import ray

    reports = os.environ.get("RAY_USAGE_STATS_ENABLED")
    os.environ["RAY_USAGE_STATS_ENABLED"] = reports or "0"
    try:
        for tries_left in reversed(range(_STARTS)):
            try:
                ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
                return
            except Exception as error:  # Ray raises no narrower one
                ray.shutdown()
                if "timed out during startup" not in str(error):
                    raise
                if not tries_left:
                    raise LossWidgetError(
                        f"Expected Ray to start on this machine, found that its processes did not come up in {_STARTS} tries. "
                        "Stop what else is running and call again, or start Ray yourself (`ray start --head`, then "
                        '`ray.init("auto")`).'
                    ) from error
    finally:
        if reports is None:
            del os.environ["RAY_USAGE_STATS_ENABLED"]


class _Worker:
    """The callable class that Ray Data keeps in each process of the pool."""

    def __init__(self, job: list[Any]) -> None:
        import ray

        threads = int(os.environ.get("OMP_NUM_THREADS", "1"))  # Ray sets it to the worker's share of CPUs
        os.environ["RAYON_NUM_THREADS"] = str(threads)  # the tokenizer's threads
        self._scorer = PartScorer(ray.get(job[0]), device="cuda" if ray.get_gpu_ids() else "cpu", threads=threads)

    def __call__(self, batch: pa.Table) -> pa.Table:
        return pa.Table.from_pylist([self._told(number) for number in batch["part"].to_pylist()])

    def _told(self, number: int) -> dict[str, Any]:
        """What became of a part; an error of ours as words, since Ray hands on the text of an exception but not its cause."""
        try:
            return {**self._scorer.score(number), "error": "", "kind": ""}
        except LossWidgetError as error:
            nothing = {"rows": 0, "resumed": 0, "usable": 0, "agreeing": 0, "codes": b"", "log_probs": b"", "provenance": "{}"}
            return {**nothing, "error": str(error), "kind": type(error).__name__}


class _Told:
    """What the workers reported of their parts, summed up."""

    def __init__(self, labels: AlignedLabels) -> None:
        self._labels = labels
        self._parts: list[Mapping[str, Any]] = []
        self._made: list[dict[str, Any]] = []
        self._codes: list[np.ndarray] = []
        self._log_probs: list[np.ndarray] = []
        self._sampled = 0

    def add(self, report: Mapping[str, Any]) -> None:
        self._codes.append(np.frombuffer(report["codes"], dtype=np.int32))
        self._log_probs.append(np.frombuffer(report["log_probs"], dtype=np.float32).reshape(-1, len(self._labels.names)))
        self._made.append(json.loads(report["provenance"]))
        self._parts.append(report)
        before, self._sampled = self._sampled, self._sampled + len(self._codes[-1])
        if before < _EARLY_ROWS <= self._sampled and not self._labels.believed:
            self.check()  # a wrong order is reported before the wait

    def check(self) -> None:
        check_permutation(replace(self._labels, ids=np.concatenate(self._codes)), np.concatenate(self._log_probs))

    def provenance(self, **more: Any) -> dict[str, Any]:
        usable = sum(part["usable"] for part in self._parts)
        agreeing = sum(part["agreeing"] for part in self._parts)
        several = ("engine", "device", "batching")
        return {
            **self._made[0],
            **{name: " and ".join(sorted({str(made[name]) for made in self._made})) for name in several},
            "out_of_memory": sum(made["out_of_memory"] for made in self._made),
            "accuracy": round(agreeing / usable, 4) if usable else None,
            "resumed_rows": sum(part["resumed"] for part in self._parts),
            "parts": len(self._parts),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            **more,
        }


def _run(job: Job, workers: int, cpus: int | None, progress: bool) -> Iterator[dict[str, Any]]:
    """Every part through an actor pool that holds the model; what became of each, in the order they are done."""
    import ray
    from tqdm.auto import tqdm

    numbers = [{"part": number} for number in range(len(job.parts))]
    parts = ray.data.from_items(numbers, override_num_blocks=len(numbers))
    parts.context.enable_progress_bars = False
    done = parts.map_batches(
        _Worker,
        fn_constructor_args=([ray.put(job)],),
        batch_size=1,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(numbers))),
        **_share(workers, cpus),
    )
    with tqdm(total=job.source.rows, desc="scoring", unit=" rows", disable=not progress) as bar:
        for part in done.iter_rows():
            if part["error"]:
                raise getattr(errors, part["kind"], LossWidgetError)(part["error"])
            bar.update(part["rows"])
            yield part


def _share(workers: int, cpus: int | None) -> dict[str, Any]:
    """The CPUs and GPUs of one worker: as many whole CPUs as leave room for all workers on the nodes that there are."""
    import ray

    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cores = [int(resources.get("CPU", 0)) for resources in nodes]
    gpus = int(sum(resources.get("GPU", 0) for resources in nodes))
    fitting = [share for share in range(1, max(cores, default=0) + 1) if sum(n // share for n in cores) >= workers]
    share = cpus or max(fitting, default=1 / -(-workers // max(1, sum(cores))))
    return {"num_cpus": share, "num_gpus": 1 / -(-workers // gpus) if gpus else 0}


def _rows_of(data: Any, folder: Path, *, text: Sequence[str], label: str) -> tuple[ParquetRows, str, list[str] | None]:
    """The data as rows of Parquet, staged in `folder` unless it is; what tells it from others; its label names if it knows."""
    paths = parquet_files(data)
    if paths is not None:
        return open_parquet(paths), fingerprint(paths), None
    tables: Iterable[pa.Table]
    layout: dict[str, Any] = {}
    names: list[str] | None = None
    if type(data).__module__.startswith("ray.data"):
        tables = _in_order(data)
    else:
        tables, layout, names = tables_of(data, text=text, label=label)
    shutil.rmtree(folder, ignore_errors=True)
    staged = stage(tables, folder)
    return open_parquet([staged], layout=layout), staged.stem, names


def _in_order(dataset: Any) -> Iterator[pa.Table]:
    options = dataset.context.execution_options
    before, options.preserve_order = options.preserve_order, True
    try:
        yield from dataset.iter_batches(batch_size=_STREAMED_ROWS, batch_format="pyarrow")
    finally:
        options.preserve_order = before


def _kept(schema: pa.Schema, shown: ContentColumns, label: str) -> list[str]:
    """The caller's columns; `ColumnError` where those of text and label are not among them."""
    frame = pd.DataFrame(columns=[name for name in schema.names if name not in (*OWN, parquet_folder.ROW)])
    for name in (*shown.names, label):
        column_position(frame, name)
    return list(callers_columns(frame).columns)


def _on_cpu(model: Any) -> Any:
    """The model, or a copy of one that is on a GPU: workers need not have one."""
    parameters = model.parameters() if callable(getattr(model, "parameters", None)) else ()
    if all(p.device.type == "cpu" for p in parameters):
        return model
    with without_autocast(model):
        return copy.deepcopy(model).cpu()


def _check_counts(**counts: Any) -> None:
    for name, value in counts.items():
        if (value is not None or name == "workers") and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise InputError(f"Expected {name} to be a whole number of at least 1, found {value!r}.")


def _import_ray() -> None:
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise InputError(
            f'Expected Ray to be installed, found that it is not ({error}). Install it: pip install "loss-widget[ray]"'
        ) from error
