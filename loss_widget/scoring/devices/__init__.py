"""A model on one device or on several, a process each."""
