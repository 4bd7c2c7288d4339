"""Matched strength: the aperture of each picture is searched, and such a row is never ranked beside those without."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from measured_boards import make_scenes_board, test_on

import bokehbench as bb
from bokehbench.board import leaderboard, results
from bokehbench.board.boards import read_board
from bokehbench.board.reported import beside, read_reported
from bokehbench.board.standings import read_standings
from bokehbench.cli import main
from bokehbench.data import SyntheticDoF
from bokehbench.errors import BokehbenchError
from bokehbench.measure.verification import verify
from bokehbench.metrics import Measurement
from bokehbench.metrics.matched import COLUMNS, MatchedStrength, at_rim, best
from bokehbench.models import Identity, Layered
from bokehbench.models.base import BokehModel
from bokehbench.models.matched import match_strength
from bokehbench.models.uses import Uses

#: Of the specification: 4, 8 to 24 pixels at 320.
GRID = (4.0, 8.0, 12.0, 16.0, 20.0, 24.0)
#: The aperture that the targets were made with, between two of the grid.
TRUE = 14.0


class Exact(BokehModel):
    """Renders the data set's own scenes exactly, with ``heard(aperture)``."""

    trainable = False
    uses = Uses(disparity="optional")

    def __init__(self, data, heard=lambda aperture: aperture):
        super().__init__()
        self.scenes, self.heard = data.test_set, heard

    def prepare(self, image, disparity=None, *, names=None, **more):
        self.number = int(names[0].rpartition("-")[2])
        return super().prepare(image, disparity, names=names, **more)

    def blur(self, image, disparity, focus, aperture):
        scene, _ = self.scenes.scene(self.number)
        if focus is not None:
            scene = replace(scene, focus=float(focus[0]))
        return scene.picture(self.heard(float(aperture[0])))[None]


@pytest.fixture(scope="module")
def data():
    data = SyntheticDoF(
        size=160, aperture=TRUE / 2, disparity_input="clean", focus_on="front", highlight_gain=0, test_samples=2,
        num_workers=0,
    )  # fmt: skip
    data.setup("test")
    return data


def batches(data, told):
    """The test pictures, whose targets have TRUE; the method is told another."""
    for batch in data.test_dataloader():
        yield {**batch, "aperture": torch.full_like(batch["aperture"], told / 2)}


def found(data, heard=lambda aperture: aperture, told=8.0, **search):
    """All that was tried, of both pictures, as if they had 320 px."""
    model = Exact(data, heard)
    return [
        match_strength(model, batch, MatchedStrength(**search))[1][0]
        for batch in batches(data, told)
    ]  # fmt: skip


def test_a_known_strength_is_found(data) -> None:
    for tried in found(data):
        assert best(tried)[0] == pytest.approx(TRUE / 2, rel=0.05), "on the grid of the specification"
        assert best(tried)[2] > tried[0][2], "never below what was told"
        assert len(tried) == 1 + 5 + 8, "8 px was told and is of the grid"
        assert not at_rim(tried)
    fine = [share / 320 for share in range(10, 19)]
    for tried in found(data, aperture_shares=fine, told=11):
        assert best(tried)[0] == pytest.approx(TRUE / 2, rel=0.02)


def test_without_refinement_the_best_of_the_grid_is_found_and_all_is_kept(data) -> None:
    for tried in found(data, refine=0):
        assert [each[0] for each in tried] == [4.0, 2.0, 6.0, 8.0, 10.0, 12.0], "what was told first"
        assert best(tried)[0] in (6.0, 8.0)
    assert all(at_rim(tried) for tried in found(data, refine=0, aperture_shares=(0.01, 0.02), told=6.4))


def test_what_was_told_is_tried_in_any_case(data) -> None:
    for tried in found(data, told=TRUE, aperture_shares=(0.01, 0.07)):
        assert best(tried) == tried[0]
        assert tried[0][2] == pytest.approx(1, abs=1e-6)


def test_matching_hides_lost_control(data) -> None:
    """Shuffled, reversed and halved strength score as the right renderer does, once strength is matched."""
    half = [each / 2 for each in GRID]
    shuffled = dict(zip(half, (8.0, 4.0, 12.0, 2.0, 6.0, 10.0), strict=True))
    right = [best(tried)[2] for tried in found(data, told=12, refine=0)]
    for heard in (shuffled.get, lambda aperture: 14 - aperture):
        spoilt = found(data, heard, told=12, refine=0)
        assert [best(tried)[2] for tried in spoilt] == pytest.approx(right, abs=1e-6)
    worse = found(data, shuffled.get, told=12, refine=0)
    assert all(tried[0][2] < best(tried)[2] - 1e-3 for tried in worse), "as told, 12 px in place of 6"
    wide = [share / 320 for share in range(8, 49, 8)]
    halved = found(data, lambda aperture: aperture / 2, told=12, refine=0, aperture_shares=wide)
    assert [best(tried)[2] for tried in halved] == pytest.approx(right, abs=1e-6)


