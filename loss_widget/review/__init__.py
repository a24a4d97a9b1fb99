"""Scores under review: pages of rows, decisions on them, the journal, and the labels as they now stand.

source     Scores or a DataFrame → table and label column
table      rows in order; answers a Query
texts      a column of texts by parts; columns: further columns, as text
quirks     what is odd about a row; duplicates: rows of the same words; scripts: which letters a text is in
query      Query, Page: what may be asked, and what comes back
navigators a histogram of losses, a confusion matrix, counts for filters
estimate   how many errors are left, by a spot check; progress: what was found so far
decisions  Decision, and the labels as they now stand: apply, undo
frame      the caller's label column, written on the main thread
journal    decisions on disk; lock: whose process; shelf: which file, whose session
resume     journalled decisions found again in this data
record     decisions joined with the journal
rows       rows as a reviewer sees them
outcome    the summary, the list of changes, the corrected frame
apply      the changes made again in another copy of the data
arguments  what callers hand in, checked
overview   all that may be asked; session: ReviewSession, the one owner, and all that may be done
"""

from loss_widget.review.apply import apply_changes
from loss_widget.review.decisions import Decision
from loss_widget.review.query import VERDICTS, Page, PageRow, Query
from loss_widget.review.quirks import QUIRKS
from loss_widget.review.session import ReviewSession

__all__ = ["QUIRKS", "VERDICTS", "Decision", "Page", "PageRow", "Query", "ReviewSession", "apply_changes"]
