"""Photos with targets at several f-numbers, from the folder to the board: scores per f-number beside the mean."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from made_boards import make_board
from makers import SCENES, make_realbokeh, make_vabd
from methods import options, stage_names
from PIL import Image

from bokehbench.board import results
from bokehbench.cli import main
from bokehbench.f_numbers import f_number_in, grouped, written

QUIET = ["--data.num_workers=0", "--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"]
MADE: dict[str, Callable[[Path], Path]] = {
    "realbokeh": lambda root: make_realbokeh(root, size=(40, 48), disparity=True),
    "vabd": lambda root: make_vabd(root, size=(40, 48)),
}
TESTED = {
    "realbokeh": {"1_f2.0": 2.0, "1_f7.1": 7.1, "2_f2.0": 2.0, "2_f20": 20.0},
    "vabd": {"0002_f1.8": 1.8, "0002_f2.8": 2.8, "0002_f8.0": 8.0},
}


def test_f_numbers_in_names() -> None:
    known = {"12_f2.8": 2.8, "a_b_f11": 11.0, "x_f0": None, "x_f2.8_b": None, "f2.8": None, "IMG_f": None, "1": None}
    assert {name: f_number_in(name) for name in known} == known
    assert [written(each) for each in (2.0, 7.1, 2.25, 11.0, 22)] == ["2.0", "7.1", "2.25", "11", "22"]
    assert grouped({"a": 11.0, "b": 2.0, "c": 2.0}) == {2.0: ["b", "c"], 11.0: ["a"]}
    assert grouped({"a": 2.0, "b": 2.0}) == {}


@pytest.mark.parametrize("name", MADE)
def test_fit_test_and_board(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = [f"--data={name}", f"--data.root={MADE[name](tmp_path / 'data')}", "--data.aperture_at_1024=64", *QUIET]
    runs = f"--trainer.default_root_dir={tmp_path}"
    recipe = {"steps": 1, "batch_size": 2, "view": "crop", "height": 64, "width": 64}
    small = [f"--model.{stage}.{key}={value}" for stage in stage_names("pix2pix") for key, value in recipe.items()]
    assert main(["fit", *options("pix2pix"), *small, *where, runs]) == 0

    ids, count = TESTED[name], len(TESTED[name])
    board = make_board(tmp_path, count=count, ids=list(ids), protocol="bokehlicious", columns=["psnr", "ssim_gaussian"])
    recorder = ["--trainer.callbacks+=bokehbench.measure.recorder.ResultRecorder",
                f"--trainer.callbacks.board={board}", f"--trainer.callbacks.output={tmp_path}/result.json"]  # fmt: skip
    (checkpoint,) = tmp_path.rglob("last.ckpt")
    capsys.readouterr()
    assert main(["test", f"--checkpoint={checkpoint}", *where, runs, *recorder]) == 0
    printed = capsys.readouterr().out
    lines = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line.startswith("f/")}
    assert {each: int(line[0]) for each, line in lines.items()} == {
        f"f/{written(each)}": list(ids.values()).count(each) for each in ids.values()
    }

    (scores,) = tmp_path.rglob("test.csv")
    with scores.open() as file:
        rows = list(csv.DictReader(file))
    assert {row["name"]: float(row["f_number"]) for row in rows} == ids
    widest = min(ids.values())
    mean = [float(row["psnr"]) for row in rows if float(row["f_number"]) == widest]
    assert float(lines[f"f/{written(widest)}"][1]) == pytest.approx(math.fsum(mean) / len(mean), abs=1e-3)

    assert main(["leaderboard", "add", f"{tmp_path}/result.json", "--board", str(board)]) == 0
    (stored,) = results.read_all(board)
    assert stored.f_numbers == ids
    page = (board / "table.md").read_text()
    assert "## By f-number" in page
    for each in set(ids.values()):
        assert f"| f/{written(each)} | {list(ids.values()).count(each)} |" in page
    assert main(["leaderboard", "check", str(board)]) == 0
    assert main(["report", str(board), "-o", f"{tmp_path}/report"]) == 0
    html = (tmp_path / "report" / "index.html").read_text()
    assert "By f-number" in html
    assert f"f/{written(widest)}" in html


def test_predict_names_its_pictures_as_the_challenge_does(tmp_path: Path) -> None:
    make_realbokeh(tmp_path / "data", {"validation": SCENES["test"]}, targets=False)
    where = ["--data=realbokeh", f"--data.root={tmp_path}/data", *QUIET, f"--trainer.default_root_dir={tmp_path}"]
    assert main(["predict", "--model=identity", *where]) == 0
    written_there = {path.name for path in tmp_path.rglob("*.png")}
    assert written_there == {"1_f2.0.png", "1_f7.1.png", "2_f2.0.png", "2_f20.png"}


def test_score_groups_folders_by_the_names_of_their_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_realbokeh(tmp_path / "data", {"test": {1: (2.0, 4.0), 2: (2.0,)}}) / "test"
    for target in root.glob("gt/*/*"):
        for folder, source in (("targets", target), ("outputs", root / "in" / f"{target.parent.name}_f22.JPG")):
            (tmp_path / folder).mkdir(exist_ok=True)
            with Image.open(source) as photo:
                photo.save(tmp_path / folder / f"{target.stem}.png")
    words = ["score", f"{tmp_path}/outputs", f"--targets={tmp_path}/targets", "--protocol=bokehlicious"]
    words += ["--allow-duplicates"]  # a method that does not look at the f-number
    assert main([*words, f"--csv={tmp_path}/scores.csv"]) == 0
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    found = {line[2]: line[3:] for line in printed if line[2:] and line[2].startswith("f/")}
    assert {each: line[0] for each, line in found.items()} == {"f/2.0": "2", "f/4.0": "1"}
    with (tmp_path / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["name"]: row["f_number"] for row in rows} == {"1_f2.0": "2.0", "1_f4.0": "4.0", "2_f2.0": "2.0"}
    wide = [float(row["psnr"]) for row in rows if row["f_number"] == "2.0"]
    assert float(found["f/2.0"][1]) == pytest.approx(sum(wide) / 2, abs=1e-4)


def test_a_result_without_f_numbers_is_written_as_before(tmp_path: Path) -> None:
    from made_boards import make_result

    result = make_result()
    text = result.to_json()
    assert "f_numbers" not in json.loads(text)
    assert results.Result.from_json(text).f_numbers == {}
