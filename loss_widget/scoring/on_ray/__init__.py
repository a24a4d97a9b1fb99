"""Scores of data that many machines judge. The only importer of ray."""
