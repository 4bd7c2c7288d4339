"""However bokehbench ends, nothing of a command goes on."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from forked import start
from makers import picture, ramp, save
from test_check import described

from bokehbench.cli import main

#: Starts a process of its own, as a shell script does, says who both are, and goes on for long.
HANG = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open("pids.part", "w") as file:
    file.write(f"{os.getpid()} {child.pid} {os.getppid()}")
os.rename("pids.part", "pids")
time.sleep(float(sys.argv[1]))
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(what, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.05)
    return bool(what())


def command_line(tmp_path: Path, sleep: float, seconds: float) -> list[str]:
    (tmp_path / "hang.py").write_text(HANG)
    command = ["{python}", "hang.py", str(sleep)]
    path = described(tmp_path / "hang.yaml", command=command, folder=str(tmp_path), seconds=seconds)
    photo, disparity = save(tmp_path / "a.png", picture(0)), save(tmp_path / "d.png", ramp())
    return ["render", str(photo), "--model", str(path), "--disparity", str(disparity), "-o", str(tmp_path / "out.png")]


def pids(tmp_path: Path) -> list[int]:
    return [int(pid) for pid in (tmp_path / "pids").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_bokehbench_leaves_nothing_behind(tmp_path, how) -> None:
    process = start(command_line(tmp_path, 600, 600), tmp_path, tmp_path / "said.txt")
    try:
        assert wait_for((tmp_path / "pids").exists, 120)
        started = pids(tmp_path)
        assert all(map(alive, started))
        os.kill(process.pid, how)
        process.wait(60)
        assert wait_for(lambda: not any(map(alive, started)), 20)
    finally:
        process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    ("sleep", "why"), [(600, "did not end within 3 s and was killed"), (0, "did not write 0001.png")]
)
def test_nor_does_a_time_limit_or_a_command_that_leaves_a_process(tmp_path, capsys, sleep, why) -> None:
    assert main(command_line(tmp_path, sleep, 3)) == 2
    assert why in capsys.readouterr().err
    assert not any(map(alive, pids(tmp_path)))
