"""``predict`` by many workers: each opens the same command line once, and predicts shares of the pictures."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pytorch_lightning.cli import LightningCLI

from bokehbench.callbacks import PictureWriter
from bokehbench.cluster.in_order import in_order
from bokehbench.cluster.once import Once
from bokehbench.errors import BokehbenchError
from bokehbench.remote.output import Output

#: Pictures of a share.
SHARE = 8
#: What a worker leaves out of what was typed.
SILENT = [f"--trainer.{option}=false" for option in ("logger", "enable_progress_bar", "enable_checkpointing")]


def predict(cli: LightningCLI, again: Callable[[list[str]], LightningCLI], argv: list[str], folder: Path) -> None:
    """Write a picture to ``folder`` for each that ``cli`` would predict, which is ``argv`` and opened.

    ``again`` opens ``argv``, once in each worker.

    Raises:
        BokehbenchError: of a file's header, before the first picture; or after the last one, names those that were not
            predicted.
    """
    cli.datamodule.setup("predict")
    places = range(len(cli.datamodule.pictures("predict")))
    folder.mkdir(parents=True, exist_ok=True)  # here, since workers look for it
    shares = [(places[start : start + SHARE], folder) for start in places[::SHARE]]
    share = partial(_share, opened=Once(again, [*argv, *SILENT]))
    bad = [sentence for found in in_order(share, shares, "predict", f"{SHARE} pictures") for sentence in found]
    if bad:
        raise BokehbenchError(f"{len(bad)} of {len(places)} pictures were not predicted:\n  " + "\n  ".join(bad))


def _share(share: tuple[Sequence[int], Path], opened: Once[LightningCLI]) -> list[str]:
    """Write the pictures at these places to a folder; a sentence for each that could not be."""
    (places, folder), cli = share, opened()
    for each in cli.trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(each, PictureWriter):
            each.output = each.output or Output(folder)
    try:
        cli.trainer.predict(cli.model, [cli.datamodule.some("predict", places)], return_predictions=False)
    except BokehbenchError as error:
        if len(places) == 1:
            return [str(error)]
        return [said for place in places for said in _share(([place], folder), opened)]  # to tell which one it was
    return []
