"""Two processes that add results to one board at once lose nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from made_boards import make_board, make_result

from bokehbench.board import leaderboard
from bokehbench.board.results import read_all
from bokehbench.cli import main as run

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
    table = (folder / "table.csv").read_text()  # before anything renders again
    assert all(result.id in table for result in read_all(folder))
    assert leaderboard.check(folder) == []


def test_files_that_are_added_at_once_are_all_in_the_table(tmp_path, monkeypatch):
    """Threads that wait inside the rendering, so that without a lock the first to read would write last."""
    folder = make_board(tmp_path)
    places = []
    for number in range(4):
        places.append(tmp_path / f"{number}.json")
        places[-1].write_text(make_result(f"M{number}").to_json())
    files = leaderboard.files

    def slowly(board):
        texts = files(board)
        time.sleep(0.02 * (5 - len(read_all(board))))
        return texts

    monkeypatch.setattr(leaderboard, "files", slowly)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda path: run(["leaderboard", "add", "--board", str(folder), str(path)]), places)) == {0}
    table = (folder / "table.csv").read_text()
    assert all(result.id in table for result in read_all(folder))
    assert len(read_all(folder)) == 4


def test_what_is_stored_is_in_the_table_where_a_later_file_is_refused(tmp_path, capsys):
    folder = make_board(tmp_path)
    good, bad = make_result("Good"), make_result("Bad", board_version=7)
    for result in (good, bad):
        (tmp_path / f"{result.method}.json").write_text(result.to_json())
    words = ["leaderboard", "add", "--board", str(folder), str(tmp_path / "Good.json"), str(tmp_path / "Bad.json")]
    assert run(words) == 2
    assert "not for tiny version 1" in capsys.readouterr().err
    assert good.id in (folder / "table.csv").read_text()
