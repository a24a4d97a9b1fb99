"""Decisions on disk.

ownership      which file a review uses, and whose session it is
matching       journalled decisions found again in other data
journal        what a file holds: append, read
process_lock   one process at a time
"""
