"""What a model thinks of every example: losses, log-probabilities, and where they came from.

multi_label                       MultiLabelScores: several labels a row
scores                            Scores
label_order                       whether another order of the label names would fit far better
nearest                           the nearest rows of each, by their embeddings
probabilities                     checks on probabilities from elsewhere
parquet_folder · parquet_file     Scores on disk
state                             what makes Scores, as plain data
"""

from loss_widget.scores.multi_label import MultiLabelScores
from loss_widget.scores.scores import Scores

__all__ = ["MultiLabelScores", "Scores"]  # loaded with the package: kinds of Scores register themselves
