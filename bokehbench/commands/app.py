"""``bokehbench app``: refocus photos in the browser."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from bokehbench.errors import BokehbenchError

if TYPE_CHECKING:
    from bokehbench.models.base import BokehModel


def main(argv: list[str]) -> int:
    """Serve the page until Ctrl-C; BokehbenchError without Gradio, for no such checkpoint, or a port that is taken."""
    options = arguments(argv[1:])
    if importlib.util.find_spec("gradio") is None:
        raise BokehbenchError("The app needs Gradio: pip install 'bokehbench[app]'.")
    from bokehbench.app.server import own_temporary_folder, quiet_gradio, serve

    quiet_gradio()
    with own_temporary_folder():
        from bokehbench.app.page import Page
        from bokehbench.app.refocuser import Refocuser

        model, title, banner = choose(options)
        print(title)
        serve(Page(Refocuser(model), title, banner), options.host, options.port)
    return 0


def choose(options: argparse.Namespace) -> tuple[BokehModel, str, str]:
    """As ``render`` chooses, but with neither model nor run the page still opens, with a method without weights.

    Random weights are never shown: a trainable method without a checkpoint is an error.

    Returns:
        The method in evaluation mode, what it is in one line, and what the page must warn of.
    """
    from bokehbench.commands.open_model import open_model

    name, banner = options.model, ""
    if name is None and options.checkpoint is None and not any(Path("runs").glob("*/*/checkpoints/last.ckpt")):
        name = "layered"
        banner = (
            "There is no trained model here, so this is Layered, which needs a disparity map of the photo. For a "
            "method that predicts its own: bokehbench app --checkpoint FILE."
        )
    model, checkpoint = open_model(name, options.checkpoint, options.settings, options.device)
    if checkpoint is None:
        return model, f"{model.title}, no weights needed", banner
    print(f"weights of {checkpoint}")
    # The page may be seen from elsewhere: not the folders of this computer
    shown = checkpoint.name if checkpoint.is_absolute() else checkpoint
    return model, f"{model.title}, weights of {shown}", banner


def arguments(words: list[str]) -> argparse.Namespace:
    """Parse the options of the verb."""
    from bokehbench.commands.open_model import SETTINGS_HELP, take_settings
    from bokehbench.models import MODELS

    parser = argparse.ArgumentParser(prog="bokehbench app", description=__doc__, epilog=SETTINGS_HELP)
    parser.add_argument("--model", help=f"{MODELS.choices}; default: what the checkpoint holds")
    parser.add_argument(
        "--checkpoint", type=Path, help="default: the newest of your own runs (of --model); without any: layered"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--port", type=int, default=7860, help="default: 7860; 0 = a free one")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ...; default: a GPU where there is one")
    rest, found = take_settings(words)
    options = parser.parse_args(rest)
    options.settings = found
    if not 0 <= options.port <= 65535:
        raise BokehbenchError(f"--port {options.port}: give a number from 1024 to 65535, or 0 for a free one.")
    return options
