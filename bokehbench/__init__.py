"""bokehbench: trainable, comparable, citable bokeh rendering from a single photo.

    import bokehbench as bb

    bb.methods(), bb.data_sets(), bb.protocols(), bb.boards()  # names, without torch
    model = bb.load("runs/deeplens/version_0")  # a run, a checkpoint, a method
    model("photo.jpg", focus=(620, 410), aperture=20).save("bokeh.png")

This module imports nothing heavy, so that ``bokehbench --help`` and the leaderboard start at once;
``__init__.pyi`` tells type checkers what it offers.
"""

from typing import Any

__version__ = "0.2.0"
__all__ = [
    "__version__", "boards", "compare", "data_sets", "evaluate", "fit", "load", "methods", "protocols", "score", "test",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'bokehbench' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module("bokehbench.api"), name)


def __dir__() -> list[str]:
    return __all__
