"""Labelled data on its way in and out.

export                        a frame on its way out: a file, a Dataset
examples                      any labelled data → Examples: rows, contents, given labels, content keys
files                         any data → a frame
texts                         a kind of content: one text, or a pair
labels · label_sets           kinds of labels: one of the names a row · a set of them
contents · label_space        what every kind of content and of labels can do; the kinds that there are
columns · losses              finding a column · from log-probabilities and labels to losses
label_advice                  label columns that would be read as something else, and code that mends them
atomic_file                   a file that is wholly written or not there
"""

from loss_widget.data import label_sets, labels, texts

__all__ = ["label_sets", "labels", "texts"]  # loaded with the package: these kinds register themselves
