"""Decisions on disk.

ownership      which file a review uses, and whose session it is
choice         the file in a folder that belongs to this data
matching       journalled decisions found again in other data
journal        append and replay
written        what a file holds, and the sums that it is checked by
sqlite_file    the one door to the file: open, make, errors in words
process_lock   one process at a time
"""
