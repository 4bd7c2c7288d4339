"""One fit or test of a benchmark as a process of its own: ``python -m bokehbench.suite.step test --model ...``.

The same as ``bokehbench``, but it ends when the process that started it does, however that ended: a runner that was
killed leaves nothing behind that would go on training beside its successor.
"""

from __future__ import annotations

import ctypes
import signal
import sys

from bokehbench.cli import run
from bokehbench.errors import BokehbenchError
from bokehbench.status_file import write_status

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Ask the kernel for it; elsewhere than on Linux a killed runner's step goes on to its own end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main(words: list[str]) -> int:
    """Run a verb and return its exit status; a failure is told to the process that started this one."""
    try:
        return run(words)
    except BokehbenchError as error:
        write_status(failed=str(error))
        print(f"bokehbench: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        write_status(failed=f"{type(error).__name__}: {error}")
        raise


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main(sys.argv[1:]))
