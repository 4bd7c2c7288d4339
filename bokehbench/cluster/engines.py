"""Where chunks of items are worked on: processes of our own, or the workers of a Dask scheduler."""

import multiprocessing
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bokehbench.cluster.connection import Workers
from bokehbench.errors import BokehbenchError

#: Gives the results of a chunk.
Work = Callable[[list[Any]], list[Any]]
SAME = "give all machines the same folders, under the same paths"


class Engine(NamedTuple):
    """``submit`` gives a future of the results of a chunk; ``slots`` is how many are worked on at a time."""

    submit: Callable[[list[Any]], Any]
    slots: Callable[[], int]


def results(function: Callable[[Any], Any], threads: int | None, chunk: list[Any]) -> list[Any]:
    """Of the items of a chunk; the arguments are those of :func:`bokehbench.cluster.in_order.in_order`."""
    import torch  # slow to load, and not for --help

    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        return [function(item) for item in chunk]
    finally:
        torch.set_num_threads(before)


@contextmanager
def pool(workers: Workers, function: Callable[[Any], Any], threads: int | None) -> Iterator[Engine]:
    """Processes of our own, which end with us."""
    # A forked process inherits torch's threads in a state that may hang
    context, work = multiprocessing.get_context("spawn"), partial(results, function, threads or workers.shared_out)
    processes = ProcessPoolExecutor(workers.count, mp_context=context, initializer=_begin, initargs=(work,))
    try:
        yield Engine(lambda chunk: processes.submit(_in_pool, chunk), lambda: workers.count)
    except BrokenProcessPool as error:
        fewer = f"give fewer with --workers {max(1, workers.count // 2)}"
        raise BokehbenchError(f"a process was killed, probably for memory: {fewer}.") from error
    finally:
        processes.shutdown(wait=True, cancel_futures=True)


#: Of a process of a pool.
_WORK: Work


def _begin(work: Work) -> None:
    global _WORK
    _WORK = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the parent, which ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _in_pool(chunk: list[Any]) -> list[Any]:
    return _WORK(chunk)


@contextmanager
def dask(workers: Workers, function: Callable[[Any], Any], threads: int | None) -> Iterator[Engine]:
    """The workers of a scheduler, as many as there are at any time; a chunk of one that ended goes to another."""
    with workers.client() as client:
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        if not client.nthreads():
            print(f"--scheduler {workers.scheduler} has no workers yet: `dask worker` starts one, which is waited for.")
        # Once for each worker, and again where it is lost
        work = client.submit(partial, results, function, threads, pure=False)

        def submit(chunk: list[Any]) -> Any:
            return client.submit(_on_dask, work, chunk, os.getcwd(), _seen(chunk), pure=False)

        try:
            yield Engine(submit, lambda: max(1, sum(client.nthreads().values())))
        except KilledWorker as error:
            raise BokehbenchError(
                "several workers were killed by the same pictures, probably for memory: start fewer on a machine."
            ) from error
        except (CancelledError, CommClosedError) as error:
            raise BokehbenchError(
                f"--scheduler {workers.scheduler} has ended: start it and its workers, and run the same command again."
            ) from error


def _seen(item: Any) -> list[Path]:
    """What a worker must see: files of an item that are there, and folders of those that will be."""
    if isinstance(item, Path):
        return [each for each in (item, item.parent) if each.exists()][:1]
    if is_dataclass(item):
        item = [getattr(item, each.name) for each in fields(item)]
    parts = item if isinstance(item, list | tuple) else item.values() if isinstance(item, dict) else ()
    return list(dict.fromkeys(path for part in parts for path in _seen(part)))


def _on_dask(work: Work, chunk: list[Any], folder: str, seen: list[Path]) -> list[Any]:
    where = f"on {socket.gethostname()}, where a worker runs"
    try:
        with _inside(folder):
            for path in seen:
                if not path.exists():
                    raise BokehbenchError(f"{path} is not there: {SAME}.")
            return work(chunk)
    except BokehbenchError as error:
        raise BokehbenchError(f"{error} That was {where}.") from error


_FREE, _BUSY = threading.Condition(), Counter[str]()


@contextmanager
def _inside(folder: str) -> Iterator[None]:
    """With the working folder of the command, once threads of this process that work in another have ended."""
    with _FREE:
        _FREE.wait_for(lambda: _BUSY.total() == _BUSY[folder])
        try:
            os.chdir(folder)
        except OSError as error:
            raise BokehbenchError(f"{folder}, where the command was typed, is not there: {SAME}.") from error
        _BUSY[folder] += 1
    try:
        yield
    finally:
        with _FREE:
            _BUSY[folder] -= 1
            _FREE.notify_all()
