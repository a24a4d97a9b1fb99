"""The command `loss-widget`: score, review, apply, doctor. One module a command.

Results go to stdout, progress and errors to stderr. Exit codes: 0 done; 1 an error that says what to do; 2 wrong usage; 130
Ctrl-C.
"""

from loss_widget.command_line.main import main

__all__ = ["main"]
