"""Trainings of one recipe from several seeds: told apart by the seed, and shown with their spread."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from made_boards import make_board, make_result
from measured_boards import fit, make_scenes_board, test_on

from bokehbench.board.boards import read_board
from bokehbench.board.identity import OUTPUTS_ONLY
from bokehbench.board.markdown import page
from bokehbench.board.seeds import over_seeds, repeated, told_by_seed
from bokehbench.board.standings import standings


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(seed, steps) -> the result of a fit, as its test wrote it; (1, 4) went on from the weights of (1, 2)."""
    home = tmp_path_factory.mktemp("seeds")
    board = make_scenes_board(home, columns=["psnr", "ssim"])
    found = {}
    for seed, steps, start in ((0, 2, None), (1, 2, None), (2, 2, None), (0, 3, None), (0, 4, 0), (1, 4, 1)):
        root = home / f"{seed}-{steps}"
        weights = (
            [f"--model.weights={home}/{start}-2/pix2pix/version_0/checkpoints/last.ckpt"] if start is not None else []
        )
        steps_ = f"--model.translation.steps={steps}"
        checkpoint = fit("pix2pix", root, f"--seed_everything={seed}", steps_, *weights)
        found[seed, steps] = test_on(board, root / "result.json", "--checkpoint", str(checkpoint))
    return {key: replace(result, flags=()) for key, result in found.items()}


def on_board(tmp_path, *results):
    board = read_board(make_board(tmp_path, ids=None, count=3, columns=["psnr", "ssim"], protocol="bokehme"))
    return standings(board, list(results), [])


def test_rows_that_differ_in_their_seed_are_named_after_it(tmp_path, trained):
    c4 = [replace(trained[seed, 2], variant="c4") for seed in (0, 1)]
    made = on_board(tmp_path, *c4, trained[0, 3], make_result("Other"))
    assert {row.label for row in made.rows} == {
        "Pix2Pix-w8-l5 (c4, seed 0)",
        "Pix2Pix-w8-l5 (c4, seed 1)",
        "Pix2Pix-w8-l5",
        "Other",
    }
    assert told_by_seed([trained[0, 2], trained[1, 2]])
    assert trained[1, 2].seed == 1


@pytest.mark.parametrize("pair", [((0, 2), (1, 3)), ((0, 2), (0, 3)), ((0, 2), (1, 4))])
def test_rows_that_differ_in_more_than_their_seed_are_not(tmp_path, trained, pair):
    one, other = (trained.get(key, trained[0, 3]) for key in pair)
    assert not told_by_seed([one, other])
    assert repeated([one, other]) == []
    assert all("#" in row.label for row in on_board(tmp_path, one, other).rows)


def test_trainings_that_began_with_trainings_of_their_own_seed_are_one_recipe(trained):
    assert told_by_seed([trained[0, 4], trained[1, 4]])
    origin = trained[1, 4].training["origins"][0]
    assert origin["weights_hash"] == trained[1, 2].weights_hash
    assert origin["training"]["seed"] == 1


def test_page_shows_the_spread_over_seeds(tmp_path, trained):
    results = [trained[seed, 2] for seed in (0, 1, 2)]
    text = page(on_board(tmp_path, *results, trained[0, 3]))
    means = [math.fsum(r.values("psnr").values()) / 3 for r in results]
    assert f"| Pix2Pix-w8-l5 | 0, 1, 2 | {sum(means) / 3:.2f} ({min(means):.2f} to {max(means):.2f}) |" in text


def test_page_shows_seed_and_time_of_the_whole_training_of_each_row(tmp_path, trained):
    text = page(on_board(tmp_path, trained[0, 2], trained[1, 4], make_result("Other")))
    rows = {line.split("`")[-2]: line for line in text.splitlines() if line.startswith("| ") and ".json)" in line}
    for seed, chain in ((0, [(0, 2)]), (1, [(1, 4), (1, 2)])):
        result = trained[chain[0]]
        seconds = sum(trained[each].training["effort"]["seconds"] for each in chain)
        assert result.training_seconds == pytest.approx(seconds)
        assert f"| {seed} |" in rows[result.id]
        assert f"| {seconds / 60:.3g} ({result.training['effort']['device']}) |" in rows[result.id]
    assert make_result("Other").training_seconds == 0
    assert replace(trained[0, 2], weights_hash=OUTPUTS_ONLY, training={}).training_seconds is None


def test_values_over_seeds_are_per_picture_and_leave_unscored_pictures_out(trained):
    a, b = trained[0, 2], trained[1, 2]
    first = min(b.per_image)
    lacking = replace(b, per_image={**b.per_image, first: {**b.per_image[first], "psnr": math.nan}})
    values = over_seeds([a, lacking], "psnr")
    assert set(values) == set(a.values("psnr")) - {first}
    assert all(math.isclose(values[n], (a.values("psnr")[n] + b.values("psnr")[n]) / 2) for n in values)
