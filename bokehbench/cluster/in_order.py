"""Many items on many processes or machines: results in order, memory bounded, one progress bar."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any, TypeVar

from tqdm import tqdm

from bokehbench.cluster.connection import Workers
from bokehbench.cluster.engines import Engine, dask, pool, results

Item = TypeVar("Item")
#: Chunks that are given out ahead of the result that is waited for, per worker.
AHEAD = 3
#: Chunks per worker at least, where there are so few items: the last one must not keep all waiting.
FAIR = 4
_ENGAGED: ContextVar[Workers | None] = ContextVar("_ENGAGED", default=None)


@contextmanager
def engaged(workers: Workers) -> Iterator[None]:
    """Inside, :func:`in_order` has its work done by these; elsewhere it works in this process."""
    token = _ENGAGED.set(workers)
    try:
        yield
    finally:
        _ENGAGED.reset(token)


def alone() -> bool:
    """Whether :func:`in_order` works in this process."""
    workers = _ENGAGED.get()
    return workers is None or (workers.scheduler is None and workers.count == 1)


def in_order(
    function: Callable[[Item], Any],
    items: Iterable[Item],
    what: str,
    unit: str = "picture",
    *,
    chunk: int = 1,
    threads: int | None = None,
    **bar: Any,
) -> Iterator[Any]:
    """The results of ``function`` for all items, in their order, from the workers that are :func:`engaged`.

    No more than :data:`AHEAD` chunks for each worker are given out at a time, and items are taken from their iterator
    as chunks are given out: memory does not grow with the number of items.

    Args:
        function: of one item. It goes to each worker once, and can be pickled; what takes long to make, such as a
            method with its weights, is a :class:`bokehbench.cluster.once.Once`. What is wrong with one item is a
            result; what is raised ends all.
        items: can be pickled; of unknown number where they have no length.
        what, unit: of the progress bar, as are ``bar``, options of tqdm's.
        chunk: items that go to a worker at a time: 1 where an item takes a second, more where the way costs more.
        threads: of torch, for each item; the bits of a sum depend on them. None: as many as a worker has.

    Raises:
        BokehbenchError: ``function`` raised it, workers were killed, no scheduler answers, or a worker does not see the
            files that this process sees.
    """
    workers, total = _ENGAGED.get() or Workers(), len(items) if isinstance(items, Sized) else None
    if alone() or (total == 1 and workers.scheduler is None):
        made = (results(function, threads, [item])[0] for item in items)
        yield from tqdm(made, what, total, unit=unit, **bar)
        return
    with (dask if workers.scheduler else pool)(workers, function, threads) as engine:
        if total is not None:
            chunk = max(1, min(chunk, total // (FAIR * engine.slots())))
        yield from tqdm(_ahead(engine, iter(items), chunk), what, total, unit=unit, **bar)


def _ahead(engine: Engine, items: Iterator[Any], chunk: int) -> Iterator[Any]:
    waiting: deque[Any] = deque()
    try:
        while part := list(islice(items, chunk)):
            waiting.append(engine.submit(part))
            while len(waiting) > AHEAD * engine.slots():
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
