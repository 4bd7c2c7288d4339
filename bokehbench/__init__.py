"""bokehbench: trainable, comparable, citable bokeh rendering from a single photo.

This module imports nothing heavy, so that ``bokehbench --help`` and the leaderboard start at once.
"""

__version__ = "0.1.0"
