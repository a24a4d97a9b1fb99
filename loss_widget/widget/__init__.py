"""A review in a notebook cell: the only importer of anywidget.

messages   what the grid and the kernel say to each other, field by field
verbs      what can be asked, and what is answered; js/src has twins of both, written by js/write_messages.py
protocol   reads what the grid sends, and writes what it gets
answers    what the kernel answers to each question
cells      labels reach the frame before the next cell runs
widget     LossWidget
static/    widget.js and widget.css, built from js/
"""

from loss_widget.widget.widget import LossWidget

__all__ = ["LossWidget"]
