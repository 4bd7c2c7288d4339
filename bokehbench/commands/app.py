"""``bokehbench app``: refocus photos in the browser."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from bokehbench.errors import BokehbenchError

if TYPE_CHECKING:
    from bokehbench.method import Method


def main(argv: list[str]) -> int:
    """Serve the page until Ctrl-C; BokehbenchError without Gradio, for no such checkpoint, or a port that is taken."""
    from bokehbench.commands.arguments import add_depth, with_settings

    parser = argparse.ArgumentParser(prog="bokehbench app", description=__doc__)
    parser.add_argument(
        "--checkpoint", type=Path, help="file, folder or USER/REPO; default: that of --model; without both: layered"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--port", type=int, default=7860, help="default: 7860; 0 = a free one")
    add_depth(parser)
    options = with_settings(parser, argv[1:])
    if not 0 <= options.port <= 65535:
        raise BokehbenchError(f"--port {options.port}: give a number from 1024 to 65535, or 0 for a free one.")
    if importlib.util.find_spec("gradio") is None:
        raise BokehbenchError("The app needs Gradio: pip install 'bokehbench[app]'.")
    from bokehbench.app.server import own_temporary_folder, quiet_gradio, serve

    quiet_gradio()
    with own_temporary_folder() as folder:
        from bokehbench.app.page import Page
        from bokehbench.app.refocuser import Refocuser

        method, title, banner = choose(options)
        print(title)
        serve(Page(Refocuser(method.model, method.depth), title, banner), options.host, options.port, folder)
    return 0


def choose(options: argparse.Namespace) -> tuple[Method, str, str]:
    """As ``render`` chooses, but with neither model nor run the page still opens, with weights that come with a method.

    Random weights are never shown: a trainable method without a checkpoint is an error.

    Returns:
        The method, what it is in one line, and what the page must warn of.
    """
    from bokehbench.commands.arguments import open_model
    from bokehbench.models import MODELS

    banner = ""
    if options.model is None and options.checkpoint is None and not any(Path("runs").glob("*/*/checkpoints/last.ckpt")):
        shipped = [name for name, kind in MODELS.loaded().items() if kind.pretrained]
        options.model = (shipped or ["layered"])[0]
        banner = "" if shipped else "There is no trained model here, so this is Layered, which needs no weights."
    method = open_model(options)
    title, checkpoint = method.model.title, method.checkpoint
    if checkpoint is None:
        return method, f"{title}, no weights needed", banner
    print(method.weights)
    # The page may be seen from elsewhere: not the folders of this computer
    shown = method.weights.replace(str(checkpoint), checkpoint.name) if checkpoint.is_absolute() else method.weights
    return method, f"{title}, {shown}", banner
