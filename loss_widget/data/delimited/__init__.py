"""Delimited text: how a file is written (format), where its parts stand (shape), and its cells (parse)."""
