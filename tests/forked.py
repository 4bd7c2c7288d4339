"""Commands in processes of their own that need not import torch again: forked from a server that has imported it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

#: Not a fork of the tests' own process: its pretend device has threads, with which no fork can train.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["bokehbench.cli", "bokehbench.commands.lightning", "kill_at"])


def start(words: Sequence[str], cwd: Path, said: Path, environment: Mapping[str, str] | None = None) -> BaseProcess:
    """``bokehbench WORDS`` in ``cwd``, its output in the file ``said``; ``environment`` is beside that of the tests."""
    arguments = (list(words), cwd, said, {**os.environ, **(environment or {})}, sys.path)
    process = CONTEXT.Process(target=_main, args=arguments)
    process.start()
    return process


def two_ranks(words: Sequence[str], cwd: Path) -> None:
    """``bokehbench WORDS`` as ``torchrun`` starts two processes; AssertionError with their output if one fails."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {
        "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "none",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    said = [cwd / f"rank{rank}.txt" for rank in (0, 1)]
    ranks = [start(words, cwd, said[r], {**shared, "RANK": str(r), "LOCAL_RANK": str(r)}) for r in (0, 1)]
    for process in ranks:
        process.join(300)
    failed = [path.read_text() for path, process in zip(said, ranks, strict=True) if process.exitcode != 0]
    for process in ranks:
        process.kill()
    assert not failed, failed


def _main(words: list[str], cwd: Path, said: Path, environment: dict[str, str], path: list[str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.path[:] = path
    sys.argv = ["bokehbench", *words]
    from bokehbench.cli import main

    with said.open("w") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        code = main(words)
    sys.exit(code)
