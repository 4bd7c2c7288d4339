"""A training over two machines, on loopback: two processes with one folder, told of each other as launchers do."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import torch
from forked import Popen, free_port, start
from methods import words

#: Level by level, so that another part of the network trains in each stage.
METHOD = "pynet"
STAGES = ("level_7", "level_6")
STEPS = 4
COMMAND = [
    "fit", *words(METHOD, STEPS), f"--model.stages=[{', '.join(STAGES)}]", "--trainer.devices=1",
    "--trainer.num_nodes=2", "--trainer.strategy=ddp", "--trainer.callbacks=bokehbench.callbacks.StageCheckpoints",
    "--trainer.callbacks.every_n_steps=1",
]  # fmt: skip
#: What each of two machines is told: by torchrun, by srun, and by hand.
LAUNCHERS: dict[str, Mapping[str, str]] = {
    "torchrun": {
        "RANK": "{node}", "GROUP_RANK": "{node}", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "1",
        "TORCHELASTIC_RUN_ID": "none", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "{port}",
    },
    "slurm": {
        "SLURM_JOB_ID": "4711", "SLURM_JOB_NAME": "train", "SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "1",
        "SLURM_NNODES": "2", "SLURM_NODELIST": "127.0.0.1,127.0.0.1", "SLURM_PROCID": "{node}",
        "SLURM_NODEID": "{node}", "SLURM_LOCALID": "0", "MASTER_PORT": "{port}",
    },
    "hand": {"NODE_RANK": "{node}", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "{port}"},
}  # fmt: skip


def nodes(cwd: Path, launcher: str, commands: Sequence[Sequence[str]]) -> list[Popen]:
    """One process for each command, with its output in ``cwd/nodeN.txt``."""
    port = free_port()
    told = [
        {name: value.format(node=node, port=port) for name, value in LAUNCHERS[launcher].items()}
        for node in range(len(commands))
    ]
    return [start(words, cwd, cwd / f"node{node}.txt", told[node]) for node, words in enumerate(commands)]


def said(cwd: Path) -> list[str]:
    """What each node wrote."""
    return [path.read_text() for path in sorted(cwd.glob("node*.txt"))]


def ended(started: Sequence[Popen], cwd: Path) -> list[int]:
    """The exit statuses; AssertionError where one goes on."""
    try:
        return [each.wait(300) for each in started]
    finally:
        for each in started:
            each.kill()


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """The weights after both stages on two nodes that nobody disturbed."""
    cwd = tmp_path_factory.mktemp("whole")
    assert ended(nodes(cwd, "torchrun", [COMMAND, COMMAND]), cwd) == [0, 0], said(cwd)
    assert [path.name for path in (cwd / "runs" / METHOD).iterdir()] == ["version_0"], "one run, one folder"
    first, second = said(cwd)
    assert "Next: bokehbench" in first
    assert "Quick configuration" in first
    assert "Next: bokehbench" not in second
    assert "Quick configuration" not in second
    return weights(cwd / "runs" / METHOD / "version_0")


@pytest.mark.parametrize(("launcher", "victim"), [("slurm", 1), ("hand", 0)])
def test_a_node_that_is_killed_ends_the_other_and_the_same_command_goes_on(launcher, victim, whole, tmp_path) -> None:
    kill = ["--trainer.callbacks+=kill_at.KillAt", f"--trainer.callbacks.step={STEPS + 2}"]
    commands = [[*COMMAND, *(kill if node == victim else [])] for node in (0, 1)]
    statuses = ended(nodes(tmp_path, launcher, commands), tmp_path)
    assert statuses[victim] == -signal.SIGKILL
    assert statuses[1 - victim] == 2
    left = said(tmp_path)[1 - victim]
    last = tmp_path / "runs" / METHOD / "version_0" / "checkpoints" / "last.ckpt"
    assert "another of the processes ended or cannot be reached" in left
    assert f"--checkpoint {last.relative_to(tmp_path)}" in left
    assert "Traceback" not in left
    content = torch.load(last, weights_only=True)
    assert content["bokehbench"]["stage"] == STAGES[1]
    assert content["global_step"] < len(STAGES) * STEPS

    again = [*COMMAND, "--checkpoint", str(last)]
    assert ended(nodes(tmp_path, launcher, [again, again]), tmp_path) == [0, 0], said(tmp_path)
    resumed = weights(tmp_path / "runs" / METHOD / "version_1")
    assert whole.keys() == resumed.keys()
    for key, value in whole.items():
        assert torch.equal(value, resumed[key]), key


def test_what_slurm_sends_before_the_time_limit_saves_once_and_one_node_speaks(tmp_path) -> None:
    stop = ["--trainer.callbacks+=kill_at.SignalAt", "--trainer.callbacks.step=2"]
    statuses = ended(nodes(tmp_path, "slurm", [COMMAND, [*COMMAND, *stop]]), tmp_path)
    assert statuses == [128 + signal.SIGTERM] * 2, said(tmp_path)
    first, second = said(tmp_path)
    assert "Stopped by SIGTERM" in first
    assert "Stopped by" not in second
    assert (tmp_path / "runs" / METHOD / "version_0" / "checkpoints" / "last.ckpt").is_file()
