"""Commands in processes of their own that need not import torch again: forked from a server that has imported it."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

#: Not a fork of the tests' own process: its pretend device has threads, with which no fork can train.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([
    "bokehbench.cli", "bokehbench.commands.lightning", "bokehbench.models.base", "bokehbench.measure.recorder",
    "kill_at",
])  # fmt: skip
BOKEHBENCH = [sys.executable, "-m", "bokehbench"]


class Popen:
    """As ``subprocess.Popen`` where the command is ``python -m bokehbench WORDS`` or ``python SCRIPT.py WORDS``.

    Put in the place of the real one, it saves each process the seconds in which it would import torch. Output goes to
    files, or where that of the tests goes. What differs: the parent is the server, not the process that asked.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: int | None = None,
        stdout: IO[Any] | None = None,
        stderr: int | None = None,
        start_new_session: bool = False,
    ) -> None:
        assert command[0] == sys.executable
        assert stdin in (None, subprocess.DEVNULL)
        assert stderr in (None, subprocess.STDOUT)
        self.args = list(command)
        said = None if stdout is None else Path(stdout.name).resolve()
        arguments = (self.args, cwd or Path.cwd(), said, dict(os.environ if env is None else env), sys.path)
        self.process: BaseProcess = CONTEXT.Process(target=_main, args=(*arguments, start_new_session))
        self.process.start()
        self.pid = self.process.pid or 0
        with suppress(ProcessLookupError):  # it has ended already
            while start_new_session and os.getpgid(self.pid) != self.pid:
                time.sleep(0.001)

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self.process.exitcode

    def poll(self) -> int | None:
        """As :attr:`returncode`."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, when it has ended."""
        self.process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """A signal to it, if it still runs."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


#: For ``monkeypatch.setattr(module, "subprocess", SUBPROCESS)`` in a module that starts such commands.
SUBPROCESS = SimpleNamespace(**{**vars(subprocess), "Popen": Popen})


def start(words: Sequence[str], cwd: Path, said: Path, environment: Mapping[str, str] | None = None) -> Popen:
    """``bokehbench WORDS`` in ``cwd``, its output in the file ``said``; ``environment`` is beside that of the tests."""
    with said.open("wb") as file:
        everything = {**os.environ, **(environment or {})}
        return Popen([*BOKEHBENCH, *words], cwd=cwd, env=everything, stdout=file, stderr=subprocess.STDOUT)


def free_port() -> str:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def two_ranks(words: Sequence[str], cwd: Path) -> None:
    """``bokehbench WORDS`` as ``torchrun`` starts two processes; AssertionError with their output if one fails."""
    shared = {
        "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "none",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(),
    }  # fmt: skip
    said = [cwd / f"rank{rank}.txt" for rank in (0, 1)]
    ranks = [start(words, cwd, said[r], {**shared, "RANK": str(r), "LOCAL_RANK": str(r)}) for r in (0, 1)]
    for rank in ranks:
        rank.process.join(300)
    failed = [path.read_text() for path, rank in zip(said, ranks, strict=True) if rank.returncode != 0]
    for rank in ranks:
        rank.kill()
    assert not failed, failed


def _main(
    command: list[str], cwd: Path, said: Path | None, environment: dict[str, str], path: list[str], alone: bool
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.environ.pop("BOKEHBENCH_PARENT", None)  # that is the server
    os.chdir(cwd)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background ignores it, and its children
    if alone:
        os.setsid()
    if said is not None:
        with said.open("ab") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
    sys.path[:] = [*filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)), *path]
    if command[1:3] == ["-m", "bokehbench"]:
        sys.argv = ["bokehbench", *command[3:]]
        from bokehbench.cli import main

        sys.exit(main(command[3:]))
    sys.argv = command[1:]
    sys.path.insert(0, str(Path(command[1]).parent))
    runpy.run_path(command[1], run_name="__main__")
