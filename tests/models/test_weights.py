"""Checkpoint files from strangers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bokehbench.checkpoints import read_checkpoint
from bokehbench.errors import BokehbenchError
from bokehbench.models.weights import load_state


class Bomb:
    """Would write a file if a loader ran its code."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_file_that_could_run_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    torch.save({"state_dict": {}, "x": Bomb(mark)}, tmp_path / "bad.ckpt")
    with pytest.raises(BokehbenchError, match="could run code"):
        read_checkpoint(tmp_path / "bad.ckpt")
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 cut off"])
def test_broken_files_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.ckpt"
    path.write_bytes(content)
    with pytest.raises(BokehbenchError, match=r"broken\.ckpt"):
        read_checkpoint(path)


def test_truncated_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cut.ckpt"
    torch.save({"state_dict": {"weight": torch.rand(1000)}}, path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(BokehbenchError, match=r"cut\.ckpt"):
        read_checkpoint(path)


def test_misfits_are_listed_by_name() -> None:
    state = {"weight": torch.zeros(3, 4), "other": torch.zeros(1)}
    with pytest.raises(BokehbenchError, match=r"w\.ckpt .*missing bias; unknown other; weight is"):
        load_state(torch.nn.Linear(2, 3), state, "w.ckpt")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BokehbenchError, match=r"nowhere\.ckpt"):
        read_checkpoint(tmp_path / "nowhere.ckpt")
