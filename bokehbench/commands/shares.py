"""``predict`` by many workers: each opens the same command line once, and predicts shares of the pictures."""

from collections.abc import Callable, Sequence
from functools import partial

from pytorch_lightning.cli import LightningCLI

from bokehbench.callbacks import PictureWriter
from bokehbench.cluster.in_order import in_order
from bokehbench.cluster.once import Once
from bokehbench.errors import BokehbenchError

#: Pictures of a share.
SHARE = 8
#: What a worker leaves out of what was typed.
SILENT = [f"--trainer.{option}=false" for option in ("logger", "enable_progress_bar", "enable_checkpointing")]


def predict(cli: LightningCLI, again: Callable[[list[str]], LightningCLI], words: list[str], folder: str) -> None:
    """Predict all pictures of ``cli``, which is what was typed, opened, and write them to ``folder``.

    ``again`` opens ``words``, what was typed, without running them; in each worker.

    Raises:
        BokehbenchError: of a file's header, before the first picture; or after the last one, names those that were not
            predicted.
    """
    cli.datamodule.setup("predict")
    places = range(len(cli.datamodule.pictures("predict")))
    shares = [places[start : start + SHARE] for start in places[::SHARE]]
    share = partial(_share, opened=Once(_open, again, [*words, *SILENT], folder))
    bad = [sentence for found in in_order(share, shares, "predict", f"{SHARE} pictures") for sentence in found]
    if bad:
        raise BokehbenchError(f"{len(bad)} of {len(places)} pictures were not predicted:\n  " + "\n  ".join(bad))


def _open(again: Callable[[list[str]], LightningCLI], words: list[str], folder: str) -> LightningCLI:
    cli = again(words)
    for each in cli.trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(each, PictureWriter):
            each.folder = folder
    return cli


def _share(places: Sequence[int], opened: Once[LightningCLI]) -> list[str]:
    """Write the pictures at these places; a sentence for each that could not be."""
    cli = opened()
    try:
        cli.trainer.predict(cli.model, [cli.datamodule.some("predict", places)], return_predictions=False)
    except BokehbenchError as error:
        if len(places) == 1:
            return [str(error)]
        return [sentence for place in places for sentence in _share([place], opened)]  # to tell which one it was
    return []
