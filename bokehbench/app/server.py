"""Serves the page: this computer only unless told otherwise, nothing sent anywhere, no file left behind."""

import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bokehbench.errors import BokehbenchError
from bokehbench.files import locked
from bokehbench.stopping import Stopped

#: How the temporary folders of servers begin.
PREFIX = "bokehbench-app-"
#: People whose photos are kept at once; a photo of theirs takes about 150 MB with DeepLens' features.
MAX_SESSIONS = 16


def quiet_gradio() -> None:
    """No telemetry, no version check; before ``import gradio``, which reads these when it is loaded."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


@contextmanager
def own_temporary_folder() -> Iterator[Path]:
    """A folder for all uploads and results, removed at the end, also after SIGTERM; after a kill, at the next start."""
    clear_leftovers()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # which raises KeyboardInterrupt
    usual = tempfile.tempdir
    try:
        with (
            tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder,
            locked(Path(folder), f"{folder} was taken by another server: start again."),
        ):
            os.environ["GRADIO_TEMP_DIR"] = tempfile.tempdir = folder
            yield Path(folder)
    finally:
        tempfile.tempdir = usual
        os.environ.pop("GRADIO_TEMP_DIR", None)
        signal.signal(signal.SIGTERM, before)


def clear_leftovers() -> None:
    """Remove the folders of servers of this user that were killed: nobody holds their lock any more."""
    me = os.getuid() if hasattr(os, "getuid") else 0  # 0 is everybody on Windows
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, BokehbenchError):  # another user's, or of a server that runs
            if folder.lstat().st_uid == me and (folder / ".lock").is_file():
                with locked(folder, "in use"):
                    shutil.rmtree(folder, ignore_errors=True)


def serve(page: object, host: str, port: int, folder: Path) -> None:
    """Run until Ctrl-C.

    Args:
        page: a :class:`bokehbench.app.page.Page`.
        host: address to listen on.
        port: 0 = any free one from 7860 on.
        folder: of :func:`own_temporary_folder`.

    Raises:
        BokehbenchError: the port is taken.
    """
    import gradio as gr
    from starlette.middleware import Middleware

    from bokehbench.app.guard import Guard, is_loopback
    from bokehbench.app.intake import MAX_BYTES
    from bokehbench.app.page import CSS, Page

    assert isinstance(page, Page)
    if not is_loopback(host):
        print(
            f"bokehbench: --host {host}: everybody who reaches this address can use the page, without a password "
            "and unencrypted; the default 127.0.0.1 is for this computer only.",
            file=sys.stderr,
        )
    blocks = page.build()
    blocks.queue(max_size=64)
    # System fonts: those of Gradio's themes may come from the network
    theme = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    try:
        _, address, _ = blocks.launch(
            server_name=host, server_port=port or None, share=False, quiet=True, prevent_thread_lock=True,
            inbrowser=False, enable_monitoring=False, ssr_mode=False, pwa=False, mcp_server=False, run_history=False,
            footer_links=[], max_file_size=MAX_BYTES, state_session_capacity=MAX_SESSIONS, theme=theme, css=CSS,
            app_kwargs={"middleware": [Middleware(Guard, host=host, folder=folder)]},
        )  # fmt: skip
    except OSError as error:
        raise BokehbenchError(f"--port {port}: is in use or not allowed here: give another one.") from error
    print(f"Open {address} (Ctrl-C ends it)", flush=True)
    try:
        threading.Event().wait()
    except (KeyboardInterrupt, Stopped):
        print("Stopped.")
    finally:
        blocks.close(verbose=False)
