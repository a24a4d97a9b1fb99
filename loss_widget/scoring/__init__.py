"""A model over Examples → Scores. The only importer of torch, transformers and scikit-learn, and only inside functions.

But for `dynamics`, whose LossRecorder is a callback of transformers': it is loaded when it is asked for, as `distributed` is.
"""

from loss_widget.scoring.cross.cross_score import cross_score
from loss_widget.scoring.score import score
from loss_widget.scoring.scorer import Scorer
from loss_widget.scoring.scoring_run import ScoringRun, start_scoring
from loss_widget.scoring.text_pass import TextPass

__all__ = ["Scorer", "ScoringRun", "TextPass", "cross_score", "score", "start_scoring"]
