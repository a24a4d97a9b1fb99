"""Scores under review: pages of rows, decisions on them, the journal, and the labels as they now stand.

Each module imports only from those below it:

    session        ReviewSession, the one owner: a lock and everything that can be done
    questions      everything that can be asked
    outcome        the summary, the list of changes, the corrected frame
    panes          the histogram of losses, the confusion matrix, counts for filters
    review_state   decisions joined with the journal
    rows           rows as a reviewer sees them
    journal/       decisions on disk; which file and whose session; decisions found again in other data
    apply_changes  the changes made again in another copy of the data
    open_source    Scores or a DataFrame → table and label column
    label_column   the caller's label column, written on the main thread
    estimate       how many errors are left, by a spot check; what was found so far
    decisions      Decision, and the labels as they now stand: apply, undo, redo
    table          all rows in order; answers a Query
    query          Query and Page: what can be asked, and what comes back
    text/          search, data issues ("quirks"), duplicates, scripts
"""

from loss_widget.review.apply_changes import apply_changes
from loss_widget.review.decisions import Decision
from loss_widget.review.query import VERDICTS, Page, PageRow, Query
from loss_widget.review.session import ReviewSession
from loss_widget.review.text.quirks import QUIRKS

__all__ = ["QUIRKS", "VERDICTS", "Decision", "Page", "PageRow", "Query", "ReviewSession", "apply_changes"]
