"""Scores under review: pages of rows, decisions on them, the journal, and the labels as they now stand.

source     Scores or a DataFrame → table and label column
table      rows in order; answers a Query
query      Query, Page: what may be asked, and what comes back
decisions  Decision, and the labels as they now stand: apply, undo
frame      the caller's label column, written on the main thread
journal    decisions on disk; lock: whose process; shelf: which file, whose session
resume     journalled decisions found again in this data
record     decisions joined with the journal
rows       rows as a reviewer sees them
outcome    the summary, the list of changes, the corrected frame
apply      the changes made again in another copy of the data
session    ReviewSession: the one owner of all of them
"""

from loss_widget.review.apply import apply_changes
from loss_widget.review.decisions import Decision
from loss_widget.review.query import VERDICTS, Page, PageRow, Query
from loss_widget.review.session import ReviewSession

__all__ = ["VERDICTS", "Decision", "Page", "PageRow", "Query", "ReviewSession", "apply_changes"]
