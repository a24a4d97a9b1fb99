"""lw.score_with_ray on a real Ray of two CPUs: the numbers of lw.score, whatever dies on the way."""

from __future__ import annotations

import gc
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.dataset
import pytest
import transformers
from accelerate import Accelerator
from tiny_models import wordpiece

import loss_widget as lw
from loss_widget.errors import ColumnError, DataError, ExportError, InputError, LabelMismatch, ModelError
from loss_widget.scoring.on_ray.score_with_ray import running_ray

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\.data\.context"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),  # of a start that timed out
    pytest.mark.filterwarnings("ignore:.*Ray will no longer override accelerator:FutureWarning"),
]
RUN = {"workers": 2, "rows_per_part": 40, "progress": False}
ROWS = 1_000


@pytest.fixture(scope="module")
def local_ray() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # else it writes a token into the home directory
        with running_ray():
            gc.collect()  # else a test of another module is told of processes of a start that timed out
            yield


@pytest.fixture(scope="module")
def rows(banking_test: pd.DataFrame) -> pd.DataFrame:
    frame = banking_test.head(ROWS).assign(seen=np.arange(ROWS) / 2)
    frame.loc[3, "label"] = None
    frame.loc[4, "text"] = None
    return frame


@pytest.fixture(scope="module")
def data(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two Parquet files whose names sort in the order of the rows."""
    folder = tmp_path_factory.mktemp("data")
    rows.iloc[:700].to_parquet(folder / "0.parquet", row_group_size=150)
    rows.iloc[700:].to_parquet(folder / "1.parquet")
    return folder


@pytest.fixture(scope="module")
def local(data: Path, classifier_folder: Path) -> lw.Scores:
    return lw.score(pd.read_parquet(data), classifier_folder, progress=False)


@pytest.fixture(scope="module")
def finished(
    local_ray: None, data: Path, classifier_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[lw.Scores, Path, int]:
    """A run during which a worker was killed; its folder; the parts that were there at that moment."""
    out = tmp_path_factory.mktemp("runs") / "out"
    parts_then: list[int] = []
    killer = threading.Thread(target=kill_a_worker, args=(out, parts_then), daemon=True)
    killer.start()
    scores = lw.score_with_ray(data, str(classifier_folder), out=out, **RUN)
    killer.join(60)
    return scores, out, parts_then[0]


def kill_a_worker(out: Path, parts_then: list[int]) -> None:
    """SIGKILL for one of Ray's two processes that hold our scorer, as soon as the first part is there."""
    deadline = time.monotonic() + 200
    workers: list[psutil.Process] = []
    while not (workers and any(out.glob("part-*.parquet"))) and time.monotonic() < deadline:
        workers = workers or [process for process in psutil.Process().children(recursive=True) if is_worker(process)]
        time.sleep(0.002)
    workers[0].kill()
    parts_then.append(len(list(out.glob("part-*.parquet"))))


def is_worker(process: psutil.Process) -> bool:
    try:
        return process.name().startswith("ray::MapWorker")
    except psutil.Error:
        return False


def assert_same(scores: lw.Scores, local: lw.Scores) -> None:
    pd.testing.assert_frame_equal(scores.frame, local.frame, rtol=0, atol=1e-5)
    np.testing.assert_allclose(scores.log_probs, local.log_probs, rtol=0, atol=1e-5)
    for name in ("label_names", "text", "label"):
        assert getattr(scores, name) == getattr(local, name)
    assert (scores.keys == local.keys).all()
    assert (scores.given_ids == local.given_ids).all()


def test_killing_a_worker_half_way_changes_no_number(finished: Any, local: lw.Scores) -> None:
    scores, out, parts_then = finished
    assert 1 <= parts_then < len(list(out.glob("part-*.parquet")))
    assert_same(scores, local)
    assert_same(lw.Scores.load(out), local)
    assert scores.provenance["weights_sha256"] == local.provenance["weights_sha256"]
    assert scores.provenance["rows"] == ROWS


def test_the_parts_are_plain_parquet_with_row_ids(finished: Any, local: lw.Scores) -> None:
    table = pyarrow.dataset.dataset(finished[1], format="parquet").to_table().to_pandas().set_index("__row__").sort_index()
    assert table.index.tolist() == list(range(ROWS))
    np.testing.assert_allclose(table["loss"], local.frame["loss"], rtol=0, atol=1e-5)
    assert table["predicted_label"].tolist() == local.frame["predicted_label"].tolist()


def test_the_same_call_on_a_finished_folder_returns_at_once(finished: Any, data: Path, classifier_folder: Path) -> None:
    before = sorted((p.name, p.stat().st_mtime_ns) for p in finished[1].iterdir())
    assert_same(lw.score_with_ray(data, str(classifier_folder), out=finished[1], **RUN), finished[0])
    assert sorted((p.name, p.stat().st_mtime_ns) for p in finished[1].iterdir()) == before


def test_an_unfinished_run_says_how_far_it_is_and_goes_on(
    finished: Any, data: Path, classifier_folder: Path, local: lw.Scores, tmp_path: Path
) -> None:
    out = shutil.copytree(finished[1], tmp_path / "died")
    (out / "_scores.json").unlink()
    for number in (0, 5):
        (out / f"part-{number:06d}.parquet").unlink()
    with pytest.raises(DataError, match=r"unfinished run.*920 of 1,000 rows are there"):
        lw.Scores.load(out)
    with pytest.raises(ExportError, match="another value of: max_length"):
        lw.score_with_ray(data, str(classifier_folder), out=out, max_length=16, **RUN)
    scores = lw.score_with_ray(data, str(classifier_folder), out=out, **{**RUN, "workers": 1})
    assert_same(scores, local)
    assert scores.provenance["resumed_rows"] == 920


def test_what_changes_a_number_is_never_mixed(finished: Any, data: Path, classifier_folder: Path) -> None:
    def loaded() -> tuple[Any, Any]:
        model = transformers.AutoModelForSequenceClassification.from_pretrained(classifier_folder)
        return model, transformers.AutoTokenizer.from_pretrained(classifier_folder)

    def again(model: Any, tokenizer: Any) -> lw.Scores:
        return lw.score_with_ray(data, model, tokenizer=tokenizer, out=finished[1], **RUN)

    model, tokenizer = loaded()
    model.bert.encoder.layer[0].attention.self.scaling *= 1.5
    with pytest.raises(ExportError, match="another forward pass"):
        again(model, tokenizer)
    model, tokenizer = loaded()
    tokenizer.truncation_side = "left"
    with pytest.raises(ExportError, match="another value of: tokenizer"):
        again(model, tokenizer)
    model, tokenizer = loaded()
    assert_same(again(Accelerator(cpu=True, mixed_precision="bf16").prepare(model), tokenizer), finished[0])


def test_a_ray_dataset_keeps_its_order(local_ray: None, rows: pd.DataFrame, classifier_folder: Path, tmp_path: Path) -> None:
    import ray.data

    frame = rows.iloc[5:305].reset_index(drop=True)
    blocks = ray.data.from_arrow([pa.Table.from_pandas(frame.iloc[start : start + 60]) for start in range(0, 300, 60)])
    scores = lw.score_with_ray(blocks, str(classifier_folder), out=tmp_path / "out", workers=1, progress=False)
    assert_same(scores, lw.score(frame, classifier_folder, progress=False))
    assert not (tmp_path / "out" / "_input").exists()


def test_what_a_worker_finds_wrong_is_said_as_score_says_it(local_ray: None, rows: pd.DataFrame, tmp_path: Path) -> None:
    config = transformers.BertConfig(
        vocab_size=40, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, num_labels=77
    )
    config.id2label = dict(enumerate(sorted(set(rows["label"].dropna()) | {f"other {i}" for i in range(77)})[:77]))
    model = transformers.BertForSequenceClassification(config)
    with pytest.raises(ModelError, match=r"token ids below 40.*Rows are counted from row"):
        lw.score_with_ray(
            rows[rows["label"].isin(config.id2label.values())],
            model,
            tokenizer=wordpiece(),
            out=tmp_path / "out",
            workers=1,
            progress=False,
        )


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"precision": "fast"}, InputError, "losses of all rows"),
        ({"workers": 0}, InputError, "workers"),
        ({"label": "Label"}, ColumnError, "did you mean 'label'"),
        ({"label": "seen"}, lw.errors.LabelError, "a name .str. or an id"),
        ({"label_map": {"Refund_not_showing_up": "nothing of the kind"}}, LabelMismatch, "label_map"),
    ],
)
def test_what_cannot_work_is_refused_before_any_work(
    data: Path, classifier_folder: Path, tmp_path: Path, options: dict[str, Any], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        lw.score_with_ray(data, str(classifier_folder), out=tmp_path / "out", **options)
    assert not list(tmp_path.rglob("part-*"))


def test_a_folder_that_is_not_ours_is_left_alone(data: Path, classifier_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(ExportError, match=r"found 'thesis\.txt'"):
        lw.score_with_ray(data, str(classifier_folder), out=tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(DataError, match=r"written by lw\.score_with_ray"):
        lw.Scores.load(tmp_path)


def test_a_lost_part_is_named(finished: Any, tmp_path: Path) -> None:
    out = shutil.copytree(finished[1], tmp_path / "copy")
    (out / "part-000003.parquet").unlink()
    with pytest.raises(DataError, match=r"'part-000003\.parquet'"):
        lw.Scores.load(out)
