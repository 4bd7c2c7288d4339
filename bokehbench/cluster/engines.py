"""Where chunks of items are worked on: this process, processes of our own, or the workers of a Dask scheduler."""

import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bokehbench.cluster.connection import Workers
from bokehbench.errors import BokehbenchError


class Engine(NamedTuple):
    """Takes chunks.

    ``submit`` gives a future (``result()``, ``cancel()``) of the results of a chunk, ``slots`` how many are worked on
    at a time: 0 where a chunk is done when it was submitted.
    """

    submit: Callable[[list[Any]], Any]
    slots: Callable[[], int]


@dataclass(frozen=True)
class Work:
    """What is done with a chunk; the arguments are those of :func:`bokehbench.cluster.in_order.in_order`."""

    function: Callable[..., Any]
    together: bool = False
    threads: int | None = None

    def __call__(self, chunk: list[Any]) -> list[Any]:
        """The results of the items of a chunk."""
        import torch  # slow to load, and not for --help

        before = torch.get_num_threads()
        torch.set_num_threads(self.threads or before)
        try:
            return list(self.function(chunk)) if self.together else [self.function(item) for item in chunk]
        finally:
            torch.set_num_threads(before)


@contextmanager
def here(work: Work) -> Iterator[Engine]:
    """This process, one chunk after the other."""

    def submit(chunk: list[Any]) -> Future[list[Any]]:
        done = Future[list[Any]]()
        done.set_result(work(chunk))
        return done

    yield Engine(submit, lambda: 0)


@contextmanager
def pool(workers: Workers, work: Work) -> Iterator[Engine]:
    """Processes of our own, which end with us."""
    # A forked process inherits torch's threads in a state that may hang
    context = multiprocessing.get_context("spawn")
    given = work, workers.shared_out
    processes = ProcessPoolExecutor(workers.count, mp_context=context, initializer=_begin, initargs=given)
    try:
        yield Engine(partial(processes.submit, _in_pool), lambda: workers.count)
    except BrokenProcessPool as error:
        fewer = max(1, workers.count // 2)
        raise BokehbenchError(
            f"a process was killed, probably for memory: give fewer with --workers {fewer}."
        ) from error
    finally:
        processes.shutdown(wait=True, cancel_futures=True)


#: Of a process of a pool.
_WORK: Work


def _begin(work: Work, threads: int) -> None:
    global _WORK
    import torch

    torch.set_num_threads(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the parent, which ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _WORK = work


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _in_pool(chunk: list[Any]) -> list[Any]:
    return _WORK(chunk)


@contextmanager
def dask(workers: Workers, work: Work) -> Iterator[Engine]:
    """The workers of a scheduler, as many as there are at any time; a chunk of one that ended goes to another."""
    with workers.client() as client:
        from distributed import KilledWorker
        from distributed.comm import CommClosedError

        if not client.nthreads():
            print(f"--scheduler {workers.scheduler} has no workers yet: `dask worker` starts one, which is waited for.")
        # Once for each worker, and again where it is lost
        shipped = client.submit(_itself, work, pure=False)

        def submit(chunk: list[Any]) -> Any:
            return client.submit(_on_dask, shipped, chunk, os.getcwd(), _seen(chunk), pure=False)

        try:
            yield Engine(submit, lambda: max(1, sum(client.nthreads().values())))
        except KilledWorker as error:
            raise BokehbenchError(
                "several workers were killed one after the other by the same pictures, probably for memory: give them "
                "more, or start fewer on a machine."
            ) from error
        except (CancelledError, CommClosedError) as error:
            raise BokehbenchError(
                f"--scheduler {workers.scheduler} has ended: start it and its workers, and run the same command again."
            ) from error


def _itself(work: Work) -> Work:
    return work


def _seen(item: Any) -> list[Path]:
    """What a worker must see: files of an item that are there, and folders of those that will be."""
    if isinstance(item, Path):
        return [each for each in (item, item.parent) if each.exists()][:1]
    if is_dataclass(item):
        item = [getattr(item, each.name) for each in fields(item)]
    parts = item.values() if isinstance(item, Mapping) else item if isinstance(item, list | tuple) else ()
    return list(dict.fromkeys(path for part in parts for path in _seen(part)))


def _on_dask(work: Work, chunk: list[Any], folder: str, seen: list[Path]) -> list[Any]:
    where = f"on {socket.gethostname()}, where a worker runs"
    with _PLACE.inside(folder, where):
        for path in seen:
            if not path.exists():
                raise BokehbenchError(
                    f"{path} is not there {where}: give all machines the same folders, under the same paths."
                )
        try:
            return work(chunk)
        except BokehbenchError as error:
            raise BokehbenchError(f"{error} That was {where}.") from error


class _Place:
    """The working folder of a process whose threads work for several people: relative paths are of one at a time."""

    def __init__(self) -> None:
        self.free, self.busy, self.folder = threading.Condition(), 0, ""

    @contextmanager
    def inside(self, folder: str, where: str) -> Iterator[None]:
        """In ``folder``, once those who work in another have ended."""
        with self.free:
            self.free.wait_for(lambda: not self.busy or self.folder == folder)
            try:
                os.chdir(folder)
            except OSError as error:
                raise BokehbenchError(
                    f"{folder}, where the command was typed, is not there {where}: give all machines the same folders, "
                    "under the same paths."
                ) from error
            self.folder, self.busy = folder, self.busy + 1
        try:
            yield
        finally:
            with self.free:
                self.busy -= 1
                self.free.notify_all()


_PLACE = _Place()
