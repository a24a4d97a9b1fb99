"""What a model thinks of every example: losses, log-probabilities, and where they came from.

multi_label                       MultiLabelScores: several labels a row
scores                            Scores
parquet_folder · parquet_file     Scores on disk
probabilities                     losses, margins, checks on probabilities from elsewhere
"""
