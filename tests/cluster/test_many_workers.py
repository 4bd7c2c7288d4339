"""Verbs that walk folders: the same files and the same words with one worker or two, a bad picture among them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_of_two import cluster_of_two
from made_photos import save_photo, scene, similarity, taken
from makers import blurred, make_ebb, picture, ramp, save
from makers import make_pairs as make_pairs_set
from measured_boards import make_scenes_board, test_on
from methods import options

from bokehbench.cli import main

cluster = pytest.fixture(scope="module")(cluster_of_two)
QUIET = ["--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false", "--data.num_workers=0"]
NETWORK = [*options("pynet"), "--untrained"]
#: Files that must be equal; results of tests tell times.
KINDS = (".png", ".jpg", ".csv")
Command = tuple[list[str], int]


def spoil(path: Path) -> Path:
    """The header is good, the pixels are not."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(60) + content[len(content) // 2 + 60 :])
    return path


def score(root: Path) -> Command:
    for number in range(9):
        save(root / "ours" / f"{number}.png", blurred(picture(number, (40, 48))))
        save(root / "target" / f"{number}.png", picture(number, (40, 48)))
    spoil(root / "ours" / "4.png")
    words = ["score", "ours", "--targets", "target", "--protocol", "bokehme,pooled", "--columns=psnr_gain"]
    return [*words, "--allow-unreadable", "--csv", "scores.csv"], 0


def check(root: Path) -> Command:
    make_ebb(root / "EBB", range(9), depth=False, mask=False)
    (root / "EBB" / "Training" / "original" / "5.jpg").write_bytes(b"no picture")
    return ["data", "check", "--data", "ebb", "--data.root", "EBB", "--deep"], 1


def depth(root: Path) -> Command:
    make_ebb(root / "EBB", range(6), depth=False, mask=False)
    for number in (0, 1, 2, 4, 5):
        save(root / "maps" / f"{number}.png", ramp((12, 16)))
    return ["data", "depth", "--data", "ebb", "--data.root", "EBB", "--depth", "folder:maps"], 1


def render(root: Path) -> Command:
    for number in range(5):
        save(root / "photos" / f"{number}.png", picture(number, (48, 64)))
        save(root / "maps" / f"{number}.png", ramp((48, 64)))
    spoil(root / "photos" / "3.png")
    return ["render", "photos", "--model", "layered", "--disparity", "maps", "--save-disparity", "used", "-o", "out"], 2


def predict(root: Path) -> Command:
    make_pairs_set(root / "pairs" / "test", map(str, range(9)), (64, 64), disparity=True)
    return ["predict", *NETWORK, "--data", "pairs", "--data.root", "pairs", *QUIET], 0


def make_pairs(root: Path) -> Command:
    for number in range(4):
        narrow = scene(number, (240, 320))
        wide = taken(narrow, similarity((240, 320), 1.005, 0.3, number, 1), (1.2, 1.2, 1.2), 5)
        save_photo(root / "narrow" / f"{number}.jpg", narrow, 16)
        save_photo(root / "wide" / f"{number}.jpg", wide, 2)
    (root / "wide" / "2.jpg").write_bytes(b"no picture")
    return ["data", "make-pairs", "narrow", "wide", "-o", "pairs", "--height", "96"], 1


def verify(root: Path) -> Command:
    board = make_scenes_board(root)
    result = test_on(board, root / "test" / "result.json", "--model", "layered")
    assert main(["leaderboard", "add", str(root / "test" / "result.json"), "--board", str(board)]) == 0
    return ["leaderboard", "verify", result.id, "--board", str(board.relative_to(root)), "--device", "cpu"], 0


def written(root: Path) -> dict[str, bytes]:
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths if path.suffix in KINDS}


def run(
    make: Callable[[Path], Command], root: Path, more: list[str], monkeypatch, capsys
) -> tuple[dict[str, bytes], str]:
    """The files of a command in a folder of its own, and what it printed."""
    words, status = make(root)
    shutil.rmtree(root / "test", ignore_errors=True)
    monkeypatch.chdir(root)
    capsys.readouterr()
    assert main([*words, *more]) == status
    said = capsys.readouterr()
    errors = [line for line in re.split(r"[\r\n]", said.err) if line.strip() and not re.search(r"/\d+ \[", line)]
    return written(root), said.out + "\n".join(errors)


@pytest.mark.parametrize("make", [score, check, depth, render, predict, make_pairs, verify])
def test_one_worker_or_two(make, cluster: str, tmp_path: Path, monkeypatch, capsys) -> None:
    one = run(make, tmp_path / "one", ["--workers", "1"], monkeypatch, capsys)
    two = run(make, tmp_path / "two", ["--scheduler", cluster], monkeypatch, capsys)
    assert one == two
    bad = {score: "4.png", check: "5.jpg", depth: "3.jpg", render: "3.png", make_pairs: "2.jpg"}
    assert bad.get(make, "") in one[1]


def test_predict_names_a_bad_picture_and_goes_on(cluster: str, tmp_path: Path, monkeypatch, capsys) -> None:
    words, _ = predict(tmp_path)
    spoil(tmp_path / "pairs" / "test" / "input" / "5.png")
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--scheduler", cluster]) == 2
    assert "1 of 9 pictures were not predicted" in (said := capsys.readouterr().err)
    assert "5.png" in said
    found = sorted(path.stem for path in tmp_path.glob("runs/*/*/predictions/*.png"))
    assert found == [str(number) for number in range(9) if number != 5]


def test_one_worker_or_two_processes_of_our_own(tmp_path: Path, monkeypatch, capsys) -> None:
    one = run(render, tmp_path / "one", ["--workers", "1"], monkeypatch, capsys)
    assert run(render, tmp_path / "two", ["--workers", "2"], monkeypatch, capsys) == one
