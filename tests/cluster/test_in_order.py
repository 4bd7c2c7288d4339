"""Items through workers: in order, few at a time, and what happens when a worker is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from cluster_of_two import cluster_of_two

from bokehbench.cluster.connection import Workers
from bokehbench.cluster.in_order import AHEAD, engaged, in_order
from bokehbench.cluster.once import Once
from bokehbench.errors import BokehbenchError

MANY, CHUNK = 20_000, 50
#: Bytes of a result: all of them together would be 400 MB.
LARGE = 20_000

cluster = pytest.fixture(scope="module")(cluster_of_two)


def workers_of(engine: str, cluster: str) -> Workers:
    return {"here": Workers(), "pool": Workers(count=2), "dask": Workers(cluster)}[engine]


def large(number: int) -> tuple[int, bytes]:
    return number, bytes(LARGE)


def memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("engine", ["here", "pool", "dask"])
def test_twenty_thousand_items_are_in_order_and_few_at_a_time(engine: str, cluster: str) -> None:
    taken, most, grown, before = 0, 0, 0, memory()

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(MANY):
            taken += 1
            yield number

    with engaged(workers_of(engine, cluster)):
        for number, (found, _) in enumerate(in_order(large, items(), "numbers", chunk=CHUNK)):
            assert found == number
            most = max(most, taken - number)
            if number % 100 == 0:
                grown = max(grown, memory() - before)
    assert number == MANY - 1
    slots = 0 if engine == "here" else 2
    assert most <= (AHEAD * slots + 2) * CHUNK
    assert grown < 120e6


def killed_once(number: int, marks: Path) -> int:
    mark = marks / "killed"
    if number == 7 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def test_what_a_killed_worker_of_dask_had_is_done_by_another(cluster: str, tmp_path: Path) -> None:
    with engaged(Workers(cluster)):
        found = list(in_order(partial(killed_once, marks=tmp_path), range(20), "numbers", chunk=2))
    assert found == [number * number for number in range(20)]
    assert (tmp_path / "killed").exists()


def test_a_killed_process_is_a_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(BokehbenchError, match=r"a process was killed, probably for memory: .*--workers 1"),
        engaged(Workers(count=2)),
    ):
        list(in_order(partial(killed_once, marks=tmp_path), range(20), "numbers", chunk=2))


def made(marks: Path) -> int:
    (marks / f"{os.getpid()}-{time.monotonic_ns()}").touch()
    return 3


def times(number: int, factor: Once[int]) -> tuple[int, int]:
    return number * factor(), torch.get_num_threads()


@pytest.mark.parametrize("engine", ["here", "dask"])
def test_what_takes_long_is_made_once_in_each_process(engine: str, cluster: str, tmp_path: Path) -> None:
    factor = Once(made, tmp_path)
    with engaged(workers_of(engine, cluster)):
        found = list(in_order(partial(times, factor=factor), range(40), "numbers", threads=1))
    assert found == [(3 * number, 1) for number in range(40)]
    processes = [path.name.partition("-")[0] for path in tmp_path.iterdir()]
    assert len(processes) == len(set(processes)) <= 2


def refuse(number: int) -> int:
    raise BokehbenchError("It is not for us.")


def test_what_is_raised_ends_all_and_says_where_it_was(cluster: str) -> None:
    with engaged(Workers(cluster)), pytest.raises(BokehbenchError, match=r"not for us\. That was on .*worker"):
        list(in_order(refuse, [5], "numbers"))


def read(path: Path) -> bytes:
    return path.read_bytes()


def test_files_that_a_worker_does_not_see_are_named(cluster: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("here.png").write_bytes(b"5")
    with engaged(Workers(cluster)):
        assert list(in_order(read, [Path("here.png")], "files")) == [b"5"]
        monkeypatch.setattr(Path, "exists", lambda path: True)  # in this process
        with pytest.raises(
            BokehbenchError, match=r"elsewhere.png is not there: give all machines the same folders.* on .*worker"
        ):
            list(in_order(read, [Path("elsewhere.png")], "files"))


def test_no_scheduler_is_a_sentence(monkeypatch) -> None:
    monkeypatch.setattr("bokehbench.cluster.connection.PATIENCE", 0.5)
    with engaged(Workers("tcp://127.0.0.1:9")), pytest.raises(BokehbenchError, match="no Dask scheduler answers there"):
        list(in_order(read, [Path()], "files"))
