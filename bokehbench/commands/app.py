"""``bokehbench app``: refocus photos in the browser."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from bokehbench.errors import BokehbenchError


def main(argv: list[str]) -> int:
    """Serve the page until Ctrl-C.

    Raises:
        BokehbenchError: Gradio is missing, no such checkpoint, or the port is taken.
    """
    options = arguments(argv[1:])
    if importlib.util.find_spec("gradio") is None:
        raise BokehbenchError("The app needs Gradio: pip install 'bokehbench[app]'.")
    from bokehbench.app.server import own_temporary_folder, quiet_gradio, serve

    quiet_gradio()
    with own_temporary_folder():
        from bokehbench.app.choice import choose
        from bokehbench.app.page import Page
        from bokehbench.app.refocuser import Refocuser

        model, title, banner = choose(options)
        print(title)
        serve(Page(Refocuser(model), title, banner), options.host, options.port)
    return 0


def arguments(words: list[str]) -> argparse.Namespace:
    """Parse the options of the verb."""
    from bokehbench.commands.render import take_settings
    from bokehbench.models import MODELS

    epilog = "--model.KEY VALUE sets an option of the method: `bokehbench test --model NAME --help` lists them."
    parser = argparse.ArgumentParser(prog="bokehbench app", description=__doc__, epilog=epilog)
    parser.add_argument("--model", help=f"one of {', '.join(sorted(MODELS))}; default: what the checkpoint holds")
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
