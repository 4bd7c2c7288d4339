"""What ``import bokehbench`` offers to Python; only :func:`load` needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bokehbench.board import boards as _boards
from bokehbench.data import DATA
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.metrics.protocols import PROTOCOLS
from bokehbench.models import MODELS
from bokehbench.names import options_of

if TYPE_CHECKING:
    from bokehbench.models.base import BokehModel

SUFFIXES = (".ckpt", ".safetensors")


def methods() -> list[str]:
    """Short names of all methods, ours and those that installed packages register."""
    return sorted(MODELS)


def data_sets() -> list[str]:
    """Short names of all data sets, ours and those that installed packages register."""
    return sorted(DATA)


def protocols() -> list[str]:
    """Names of the protocols that can score."""
    return sorted(PROTOCOLS)


def boards() -> list[str]:
    """Names of the boards: of ``leaderboards`` here, else of those that came with bokehbench."""
    return _boards.names()


def load(what: str | Path, **settings: Any) -> BokehModel:
    """A method ready to render, in evaluation mode, on the CPU.

    Args:
        what: path of a checkpoint; or a method by its short name or as ``PACKAGE.CLASS``: one without training, or else
            with the weights of its newest run below ``runs``.
        settings: constructor arguments in place of the checkpoint's or the defaults, such as ``layers=32``.

    Raises:
        BokehbenchError: no such checkpoint or method, a setting that it does not have, or a method that needs weights
            where none are.
    """
    from bokehbench.models.load import load_model, newest_checkpoint

    def checked(kind: type[BokehModel]) -> dict[str, Any]:
        known = [key for key in options_of(kind) if key not in ("stages", "weights")]
        for key in settings:
            if key not in known:
                raise BokehbenchError(f"{key}: {kind.__name__} has no such setting; {nearest(key, known)}.")
        return settings

    if isinstance(what, Path) or what.endswith(SUFFIXES) or Path(what).is_file():
        return load_model(what, changes=checked)
    kind = MODELS.typed(what, "load")
    if not kind.trainable:
        return kind(**checked(kind)).eval()
    return load_model(newest_checkpoint(kind), kind, checked)
