"""A model over Examples → Scores. The only importer of torch, transformers and scikit-learn, and only inside functions.

But for `dynamics`, whose LossRecorder is a callback of transformers': it is loaded when it is asked for, as `distributed` is.
"""

from loss_widget.scoring.background import ScoringRun, start_scoring
from loss_widget.scoring.out_of_fold import cross_score
from loss_widget.scoring.passes import TextPass
from loss_widget.scoring.plan import score
from loss_widget.scoring.scorer import Scorer

__all__ = ["Scorer", "ScoringRun", "TextPass", "cross_score", "score", "start_scoring"]
