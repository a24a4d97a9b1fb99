"""A review in a notebook cell: the only importer of anywidget.

protocol   the messages: decode, encode; twin of js/src/protocol.ts
answers    what the kernel answers to each question
cells      labels reach the frame before the next cell runs
widget     LossWidget
static/    widget.js and widget.css, built from js/
"""

from loss_widget.widget.widget import LossWidget

__all__ = ["LossWidget"]
