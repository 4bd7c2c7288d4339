"""``test --control``: sweeps become rows, curves and sentences; what obeys nothing has no rank and is no failure."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from made_control import COUNT, SIZE, control_test, make_control_board

import bokehbench
from bokehbench.board import boards, results
from bokehbench.board.leaderboard import add, render
from bokehbench.board.standings import read_standings, standings
from bokehbench.cli import main
from bokehbench.data import Control
from bokehbench.data.image_io import read_rgb
from bokehbench.errors import BokehbenchError
from bokehbench.figures import draw
from bokehbench.figures.dose_response import chart, response
from bokehbench.measure.control import ControlRecorder
from bokehbench.measure.verification import verify


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    return make_control_board(tmp_path_factory.mktemp("control"))


@pytest.fixture(scope="module")
def ran(board, tmp_path_factory):
    """Label -> result and where it was written: by a test, a suite, and from Python."""
    home = tmp_path_factory.mktemp("ran")
    layered = control_test(board, home / "Layered", "layered", "--trainer.callbacks.pictures=1")
    exact = {"name": "exact", "model": "identity", "test": {"trainer.callbacks.exact": True}}
    options = {"trainer.accelerator": "cpu", "data.num_workers": 0}
    (home / "suite.yaml").write_text(yaml.safe_dump({"experiments": [exact], "options": options}))
    assert main(["benchmark", str(home / "suite.yaml"), f"--board={board}", f"--folder={home / 'Exact'}"]) == 0
    (place,) = (home / "Exact" / "exact").glob("test-*")
    identity = bokehbench.test(bokehbench.load("identity"), board, num_workers=0)
    found = {"Layered": (layered, home / "Layered"), "Exact": (results.read(place / "result.json"), place)}
    found["Identity"] = identity, home
    for result, _ in found.values():
        add(board, result)
    return found


def test_a_result_has_a_row_for_each_sweep_chart_and_the_lamps_with_curves(ran):
    result, folder = ran["Layered"]
    assert len(result.per_image) == COUNT
    assert {"scene-000/front", "scene-000/background", "chart-3/0.9", "lamps/0.7"} <= set(result.per_image)
    assert result.inference["control"]["protocol"] == "control-1"
    assert result.per_image["lamps/0.7"]["highlight_energy_8"] == pytest.approx(1, abs=0.1)
    sweep = result.curves["scene-000/front"]
    assert sweep["K"] == [4, 8, 12, 16, 20, 24]
    assert len(sweep["A"]) == len(sweep["lv"]) == 6
    lines = list(csv.DictReader((folder / "control.csv").open()))
    assert {line["plane"] for line in lines} <= {"front", "background"}
    assert all(float(line["told"]) <= 24 for line in lines)


def test_pictures_of_the_first_sweeps_are_kept_where_they_are_asked_for(ran):
    _, folder = ran["Layered"]
    stored = {path.relative_to(folder / "pictures") for path in (folder / "pictures").rglob("*.png")}
    names = [f"scene-000%2Ffront%2F{aperture:02d}.png" for aperture in (0, 4, 8, 12, 16, 20, 24)]
    assert stored == {Path(kind, name) for kind in ("output", "target") for name in names}
    target = read_rgb(folder / "pictures" / "target" / names[3])
    items = Control(size=SIZE, scenes=1, num_workers=0).pictures("test")
    assert items[3]["name"] == "scene-000/front/12"
    assert torch.allclose(target, items[3]["bokeh"], atol=1e-6)
    assert not (ran["Exact"][1] / "pictures").exists()


def test_matched_strength_is_refused(capsys):
    """It would choose what the test asks for."""
    assert main(["test", "--model", "layered", "--control", "--matched", "--data.scenes=1", "--data.size=96"]) == 2
    said = capsys.readouterr().err
    assert "--control measures what a method makes of what it is told: leave out --matched." in said


def test_exact_renderings_rank_first_and_identity_has_no_rank(board, ran):
    found = read_standings(board)
    assert [row.label for row in found.ranked] == ["Exact", "Layered"]
    assert [(row.label, row.reason) for row in found.unranked] == [("Identity", "takes no aperture")]
    exact = ran["Exact"][0]
    assert exact.weights_hash == ran["Layered"][0].weights_hash, "none"
    assert all(value == pytest.approx(58.92, abs=0.01) for value in exact.values("zero_psnr").values())
    assert ran["Identity"][0].missing["focus_error"] == "takes no focus"


def test_the_dose_response_is_drawn_and_intervals_are_of_scenes(ran, board, tmp_path):
    assert tmp_path / "tiny-dose.png" in draw(board, tmp_path)
    curve = response([ran["Layered"][0]])
    assert [told for told, *_ in curve] == [4, 8, 12, 16, 20, 24]
    assert all(abs(measured - told) < 2 for told, measured, *_ in curve)
    radii = dict(chart([ran["Layered"][0]]))
    assert min(radii, key=radii.get) == pytest.approx(0.5, abs=0.05)
    render(board)
    assert "interval over scenes" in (board / "table.md").read_text()


def test_a_board_shows_the_median_knee(ran, board):
    result = ran["Layered"][0]
    names = ("scene-000/background", "scene-000/front", "chart-0/0.5")
    bent = {name: {"dose_knee": knee} for name, knee in zip(names, (10.0, 12.0, 20.0), strict=True)}
    found = standings(boards.read_board(board), [replace(result, per_image={**result.per_image, **bent})], [])
    knee = found.rows[0].means["dose_knee"]
    assert (knee.mean, knee.count) == (12, 3)
    assert math.isnan(knee.low)


def test_failures_are_sentences_and_other_scenes_make_no_result(ran, board, tmp_path, capsys):
    words = ["test", "--model", "gaussian", "--control", "--data.scenes=1", "--data.size=96", "--data.num_workers=0",
             "--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false", "--trainer.logger=false",
             f"--trainer.default_root_dir={tmp_path}", f"--trainer.callbacks.output={tmp_path / 'r.json'}"]  # fmt: skip
    assert main([*words, f"--trainer.callbacks.board={board}"]) == 0
    said = capsys.readouterr().out
    assert "of the charts have a focal plane that can be found" in said
    assert "No result for tiny: This test is on other pictures" in said
    assert not (tmp_path / "r.json").exists()


def test_what_cannot_be_measured_so_is_refused(board, ran):
    with pytest.raises(BokehbenchError, match="test --control"):
        verify(boards.read_board(board), ran["Layered"][0])
    with pytest.raises(BokehbenchError, match="no sweeps of apertures"):
        ControlRecorder(board).refuse_other_pictures(object())


def test_the_scenes_of_two_processes_are_those_of_one_each_whole():
    data = Control(size=96, scenes=3, num_workers=0)
    items = data.pictures("test")
    dealt = []
    for rank in (0, 1):
        data.trainer = SimpleNamespace(global_rank=rank, world_size=2)
        dealt.append(list(data.test_dataloader().sampler))
    assert sorted(dealt[0] + dealt[1]) == list(range(len(items)))
    names = [{items.items[index][0] for index in part} for part in dealt]
    assert not names[0] & names[1]


def test_pictures_are_the_same_at_every_call_and_targets_are_exact_at_zero():
    items = Control(size=96, scenes=1, num_workers=0).pictures("test")
    first = items[0]
    assert first["name"] == "scene-000/front/00"
    assert first["bokeh"].equal(first["image"])
    other = items[len(items) - 1]
    assert items[0]["image"].equal(first["image"])
    assert not other["bokeh"].equal(other["image"])
