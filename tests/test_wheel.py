"""The wheel is the whole of bokehbench: what it holds, and what it does from an empty folder."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from installed import ROOT, Installed
from methods import words

import bokehbench
from bokehbench.board.boards import names

#: Folders of the checkout -> their place in the wheel.
PARTS = {"bokehbench": "bokehbench", "experiments": "bokehbench/experiments", "leaderboards": "bokehbench/leaderboards"}


@pytest.fixture
def run(installed: Installed, tmp_path: Path):
    """``bokehbench WORDS`` from an empty folder: what it prints."""
    return lambda *given: installed.bokehbench(*given, cwd=tmp_path)


def test_it_holds_all_files_of_the_package_and_no_others(installed: Installed) -> None:
    found = {name for name in zipfile.ZipFile(installed.wheel).namelist() if ".dist-info/" not in name}
    expected = {
        f"{place}/{path.relative_to(ROOT / part).as_posix()}"
        for part, place in PARTS.items()
        for path in (ROOT / part).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert found == expected
    assert {"bokehbench/py.typed", "bokehbench/app/server.py", "bokehbench/report/templates/index.html.j2"} <= found
    assert {"bokehbench/experiments/deeplens.yaml", "bokehbench/leaderboards/references.bib"} <= found


def test_it_runs_without_the_checkout(installed: Installed, tmp_path: Path) -> None:
    program = "import bokehbench, importlib.metadata as m; print(bokehbench.__file__, m.version('bokehbench'))"
    done = installed.run("python", "-c", program, cwd=tmp_path)
    place, version = done.stdout.split()
    assert Path(place).is_relative_to(installed.site)
    assert version == bokehbench.__version__


def test_its_version_boards_and_configurations(run) -> None:
    assert run("--version") == f"bokehbench {bokehbench.__version__}\n"
    script = run("completion", "bash")
    for name in ("deeplens_synthetic", *names()):
        assert name in script


def test_it_cites_its_boards(run) -> None:
    said = run("leaderboard", "cite", "Layered", "--board", "synthetic-quick")
    assert "@software{bokehbench," in said
    assert f"version = {{{bokehbench.__version__}}}" in said
    assert "permalink: none yet" in said


def test_it_fits(run, tmp_path: Path) -> None:
    assert "Next: bokehbench render PHOTO --model deeplens" in run("fit", *words("deeplens"))
    assert (tmp_path / "runs" / "deeplens" / "version_0" / "checkpoints" / "last.ckpt").is_file()


def test_a_suite_gives_the_result_that_the_checkout_has(run, tmp_path: Path) -> None:
    """The same id, which neither the version nor the commit of bokehbench is part of."""
    (committed,) = (ROOT / "leaderboards" / "synthetic-quick" / "results" / "identity").glob("*.json")
    run("benchmark", "quick", "--only", "identity", "--trainer.accelerator=cpu")
    with (tmp_path / "runs" / "suites" / "quick" / "table.csv").open(newline="") as file:
        assert {row["result"] for row in csv.DictReader(file)} == {committed.stem}
    (own,) = (tmp_path / "runs").rglob("result.json")
    recorded = json.loads(own.read_text())
    assert recorded["versions"]["bokehbench"] == bokehbench.__version__
    assert recorded["commit"] == ""
    assert (tmp_path / "leaderboards" / "synthetic-quick" / "table.md").is_file(), "a copy: its own stays as it is"
