"""Long work that can be stopped and goes on later, by hand (Ctrl-C) or by a batch system (SIGTERM)."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
#: Exit status of a command that was stopped.
STOPPED = 130


def stoppable(work: Callable[[], Found]) -> Found | None:
    """What ``work`` returns; None, and a sentence for the user, where it was stopped."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)  # so that the step that runs ends, too
    try:
        return work()
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on where this one ended.", file=sys.stderr)
        return None
    finally:
        signal.signal(signal.SIGTERM, before)
