"""Ctrl-C and SIGTERM, which clusters send: one sentence in every verb, exit status 130 or 143, no stack trace."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

Found = TypeVar("Found")
#: Seconds that a process which loads pictures goes on for its parent after SIGTERM.
GRACE = 15


class Stopped(SystemExit):
    """Somebody wants an end; whoever catches it to tidy up raises it again.

    Attributes:
        number: of the signal.
        kept: what is kept of the work, and how to go on, in sentences.
        checkpoint: from which a fit goes on, where there is one.
    """

    def __init__(self, number: int, kept: str = "What was finished is kept.", checkpoint: Path | None = None) -> None:
        super().__init__(128 + number)
        self.number, self.kept, self.checkpoint = number, kept, checkpoint

    def __str__(self) -> str:
        by = "Ctrl-C" if self.number == signal.SIGINT else signal.Signals(self.number).name
        return f"Stopped by {by}. {self.kept}"


class _State:
    """What this process was told by signals, and whether somebody ends when the work at hand is done."""

    number: int | None = None
    patient = False


def asked() -> int | None:
    """The signal after which :func:`patiently` working code must raise :class:`Stopped`; None: none."""
    return _State.number if _State.patient else None


def patiently(wanted: bool = True) -> None:
    """From now on a first signal only sets :func:`asked`; a second Ctrl-C ends at once. Inside :func:`stoppable`."""
    _State.patient = wanted
    ours = signal.getsignal(signal.SIGINT)
    if wanted and isinstance(ours, _Handler):  # Lightning has put a handler of its own before it
        signal.signal(signal.SIGTERM, ours)


@contextmanager
def stoppable() -> Iterator[None]:
    """Inside, both signals raise :class:`Stopped`, at once or as :func:`patiently` says; the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _State.number, _State.patient = None, False
    before = {number: signal.signal(number, _Handler(os.getpid())) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        _State.patient = False
        for number, each in before.items():
            signal.signal(number, each)


class _Handler:
    def __init__(self, process: int) -> None:
        self.process = process

    def __call__(self, number: int, frame: Any) -> None:
        if os.getpid() != self.process:  # a child that a library forked; a terminal's Ctrl-C is for its parent
            return None if number == signal.SIGINT else os._exit(128 + number)
        again, _State.number = _State.number, _State.number or number
        # A terminal's Ctrl-C reaches a suite and its step, and the suite then sends SIGTERM: that is one wish
        if again == number == signal.SIGINT or (again is None and not _State.patient):
            raise Stopped(number)


def outlive(*worker: Any) -> None:
    """For a process that loads pictures: what is sent to all processes at once must not take them from a last step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *given: signal.alarm(GRACE))


def goes_on(work: Callable[[], Found]) -> Found:
    """What ``work`` returns; of one that is stopped it is said that the same command goes on."""
    try:
        return work()
    except Stopped as stop:
        raise Stopped(stop.number, "The same command goes on where this one ended.") from None
