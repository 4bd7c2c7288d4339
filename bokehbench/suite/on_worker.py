"""What a Dask worker does for a suite: one step, and it tells how far it is."""

import os
import platform
from pathlib import Path

from bokehbench import __version__
from bokehbench.suite.job import Job, failure_of

#: How many threads computing takes, as torch and what is below it read it.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def blind(paths: list[Path], version: str) -> str | None:
    """What follows "the worker X" where it does not see a path or has another version of us; None where all is well."""
    lost = next((path for path in paths if not path.exists()), None)
    if lost is not None:
        return (
            f"on {platform.node()} does not see {lost}: the folder of the work (--folder, --fits), the board and the "
            "inputs must lie on a file system that all machines share, at the same path."
        )
    if version != __version__:
        return f"on {platform.node()} has bokehbench {__version__} and not {version}: install the same version there."
    return None


def do(job: Job, seen: list[Path], topic: str, threads: int | None) -> tuple[bool, str | None]:
    """Do a job, in a process of its own that ends with this worker, or when nobody wants the job any more.

    Args:
        job: what to do.
        seen: what this worker must see.
        topic: of the events that tell ``step``, ``share`` and ``what``; the share is None when the process has ended.
        threads: of the process; None = as many as the worker's ``OMP_NUM_THREADS`` (Dask sets 1 where nobody does).

    Returns:
        Whether it was done by this call, and why it failed, or None.

    Raises:
        Reschedule: the worker ends.
    """
    from distributed import Reschedule, get_worker

    worker = get_worker()
    key = worker.get_current_task()
    where = platform.node() if "://" in str(worker.name) else f"worker {worker.name}"
    told = None

    def unwanted() -> bool:
        state = worker.state.tasks.get(key)
        return worker.status.name not in ("running", "paused") or state is None or state.state != "executing"

    def report(share: float, what: str) -> None:
        nonlocal told
        if unwanted():
            raise Reschedule
        now = (round(share, 2), f"{job.experiment} {job.verb} {what}".strip() + f" @{where}")
        if now != told:
            told = now
            worker.log_event(topic, {"step": f"{job.experiment}-{job.verb}", "share": now[0], "what": now[1]})

    try:
        if (why := blind(seen, __version__)) is not None:
            return False, f"a worker {why}"
        report(0.0, "")
        computing = str(threads or os.environ.get(THREADS[0], 1))
        return job.run(report, dict.fromkeys(THREADS, computing)), None
    except Reschedule:
        raise
    except Exception as error:
        if unwanted():  # a cluster that takes a machine away sends SIGTERM to the worker and to the step
            raise Reschedule from error
        return False, failure_of(error)
    finally:
        worker.log_event(topic, {"step": f"{job.experiment}-{job.verb}", "share": None, "what": ""})
