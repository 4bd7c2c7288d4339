"""Long work that can be stopped and goes on later, by hand (Ctrl-C) or by a batch system (SIGTERM)."""

import signal
import sys
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
#: Exit status of a command that was stopped.
STOPPED = 130


def stoppable(work: Callable[[], Found]) -> Found | None:
    """What ``work`` returns; None, and a sentence for the user, where it was stopped."""
    # As Ctrl-C does, so that the step that runs ends, too
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return work()
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on where this one ended.", file=sys.stderr)
        return None
    finally:
        signal.signal(signal.SIGTERM, before)
