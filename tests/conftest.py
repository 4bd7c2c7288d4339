"""Threads, fixtures' places, and tiny data that the tests make themselves."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: oversubscription slowed tests 3 to 16 times
os.environ.setdefault("WANDB_MODE", "disabled")
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before huggingface_hub: no test fetches a depth network

from contextlib import suppress
from pathlib import Path

import pytest
import torch
from forked import SUBPROCESS
from installed import Installed
from pretend_device import register

torch.set_num_threads(1)
with suppress(pytest.skip.Exception):  # an older torch; the tests that use the device say so
    register()  # before the first backward pass of the process, at which torch counts its devices

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _folder(variable: str, default: Path, what: str) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{what} not here: set {variable} to its folder")
    return folder


@pytest.fixture(scope="session")
def parity_dir() -> Path:
    """What the authors' own code computes (not part of the project)."""
    return _folder("BOKEHBENCH_PARITY", SHARED / "parity", "parity fixtures")


@pytest.fixture(scope="session")
def test_data_dir() -> Path:
    """Real pictures for local tests (not part of the project)."""
    return _folder("BOKEHBENCH_TEST_DATA", SHARED / "data", "sample pictures")


@pytest.fixture
def forked_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of suites and sweeps need not import torch again. Not for tests of who ends with whom, or of DDP."""
    monkeypatch.setattr("bokehbench.suite.step_process.subprocess", SUBPROCESS)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """bokehbench from a wheel, where the checkout cannot be imported."""
    pytest.importorskip("hatchling", reason='builds the wheel: pip install -e ".[test]"')
    return Installed.create(tmp_path_factory.mktemp("installed"))
