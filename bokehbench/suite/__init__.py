"""Suites of experiments, run step by step."""
