"""Kept for command lines that name ``bokehbench.benchmark.recorder.ResultRecorder``; it is in ``measure``."""
