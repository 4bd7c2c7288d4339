"""bokehbench: trainable, comparable, citable bokeh rendering from a single photo.

    import bokehbench as bb

    bb.methods(), bb.data_sets(), bb.protocols(), bb.boards()  # names, without torch
    model = bb.load("last.ckpt")  # a method ready to render

This module imports nothing heavy, so that ``bokehbench --help`` and the leaderboard start at once.
"""

from typing import Any

__version__ = "0.2.0"
__all__ = ["__version__", "boards", "data_sets", "load", "methods", "protocols"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'bokehbench' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module("bokehbench.api"), name)
