"""Figures: what they plot is what the results say, and the files are small, of one size and the same every time."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_boards import PICTURES, make_board, make_result
from makers import blurred, picture, save, square
from PIL import Image

from bokehbench import figures
from bokehbench.board import leaderboard
from bokehbench.board.identity import OUTPUTS_ONLY
from bokehbench.board.results import Result
from bokehbench.board.standings import read_standings
from bokehbench.board.statistics import interval
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.figures import channels, edges, quality_time, style
from bokehbench.figures.contact_sheet import blocks, chosen, variance, window
from bokehbench.figures.labels import around, overlap
from bokehbench.figures.stored_pictures import find_stored, picture_file

ODD = "$\\frac{a}_ <b> 和 \n very long name of a method that goes on and on"


def with_regions(result: Result, **shifts: float) -> Result:
    """``result`` with a border PSNR 3 dB below its PSNR, and SSIM in and out of focus."""
    rows = {
        name: {**row, "psnr_border": row["psnr"] - 3 + shifts.get("border", 0), "ssim_in_focus": 0.95,
               "ssim_out_of_focus": row["ssim"] / 2}
        for name, row in result.per_image.items()
    }  # fmt: skip
    return replace(result, per_image=rows)


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """Four methods with times on one device, regions, and channel counts 4, 8, 16."""
    folder = make_board(tmp_path)
    timed = [("Fast", -2.0, 0.01), ("Slow and worse", -3.0, 0.1), ("Best", 2.0, 1.0), (ODD, 0.5, 0.2)]
    for method, shift, seconds in timed:
        result = make_result(method, shift, seconds_per_image=seconds, device="a CPU")
        leaderboard.add(folder, with_regions(result))
    random = np.random.default_rng(0)
    for count, shift in ((4, -1.0), (8, 0.0), (16, 0.02)):
        made = make_result("Net", shift, architecture={"channels": count, "loss": "l1"}, weights_hash=f"w{count}")
        noisy = {name: {k: v + random.normal(0, 0.1) for k, v in row.items()} for name, row in made.per_image.items()}
        leaderboard.add(folder, replace(made, per_image=noisy))
    leaderboard.add(folder, make_result("Net", 9.0, architecture={"channels": 64, "loss": "l2"}, weights_hash="w"))
    return folder


def store(work: Path, result: Result, names: list[str], output_seed: int) -> None:
    """What a test leaves: ``result.json`` and pictures."""
    folder = work / result.method.replace("/", "-")[:10] / "test-1"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(result.to_json())
    for name in names:
        sharp = picture(sum(map(ord, name)))
        cell = np.asarray(sharp, dtype=np.int16) + 8 * output_seed * square()[..., None]
        for kind, pixels in {
            "input": sharp, "target": blurred(sharp), "output": cell.clip(0, 255).astype(np.uint8),
            "in_focus": (square() * 255).astype(np.uint8),
        }.items():  # fmt: skip
            save(picture_file(folder / "pictures", kind, name), pixels)


def test_every_figure_is_written_small_and_the_same_twice(board: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    for seed, row in enumerate(read_standings(board).ranked):
        if row.result.method in ("Fast", "Best", ODD):
            store(work, row.result, PICTURES[:2], seed)
    log = work / "net" / "fit-1" / "net" / "version_0" / "metrics.csv"
    log.parent.mkdir(parents=True)
    log.write_text("epoch,step,depth/loss,val/psnr\n0,1,0.5,\n0,3,0.4,\n0,3,,21.5\n")
    first = figures.draw(board, tmp_path / "one", work)
    assert [path.name for path in first] == [
        "tiny-time.png", "tiny-edges.png", "tiny-channels.png", "tiny-contact.webp", "tiny-training.png"
    ]  # fmt: skip
    again = figures.draw(board, tmp_path / "two", work)
    for one, two in zip(first, again, strict=True):
        assert one.read_bytes() == two.read_bytes()
        assert one.stat().st_size <= style.LIMIT
        with Image.open(one) as image:
            assert image.width == (800 if one.suffix == ".webp" else 1600)
            assert not image.info.get("Software")


def test_settings_of_the_user_do_not_change_files(board: Path, tmp_path: Path) -> None:
    import matplotlib

    standings = read_standings(board)
    before = edges.draw(standings, tmp_path / "one.png").read_bytes()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "savefig.bbox": "tight"}):
        assert edges.draw(standings, tmp_path / "two.png").read_bytes() == before
        assert matplotlib.rcParams["font.size"] == 30


def test_what_a_board_cannot_give_is_left_out_with_a_sentence(tmp_path: Path, capsys) -> None:
    folder = make_board(tmp_path)
    assert figures.draw(folder, tmp_path / "out") == []
    leaderboard.add(folder, make_result("Alone"))
    said: list[str] = []
    assert figures.draw(folder, tmp_path / "out", report=said.append) == []
    assert [line.split(":")[0] for line in said] == [
        "quality against time", "quality near depth edges", "channel curve", "dose response", "contact sheet",
        "training curves",
    ]  # fmt: skip
    assert main(["leaderboard", "figures", str(folder), "-o", str(tmp_path / "out")]) == 0
    assert "No quality against time: 0 ranked results have a time" in capsys.readouterr().out


def test_the_verb_writes_and_names_files(board: Path, tmp_path: Path, capsys) -> None:
    assert main(["leaderboard", "figures", str(board), "-o", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert str(tmp_path / "out" / "tiny-time.png") in printed
    assert "No contact sheet:" in printed
    command = ["leaderboard", "figures", str(board), "-o", str(tmp_path / "none"), "--work", str(tmp_path / "nowhere")]
    assert main(command) != 0
    assert "nowhere is no folder" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_front_is_what_nothing_beats_in_both(board: Path) -> None:
    points = quality_time.points(read_standings(board))
    assert [(p.label, p.on_front) for p in points] == [
        ("Fast", True), ("Slow and worse", False), (ODD, True), ("Best", True)
    ]  # fmt: skip
    best = next(row for row in read_standings(board).ranked if row.label == "Best")
    assert points[-1].score == best.means["psnr"]


def test_the_trainings_of_one_recipe_are_one_point(board: Path) -> None:
    for seed, shift, seconds in ((0, 1.0, 0.3), (1, 1.4, 0.2)):
        net = {"weights_hash": f"seed {seed}", "seed": seed, "training": {"steps": 9, "seed": seed}}
        leaderboard.add(board, make_result("Twice", shift, seconds_per_image=seconds, device="a CPU", **net))
    standings = read_standings(board)
    (point,) = (each for each in quality_time.points(standings) if each.label.startswith("Twice"))
    assert point.label == "Twice (2 seeds)"
    assert point.seconds == 0.2
    means = [row.means["psnr"].mean for row in standings.ranked if row.result.method == "Twice"]
    assert point.score.mean == pytest.approx(sum(means) / 2)
    assert point.score.low < point.score.mean < point.score.high


def test_times_of_other_devices_beat_nobody(board: Path) -> None:
    gpu = {"device": "a GPU", "weights_hash": OUTPUTS_ONLY, "prediction_hash": "q"}
    other = make_result("Elsewhere", 3.0, seconds_per_image=0.001, **gpu)
    leaderboard.add(board, other)
    points = quality_time.points(read_standings(board))
    assert sum(point.on_front for point in points) == 4
    assert {point.kind for point in points} == {"not trained", "outputs of others"}


def test_lower_is_better_turns_the_front(tmp_path: Path) -> None:
    folder = make_board(tmp_path, columns=["lpips"], rank_by="lpips")
    for method, value, seconds in (("good", 0.1, 1.0), ("bad", 0.5, 2.0)):
        rows = {name: {"lpips": value} for name in PICTURES}
        result = make_result(method, per_image=rows, missing={}, seconds_per_image=seconds, device="d")
        leaderboard.add(folder, result)
    assert [(p.label, p.on_front) for p in quality_time.points(read_standings(folder))] == [
        ("good", True), ("bad", False)
    ]  # fmt: skip


def test_edges_are_sorted_by_the_border_and_hold_the_intervals(board: Path) -> None:
    leaderboard.add(board, with_regions(make_result("Border king", -9.0), border=30.0))
    lines = edges.lines(read_standings(board))
    assert lines[0].label == "Border king"
    borders = [line.scores["psnr_border"].mean for line in lines]
    assert borders == sorted(borders, reverse=True)
    assert len(lines) == 5, "results without scores by region are left out"
    king = next(row.result for row in read_standings(board).ranked if row.label == "Border king")
    assert lines[0].scores["psnr_border"] == interval(list(king.values("psnr_border").values()))


def test_a_perfect_picture_is_no_point(board: Path, tmp_path: Path) -> None:
    perfect = with_regions(make_result("Perfect", 1.0))
    rows = {name: {**row, "ssim_in_focus": math.inf} for name, row in perfect.per_image.items()}
    leaderboard.add(board, replace(perfect, per_image=rows))
    assert edges.draw(read_standings(board), tmp_path / "edges.png").is_file()


def test_channel_curve_joins_what_differs_in_channels_alone(board: Path) -> None:
    (curve,) = channels.curves(read_standings(board))
    assert [step.channels for step in curve.steps] == [4, 8, 16]
    four, eight, sixteen = curve.steps
    rows = {row.result.architecture.get("channels"): row.result for row in read_standings(board).ranked}
    gap = np.mean([rows[4].values("psnr")[name] - rows[16].values("psnr")[name] for name in PICTURES])
    assert four.gaps["psnr"].mean == pytest.approx(gap)
    assert four.gaps["psnr"].high < 0, "one dB of paired difference is sure, wide as the means' intervals are"
    assert eight.gaps["psnr"].low < 0 < eight.gaps["psnr"].high
    assert sixteen.gaps["psnr"].mean == 0
    assert four.means["psnr"] == pytest.approx(np.mean(list(rows[4].values("psnr").values())))


def test_seeds_of_a_channel_count_are_averaged(board: Path) -> None:
    again = make_result("Net", 3.0, architecture={"channels": 4, "loss": "l1"}, weights_hash="w4b", seed=1)
    before = channels.curves(read_standings(board))[0].steps[0]
    leaderboard.add(board, again)
    after = channels.curves(read_standings(board))[0].steps[0]
    assert len(after.runs["psnr"]) == 2
    assert before.means["psnr"] in after.runs["psnr"]
    assert after.means["psnr"] == pytest.approx(np.mean(after.runs["psnr"]))
    assert np.mean(list(again.values("psnr").values())) == pytest.approx(max(after.runs["psnr"]))


def test_sheet_shows_the_pictures_that_all_have_with_their_own_scores(board: Path, tmp_path: Path) -> None:
    rows = {row.label: row.result for row in read_standings(board).ranked}
    store(tmp_path / "work", rows["Fast"], ["0003", "0001", "0000"], 1)
    store(tmp_path / "work", rows["Best"], ["0001", "0003", "0007"], 2)
    store(tmp_path / "work", replace(rows[ODD], board="another"), ["0001"], 3)
    found = list(blocks(find_stored(read_standings(board), tmp_path / "work"), read_standings(board)))
    assert [block.name for block in found] == ["0001", "0003"]
    assert [cell.title for cell in found[0].cells] == ["input", "Best", "Fast", "target"]
    assert found[0].cells[1].score == f"{rows['Best'].per_image['0001']['psnr']:.2f} dB"


def test_sheet_shows_the_picture_on_which_the_methods_differ_most(board: Path, tmp_path: Path) -> None:
    rows = {row.label: row.result for row in read_standings(board).ranked}
    for label, seed in (("Fast", 1), ("Best", 2)):
        store(tmp_path / "work", rows[label], ["0001", "0003"], seed)
    outputs = [tmp_path / "work" / label / "test-1" / "pictures" / "output" for label in ("Fast", "Best")]
    for same, other in (("0001", "0003"), ("0003", "0001")):
        for seed, folder in enumerate(outputs):
            save(folder / f"{same}.png", picture(5))
            save(folder / f"{other}.png", picture(6 + seed))
        found = blocks(find_stored(read_standings(board), tmp_path / "work"), read_standings(board))
        assert chosen(found).name == other


def test_sheet_refuses_methods_with_other_targets(board: Path, tmp_path: Path) -> None:
    rows = {row.label: row.result for row in read_standings(board).ranked}
    for label in ("Fast", "Best"):
        store(tmp_path / "work", rows[label], ["0001"], 1)
    save(tmp_path / "work" / "Fast" / "test-1" / "pictures" / "target" / "0001.png", picture(5))
    with pytest.raises(BokehbenchError, match="not the target that Best was scored against"):
        figures.draw(board, tmp_path / "out", tmp_path / "work")


def test_names_of_pictures_may_be_odd(tmp_path: Path) -> None:
    folder = make_board(tmp_path, ids=None)
    names = ["a/b", "50 %.x", "和 $y$", *PICTURES[3:]]
    scores = dict(zip(names, make_result().per_image.values(), strict=True))
    for seed, method in enumerate(("A", "B")):
        result = make_result(method, per_image=scores, weights_hash=method)
        leaderboard.add(folder, result)
        store(tmp_path / "work", result, names[:3], seed)
    assert [path.name for path in figures.draw(folder, tmp_path / "out", tmp_path / "work")] == ["tiny-contact.webp"]
    assert [b.name for b in blocks(find_stored(read_standings(folder), tmp_path / "work"), read_standings(folder))] \
        == sorted(names[:3])  # fmt: skip


def test_closer_look_finds_the_difference_near_the_border() -> None:
    one, two = np.zeros((40, 60, 3), np.uint8), np.zeros((40, 60, 3), np.uint8)
    two[30:34, 50:56] = 200  # far from the border: the largest difference
    two[8:12, 18:24] = 100
    row, column = window(variance([one, two]), 8, 12)
    assert row <= 30 < 34 <= row + 8
    assert column <= 50 < 56 <= column + 12
    mask = np.zeros((40, 60), bool)
    mask[10:, :20] = True
    mask[20:, :] = False
    row, column = window(variance([one, two]), 8, 12, mask)
    assert row <= 10 < row + 8
    assert column <= 20 < column + 12


def test_boxes_of_names() -> None:
    assert overlap((0, 0, 2, 2), (1, 1, 3, 3)) == 1
    assert overlap((0, 0, 1, 1), (2, 0, 3, 1)) == 0
    assert around(10, 10, 4, 2, (1, 0), 5) == (15, 9, 19, 11)
    assert around(10, 10, 4, 2, (-1, -1), 5) == (1, 3, 5, 5)
