"""Two processes that add results to one board at once lose nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from made_boards import make_board

from bokehbench.board import leaderboard
from bokehbench.board.results import read_all

ADD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from made_boards import make_result
from bokehbench.board import leaderboard
folder = Path(sys.argv[1])
for number in range(10):
    leaderboard.add(folder, make_result(f"{sys.argv[2]}{number}"))
    leaderboard.add(folder, make_result(f"Both{number}"))
    leaderboard.render(folder)
"""


def test_two_runners_at_once(tmp_path):
    folder = make_board(tmp_path)
    tests = Path(__file__).parents[1]
    words = [[sys.executable, "-c", ADD, str(folder), name, str(tests)] for name in ("Left", "Right")]
    runners = [subprocess.Popen(one, stderr=subprocess.PIPE, text=True) for one in words]
    errors = [runner.communicate(timeout=120)[1] for runner in runners]
    assert [runner.returncode for runner in runners] == [0, 0], errors
    expected = {f"{name}{number}" for name in ("Left", "Right", "Both") for number in range(10)}
    assert {result.method for result in read_all(folder)} == expected
    assert not list(folder.rglob("*.draft"))
    leaderboard.render(folder)
    assert leaderboard.check(folder) == []
