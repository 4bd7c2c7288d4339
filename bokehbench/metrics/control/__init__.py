"""Whether a method does what it is told: instruments, each in a file, and their columns (docs/metrics/control.md)."""

from bokehbench.metrics.control.columns import COLUMNS

__all__ = ["COLUMNS"]
