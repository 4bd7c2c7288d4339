"""Preference study: a page of blind pairs that opens from disk, and what its votes mean. Starts without torch."""
