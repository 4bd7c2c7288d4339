"""Data and outputs at URLs: what fsspec reads is mirrored in the user's cache, what is written here is put there."""
