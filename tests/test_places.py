"""Full, read-only, over-long, file-like places and other file systems: a sentence, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from methods import words
from refusing import refused

from bokehbench.checkpoints import read_checkpoint, write_checkpoint
from bokehbench.commands.loggers import CSVRun
from bokehbench.errors import BokehbenchError

MEGABYTE = 2**20


@pytest.fixture
def small(tmp_path: Path):
    """A file system of one megabyte, where the tests may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mounted, capture_output=True).returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_the_checkpoint_before_and_nothing_else(small: Path, monkeypatch) -> None:
    path = small / "last.ckpt"
    write_checkpoint({"state_dict": {"weight": torch.zeros(1000)}}, path)
    with pytest.raises(BokehbenchError, match=r"last\.ckpt could not be written \(No space left"):
        write_checkpoint({"state_dict": {"weight": torch.zeros(MEGABYTE)}}, path)
    assert len(read_checkpoint(path)["state_dict"]["weight"]) == 1000
    assert os.listdir(small) == ["last.ckpt"]


def test_a_checkpoint_is_never_half_there_when_its_folder_is_another_file_system(small: Path, tmp_path: Path) -> None:
    """Killed before and after all is written; ``$TMPDIR`` is elsewhere and stays empty."""
    path, elsewhere = small / "last.ckpt", tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_checkpoint({"state_dict": {"weight": torch.zeros(1000)}}, path)
    script = (
        "import os, signal, sys, torch\n"
        "from pathlib import Path\n"
        "from bokehbench import checkpoints\n"
        "kill = lambda *given: os.kill(os.getpid(), signal.SIGKILL)\n"
        "setattr(os, sys.argv[2], kill)\n"
        "checkpoints.write_checkpoint({'state_dict': {'weight': torch.ones(9)}}, Path(sys.argv[1]))\n"
    )
    for at in ("fsync", "replace"):
        command = [sys.executable, "-c", script, str(path), at]
        assert subprocess.run(command, env={**os.environ, "TMPDIR": str(elsewhere)}).returncode == -9
        assert len(read_checkpoint(path)["state_dict"]["weight"]) == 1000
        assert not list(elsewhere.iterdir())
    assert {entry.name for entry in small.iterdir() if not entry.name.startswith(".")} == {"last.ckpt"}


def test_a_full_disk_ends_a_fit_with_a_sentence_and_the_checkpoint_before(small: Path, capfd) -> None:
    """The first checkpoint fits, and what comes after it does not."""
    often = ["--trainer.callbacks=bokehbench.callbacks.StageCheckpoints", "--trainer.callbacks.every_n_steps=1"]
    fill = ["--trainer.callbacks+=kill_at.FillAt", "--trainer.callbacks.step=2", f"--trainer.callbacks.folder={small}"]
    small_net = ["--model.width=1", "--model.levels=2"]
    said = refused(
        ["fit", *words("pix2pix", steps=4), *small_net, *often, *fill, f"--trainer.default_root_dir={small}"], capfd
    )
    assert "No space left" in said
    (last,) = small.glob("pix2pix/version_0/checkpoints/last.ckpt")
    assert read_checkpoint(last)["global_step"] in (1, 2)
    assert not list(small.rglob(".*"))


@pytest.mark.parametrize("verb", ["fit", "test"])
@pytest.mark.parametrize("kind", ["a file", "below a file", "over-long", "read-only"])
def test_a_place_that_cannot_be_is_a_sentence(verb, kind, tmp_path: Path, capfd) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "locked").mkdir()
    places = {
        "a file": tmp_path / "file", "below a file": tmp_path / "file" / "runs", "over-long": tmp_path / ("x" * 300),
        "read-only": Path("/proc/bokehbench"),
    }  # fmt: skip
    method = "pix2pix" if verb == "fit" else "identity"
    said = refused([verb, *words(method, steps=1), f"--trainer.default_root_dir={places[kind]}"], capfd)
    assert str(places[kind]) in said
    assert (tmp_path / "file").read_text() == "mine"


def test_runs_that_begin_together_have_folders_of_their_own(tmp_path: Path) -> None:
    loggers = [CSVRun(save_dir=tmp_path, name="method") for _ in range(5)]
    assert sorted(logger.version for logger in loggers) == [0, 1, 2, 3, 4]
    assert len({logger.log_dir for logger in loggers}) == 5


def test_weights_and_biases_is_not_loaded_where_it_is_not_used(tmp_path: Path) -> None:
    script = (
        "import sys, bokehbench.commands.lightning; from bokehbench.models import D2F; sys.exit('wandb' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=tmp_path).returncode == 0