def test_focus_is_searched_where_it_is_asked_for(data) -> None:
    (batch, *_) = batches(data, TRUE)
    right = float(batch["focus"][0])
    off = {**batch, "focus": batch["focus"] - 0.3}
    search = MatchedStrength((TRUE / 320,), focuses=(right - 0.1, right + 0.05), refine=8)
    ((_, focus, score),) = map(best, match_strength(Exact(data), off, search)[1])
    assert focus == pytest.approx(right, abs=0.02)
    assert score > 0.99


def test_a_method_that_obeys_nothing_has_nothing_to_search(data) -> None:
    (batch, *_) = batches(data, TRUE)
    model = Identity()
    model.matched = MatchedStrength(focuses=(0.2, 0.4))
    sample = model.sample(batch)
    assert [len(tried) for tried in sample.tried] == [1]
    scores = Measurement(COLUMNS, sample.protocol).of(sample)
    assert scores["ssim_told"] == scores["ssim_matched"]
    assert math.isnan(scores["strength_error"])


def test_without_a_target_there_is_a_sentence(data) -> None:
    (batch, *_) = batches(data, TRUE)
    batch.pop("bokeh")
    with pytest.raises(BokehbenchError, match="no target to match the strength to"):
        match_strength(Layered(), batch, MatchedStrength())


@pytest.mark.parametrize("settings", [{"refine": -1}, {"focuses": [2.0]}, {"aperture_shares": []}, {"grid": [1]}])
def test_wrong_settings_are_refused(settings) -> None:
    with pytest.raises(BokehbenchError, match=next(iter(settings))):
        MatchedStrength.read(settings, "matched")


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """A board without a search, and a result of ``test --matched`` on it."""
    home = tmp_path_factory.mktemp("matched")
    published = "Layered,2024,PSNR,20.0,dB,Tiny30,bokehme,a paper,,\n"
    board = make_scenes_board(home, columns=["psnr", "ssim"], reported=published)
    words = ["--model", "layered", "--matched", "--matched.refine=2"]
    return board, test_on(board, home / "run" / "result.json", *words), home


def test_it_stands_on_a_board_without_a_rank(tested) -> None:
    board, result, home = tested
    plain = test_on(board, home / "told" / "result.json", "--model", "layered")
    assert plain.id != result.id
    assert "matched" not in plain.inference
    assert "tried" not in json.loads(plain.to_json())
    for name, scores in result.per_image.items():
        assert scores["ssim_matched"] >= scores["ssim_told"]
        assert scores["ssim_told"] == pytest.approx(plain.per_image[name]["ssim"], abs=2e-3), "bokehme scores floats"
        assert len(result.tried[name]) == 1 + 6 + 2
    for run in ("run", "told"):
        assert main(["leaderboard", "add", str(home / run / "result.json"), "--board", str(board)]) == 0
    rows = {row.result.id: row for row in read_standings(board).rows}
    assert rows[result.id].rank is None
    assert "matched: " in rows[result.id].reason
    assert "matched: " not in rows[plain.id].reason
    assert "chosen for each picture by the score" in (board / "table.md").read_text()
    assert leaderboard.check(board) == []


def test_it_says_what_was_told_and_found(tested, capsys) -> None:
    words = ["--data", "syntheticdof", "--data.size=64", "--data.aperture=1.6", "--data.test_samples=1"]
    quiet = ["--data.num_workers=0", "--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"]
    home = tested[2] / "alone"
    folder = f"--trainer.default_root_dir={home}"
    assert main(["test", "--model", "layered", "--matched.refine=0", *words, *quiet, folder]) == 0
    said = capsys.readouterr().out
    assert "SSIM told" in said
    assert "told 1.6 px, found" in said
    (rows,) = home.rglob("matched.csv")
    assert len(rows.read_text().splitlines()) == 1 + 6, "1.6 px is of the grid"


def test_verify_searches_again(tested) -> None:
    board, result, _ = tested
    stored = leaderboard.admit(read_board(board), result)
    assert "matched" in stored.flags
    (published,) = read_reported(board)
    assert beside(read_board(board), published, stored).why == "strength matched to the target"
    assert verify(read_board(board), stored, device="cpu").same
    (name, *_) = stored.tried
    forged = replace(stored, tried={**stored.tried, name: [*stored.tried[name][:-1], (1.0, 0.5, 0.1)]})
    verdict = verify(read_board(board), forged, device="cpu")
    assert verdict.differ == [f"{name}, tried apertures: stored as stored, now others or other scores"]


def test_a_board_that_names_the_search_has_no_other_rows(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    board = make_scenes_board(tmp_path, columns=["psnr", "ssim_matched", "strength_error"], matched={"refine": 1})
    result = bb.test("layered", board)
    assert result.inference["matched"]["refine"] == 1
    assert results.Result.from_json(result.to_json()) == result
    assert read_board(board).search == MatchedStrength(refine=1)
    admitted = leaderboard.admit(read_board(board), result)
    assert "matched" not in admitted.flags, "it is ranked there"
    told = {key: value for key, value in result.inference.items() if key != "matched"}
    with pytest.raises(BokehbenchError, match="was measured without, and tiny matches every row's strength"):
        leaderboard.admit(read_board(board), replace(result, inference=told))
    with pytest.raises(BokehbenchError, match="says how strength is matched"):
        bb.test("layered", board, matched={"refine": 2})
