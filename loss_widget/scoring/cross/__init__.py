"""Out-of-fold Scores: every row judged by a model that never saw it."""
