"""A Dask scheduler with two workers on loopback: ``cluster = pytest.fixture(scope="module")(cluster_of_two)``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


def cluster_of_two() -> Iterator[str]:
    """Its address; the workers are processes, and end with the fixture."""
    distributed = pytest.importorskip("distributed", reason="pip install 'bokehbench[cluster]'")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        yield cluster.scheduler_address
