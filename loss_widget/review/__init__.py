"""Scores under review: pages of rows, decisions on them, the journal, and the labels as they now stand.

Each module imports only from those below it:

    session           ReviewSession, the one owner: a lock, and a verb for everything that can be done or asked
    questions         pages, counts, previews, progress
    rows              rows as a reviewer sees them
    panes             the histogram of losses, the confusion matrix, counts for filters
    outcome           the summary, the list of changes, the corrected frame
    open_source       Scores or a DataFrame → Review
    apply_changes     the changes made again in another copy of the data
    review_state      Review: table, decisions and label column; how a journal keeps and restores them
    journal/          decisions on disk; which file and whose session; decisions found again in other data
    estimate          how many errors are left, by a spot check; what was found so far
    decisions         Decision, and the labels as they now stand: apply, undo, redo
    table             all rows in order; answers a Query
    query             Query and Page: what can be asked, and what comes back
    label_column      the caller's label column, written on the main thread
    further_columns   values of other columns, to be shown
    text/             search, data issues ("quirks"), duplicates, scripts
"""

from loss_widget.review.apply_changes import apply_changes
from loss_widget.review.decisions import Decision
from loss_widget.review.query import VERDICTS, Page, PageRow, Query
from loss_widget.review.session import ReviewSession
from loss_widget.review.text.quirks import QUIRKS

__all__ = ["QUIRKS", "VERDICTS", "Decision", "Page", "PageRow", "Query", "ReviewSession", "apply_changes"]
