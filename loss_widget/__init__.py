"""Find and fix wrong labels, inside the notebook, with the model's own loss.

    scores = lw.score(data, model)      # every labelled example judged by the model
    widget = lw.LossWidget(scores)      # a loss-sorted grid in the cell; click a row, its label changes
    widget.df                           # the DataFrame, corrected so far
    widget.export("clean.parquet")

The flow, and the rooms that show it (each imports only from those below it):

    command_line/  the same from a terminal: `loss-widget --help`
    widget/     a review in a notebook cell (the only importer of anywidget)
    review/     Scores → pages and decisions → journal → labels as they now stand (needs no torch)
    scoring/    a model over Examples → Scores (the only importer of torch and transformers)
    scores/     what a model thinks of every example: losses, log-probabilities, where they came from
    data/       labelled data on its way in (Examples) and out (a file, a Dataset)
    errors      every error a user can meet, drawn as a tree
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loss_widget.data.files import read
    from loss_widget.review import Page, Query, ReviewSession, apply_changes
    from loss_widget.scores.example import example
    from loss_widget.scores.multi_label import MultiLabelScores
    from loss_widget.scores.scores import Scores
    from loss_widget.scoring import Scorer, ScoringRun, cross_score, score, start_scoring
    from loss_widget.scoring.loss_recorder import LossRecorder
    from loss_widget.scoring.on_ray.score_with_ray import score_with_ray
    from loss_widget.widget import LossWidget

__version__ = "0.1.0"

_HOME = {
    "LossRecorder": "loss_widget.scoring.loss_recorder",
    "LossWidget": "loss_widget.widget",
    "MultiLabelScores": "loss_widget.scores.multi_label",
    "Page": "loss_widget.review",
    "Query": "loss_widget.review",
    "ReviewSession": "loss_widget.review",
    "Scorer": "loss_widget.scoring",
    "Scores": "loss_widget.scores.scores",
    "ScoringRun": "loss_widget.scoring",
    "apply_changes": "loss_widget.review",
    "cross_score": "loss_widget.scoring",
    "errors": "loss_widget",
    "example": "loss_widget.scores.example",
    "read": "loss_widget.data.files",
    "score": "loss_widget.scoring",
    "score_with_ray": "loss_widget.scoring.on_ray.score_with_ray",
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
    "example",
    "read",
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
