"""Sweeps of several processes on one PostgreSQL server: no trial twice, a lost one again, one table."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import optuna
import pytest
import yaml
from forked import Popen
from postgres_server import PASSWORD, server

from bokehbench.cli import main
from bokehbench.sweep.storage import Storage

SEED = "seed_everything"
FOLDER = Path("runs", "sweeps", "mine")
SCRIPT = Path(__file__).with_name("quick_sweep.py")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    pytest.importorskip("psycopg", reason="pip install 'bokehbench[cluster]'")
    with server() as found:
        yield found


def sweep(folder: Path, name: str, values: dict[str, object], method: str, *more: str) -> list[str]:
    """Write a sweep over seeds; returns the command that runs it."""
    content = {
        "method": method, "metric": {"name": "val/psnr", "goal": "maximize"}, "parameters": {SEED: values},
        "command": ["bokehbench", "fit", "--model=deeplens", "${args}"],
    }  # fmt: skip
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return ["sweep", f"{name}.yaml", f"--folder={FOLDER}", *more]


def begin(words: Sequence[str], cwd: Path, said: str) -> Popen:
    """A sweep in a process of its own, with trials of half a second."""
    with (cwd / said).open("wb") as file:
        return Popen([sys.executable, str(SCRIPT), *words], cwd=cwd, stdout=file, stderr=subprocess.STDOUT)


def hanging(words: Sequence[str], cwd: Path, said: str) -> Popen:
    """A sweep whose first trial has begun and does not end."""
    (cwd / "hang").touch()
    process = begin(words, cwd, said)
    end = time.monotonic() + 200
    while not list(cwd.glob(f"{FOLDER}/trial-*/fit.log")):
        assert time.monotonic() < end, (cwd / said).read_text()
        assert process.poll() is None, (cwd / said).read_text()
        time.sleep(0.05)
    time.sleep(0.5)  # it has read that it hangs
    (cwd / "hang").unlink()
    return process


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / FOLDER / "trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_sweeps_share_a_grid_and_the_trial_of_a_killed_one_is_tried_again(url, tmp_path) -> None:
    points = 20
    command = sweep(tmp_path, "shared", {"values": list(range(points))}, "grid", "--storage", url, "--lost-after=8")
    victim = hanging(command, tmp_path, "victim.txt")
    victim.kill()
    victim.wait(60)
    others = [begin(command, tmp_path, f"{name}.txt") for name in ("a", "b", "c")]
    statuses = [each.wait(200) for each in others]
    printed = [(tmp_path / f"{name}.txt").read_text() for name in ("a", "b", "c")]
    assert statuses == [0, 0, 0], printed

    rows = table(tmp_path)
    assert sorted(int(row[SEED]) for row in rows) == list(range(points)), "every point is a row, once"
    assert Counter((tmp_path / "ended.txt").read_text().split()) == Counter(map(str, range(points))), "nothing twice"
    assert all(float(row["val/psnr"]) == int(row[SEED]) for row in rows)
    assert all(row["machine"] for row in rows)
    study = optuna.load_study(study_name="shared", storage=url)
    lost = study.trials[0]
    assert lost.state == optuna.trial.TrialState.FAIL
    (again,) = (row for row in rows if int(row[SEED]) == int(lost.params[SEED]))
    assert int(again["trial"]) > 0, "the killed one's values again, under a number of their own"
    assert len({each[each.index("Best: ") :] for each in printed}) == 1, "all end with the whole table"
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert PASSWORD.encode() not in file.read_bytes(), file


def test_sweeps_that_draw_end_after_as_many_trials_as_one_and_draw_differently(url, tmp_path) -> None:
    seeds = {"min": 0, "max": 1_000_000_000}
    command = sweep(tmp_path, "drawn", seeds, "bayes", "--storage", url, "--trials=7")
    processes = [begin(command, tmp_path, f"{name}.txt") for name in ("a", "b", "c")]
    statuses = [each.wait(200) for each in processes]
    assert statuses == [0, 0, 0], [(tmp_path / f"{name}.txt").read_text() for name in ("a", "b", "c")]
    rows = table(tmp_path)
    assert len(rows) == 7
    assert len({row[SEED] for row in rows}) == 7
    assert len((tmp_path / "ended.txt").read_text().split()) == 7


def test_a_sweep_that_is_stopped_gives_its_trial_back_at_once(url, tmp_path) -> None:
    command = sweep(tmp_path, "stopped", {"values": [1, 2]}, "grid", "--storage", url)
    process = hanging(command, tmp_path, "said.txt")
    process.terminate()
    assert process.wait(120) == 128 + signal.SIGTERM
    assert "The same command goes on" in (tmp_path / "said.txt").read_text()
    first, again = optuna.load_study(study_name="stopped", storage=url).trials
    assert first.state == optuna.trial.TrialState.FAIL
    assert again.state == optuna.trial.TrialState.WAITING
    assert again.system_attrs["fixed_params"] == first.params


def test_a_trial_that_others_took_for_lost_is_theirs(url, tmp_path) -> None:
    """A process that was held up, as on a laptop that slept, finds its trial ended by another and goes on."""
    command = sweep(tmp_path, "asleep", {"values": [1, 2]}, "grid", "--storage", url, "--lost-after=4")
    sleeper = begin(command, tmp_path, "sleeper.txt")
    while not list(tmp_path.glob(f"{FOLDER}/trial-*/fit.log")):
        time.sleep(0.02)
    sleeper.send_signal(signal.SIGSTOP)
    other = begin(command, tmp_path, "other.txt")
    assert other.wait(200) == 0, (tmp_path / "other.txt").read_text()
    sleeper.send_signal(signal.SIGCONT)
    assert sleeper.wait(200) == 0, (tmp_path / "sleeper.txt").read_text()
    assert "another process tries it again" in (tmp_path / "sleeper.txt").read_text()
    assert sorted(row[SEED] for row in table(tmp_path)) == ["1", "2"]


def test_a_password_is_in_no_message(url, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    command = sweep(tmp_path, "refused", {"values": [1, 2]}, "grid")
    wrong = "not-the-password"
    for storage in (
        url.replace(PASSWORD, wrong),
        url.replace(PASSWORD, f"{wrong}@x"),
        url.replace(PASSWORD, wrong).replace("127.0.0.1", "127.0.0.1:x"),
        f"postgresql+psycopg://127.0.0.1:1/postgres?user=sweeper&password={wrong}",
        f"nothing://sweeper:{wrong}@127.0.0.1/postgres",
    ):
        assert main([*command, "--storage", storage]) == 2
        said = capsys.readouterr().err
        assert said.startswith("bokehbench: --storage ")
        assert wrong not in said
        assert "***" in said
        assert len(said.splitlines()) == 1


def test_without_the_driver_there_is_one_sentence(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    command = sweep(tmp_path, "driver", {"values": [1, 2]}, "grid")
    assert main([*command, "--storage", "postgresql+psycopg://somebody@127.0.0.1/none"]) == 2
    assert "pip install 'bokehbench[cluster]'" in capsys.readouterr().err


def test_a_file_is_of_one_process_and_a_server_of_many() -> None:
    assert not Storage("sweep.db").shared
    assert not Storage("sqlite:///sweep.db").shared
    assert Storage("postgresql+psycopg://a@b/c").shared
    assert str(Storage("postgresql+psycopg://a:b@c/d")) == "postgresql+psycopg://a:***@c/d"
    assert str(Storage("postgresql+psycopg://a@c/d")) == "postgresql+psycopg://a@c/d"
