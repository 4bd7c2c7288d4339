"""A script that runs a command, which ends when bokehbench does: that holds the other end of our standard input."""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress


def main() -> None:
    """Run ``argv[1:]`` in a process group of its own; end with its exit status, and all that it started with it."""
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    while command.poll() is None and not select.select([sys.stdin], [], [], 0.02)[0]:
        pass
    with suppress(ProcessLookupError):
        os.killpg(command.pid, signal.SIGKILL)
    status = command.wait()
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
