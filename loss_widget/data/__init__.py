"""Labelled data on its way in and out.

export                        a frame on its way out: a file, a Dataset
examples                      any labelled data → Examples: rows, contents, given labels, content keys
files · texts · label_sets    a frame of any data · columns of text · columns of several labels a row
labels                        class names, ids and column values; a model's names matched with the data's
columns · atomic_file         finding a column · a file that is wholly written or not there
"""
