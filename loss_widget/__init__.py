"""Find and fix wrong labels, inside the notebook, with the model's own loss.

    scores = lw.score(data, model)      # every labelled example judged by the model
    widget = lw.LossWidget(scores)      # a loss-sorted grid in the cell; click a row, its label changes
    widget.df                           # the DataFrame, corrected so far
    widget.export("clean.parquet")

The flow, and the modules that show it (each imports only what stands above it):

    errors          every error a user can meet, drawn as a tree
    atomic          files that are wholly written or not there
    labels          class names, ids and column values; a model's names matched with the data's
    label_sets      columns of several labels a row: lists of names, lists of ids, 0/1 vectors
    examples        any labelled data → Examples
    probabilities   losses and margins; checks on probabilities from elsewhere
    scores          Scores; scores_file and scores_directory: Scores on disk; multi_label: Scores of sets of labels
    export          a frame on its way out: a file, a Dataset
    scoring/        a model over Examples → Scores (the only importer of torch and transformers)
    review/         Scores → pages and decisions → journal → labels as they now stand
    widget/         a review in a notebook cell (the only importer of anywidget)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loss_widget.multi_label import MultiLabelScores
    from loss_widget.review import Page, Query, ReviewSession, apply_changes
    from loss_widget.scores import Scores
    from loss_widget.scoring import Scorer, ScoringRun, cross_score, score, start_scoring
    from loss_widget.scoring.distributed import score_with_ray
    from loss_widget.scoring.dynamics import LossRecorder
    from loss_widget.widget import LossWidget

__version__ = "0.1.0"

_HOME = {
    "LossRecorder": "loss_widget.scoring.dynamics",
    "LossWidget": "loss_widget.widget",
    "MultiLabelScores": "loss_widget.multi_label",
    "Page": "loss_widget.review",
    "Query": "loss_widget.review",
    "ReviewSession": "loss_widget.review",
    "Scorer": "loss_widget.scoring",
    "Scores": "loss_widget.scores",
    "ScoringRun": "loss_widget.scoring",
    "apply_changes": "loss_widget.review",
    "cross_score": "loss_widget.scoring",
    "errors": "loss_widget",
    "score": "loss_widget.scoring",
    "score_with_ray": "loss_widget.scoring.distributed",
    "start_scoring": "loss_widget.scoring",
}

__all__ = [
    "LossRecorder",
    "LossWidget",
    "MultiLabelScores",
    "Page",
    "Query",
    "ReviewSession",
    "Scorer",
    "Scores",
    "ScoringRun",
    "apply_changes",
    "cross_score",
    "errors",
    "score",
    "score_with_ray",
    "start_scoring",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'loss_widget' has no attribute {name!r}")
    if name == "errors":
        return importlib.import_module("loss_widget.errors")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
