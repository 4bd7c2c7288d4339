"""A Dask scheduler to work with: one that runs already, or one of our own on this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bokehbench.errors import BokehbenchError

if TYPE_CHECKING:
    from distributed import Client

#: Seconds in which a scheduler must answer.
PATIENCE = 20.0


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Workers:
    """Who does the work: what ``--scheduler`` and ``--workers`` say.

    Args:
        scheduler: address of a Dask scheduler, such as ``tcp://node1:8786``, or the path of its ``--scheduler-file``;
            None = workers of our own on this machine, which end with us.
        count: how many of our own; ignored with a scheduler, which has its workers.
        threads: of each of our own workers; None = the cores, shared out.
    """

    scheduler: str | None = None
    count: int = 1
    threads: int | None = None

    @classmethod
    def that_pay(cls, items: int, each: int) -> "Workers":
        """Our own, one per core, as far as there are ``each`` items for each: a process needs seconds to start."""
        return cls(count=min(cores(), max(1, items // each)))

    @property
    def shared_out(self) -> int:
        """Threads of each of our own workers."""
        return self.threads or max(1, cores() // self.count)

    @contextmanager
    def client(self) -> Iterator["Client"]:
        """Who takes tasks.

        Raises:
            BokehbenchError: Dask is not installed, or no scheduler answers.
        """
        try:
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise BokehbenchError(
                "--scheduler and --workers need Dask, which is not installed: pip install 'bokehbench[cluster]'."
            ) from error
        if self.scheduler is None:
            # one task at a time on each: torch has the threads
            with (
                LocalCluster(n_workers=self.count, threads_per_worker=1, dashboard_address=None) as cluster,
                Client(cluster) as client,
            ):
                yield client
            return
        where = {"scheduler_file": self.scheduler} if os.path.isfile(self.scheduler) else {"address": self.scheduler}
        try:
            client = Client(**where, timeout=PATIENCE)
        except (OSError, ValueError, TimeoutError) as error:
            raise BokehbenchError(
                f"--scheduler {self.scheduler}: no Dask scheduler answers there in {PATIENCE:g} s: start one with "
                "`dask scheduler`, or correct the address."
            ) from error
        with client:
            yield client
