"""Measuring a stored result again from its checkpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_boards import make_board, make_result

from bokehbench.board import leaderboard
from bokehbench.board.boards import read_board
from bokehbench.board.identity import OUTPUTS_ONLY
from bokehbench.commands.import_weights import write_checkpoint
from bokehbench.commands.leaderboard import main
from bokehbench.errors import BokehbenchError
from bokehbench.measure.verification import compare, measure, open_data, verify
from bokehbench.measure.weights_hash import weights_hash
from bokehbench.models import DeepLens, Identity

SMALL = {"depth_size": 64, "channels": 8, "upsampling_channels": 8}
DATA = {"name": "syntheticdof", "arguments": {"size": 64, "test_samples": 3, "blur_radius": 4, "num_workers": 0}}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A board of three scenes, a checkpoint, and its stored result."""
    home = tmp_path_factory.mktemp("verify")
    folder = make_board(home, count=3, ids=None, data=DATA, protocol="bokehme", columns=["psnr", "ssim"])
    board = read_board(folder)
    model = DeepLens(**SMALL)
    checkpoint = home / "deeplens.ckpt"
    write_checkpoint(checkpoint, model, SMALL)
    names = {f"synthetic-test-{number:06d}" for number in range(3)}
    scores = measure(model, open_data(board, None), board, names)
    protocol = board.evaluator.describe()
    weights = weights_hash(model.state_dict())
    result = make_result("DeepLens", per_image=scores, protocol=protocol, weights_hash=weights)
    leaderboard.add(folder, result)
    return folder, board, result, checkpoint


def test_the_same_checkpoint_verifies(measured, capsys):
    folder, _, result, checkpoint = measured
    words = ["leaderboard", "verify", result.id[:6], "--checkpoint", str(checkpoint), "--board", str(folder)]
    assert main([*words, "--device", "cpu"]) == 0
    assert "VERIFIED" in capsys.readouterr().out


def test_a_changed_score_is_named(measured):
    _, board, result, checkpoint = measured
    scores = {name: dict(row) for name, row in result.per_image.items()}
    scores["synthetic-test-000001"]["psnr"] += 0.1
    verdict = verify(board, replace(result, per_image=scores), checkpoint, device="cpu")
    assert not verdict.same
    assert [line.split(":")[0] for line in verdict.lines] == ["synthetic-test-000001 psnr"]
    assert verdict.largest["psnr"] == pytest.approx(0.1, abs=1e-3)


def test_other_weights_are_named_even_where_no_score_tells(measured):
    _, board, result, checkpoint = measured
    verdict = verify(board, replace(result, weights_hash="f" * 64), checkpoint, device="cpu")
    assert verdict.lines == [f"weights: stored ffffffffffff, the checkpoint's {result.weights_hash[:12]}"]


def test_a_baseline_needs_no_checkpoint(measured):
    _, board, result, _ = measured
    scores = measure(Identity(), open_data(board, None), board, set(result.per_image))
    baseline = make_result("Identity", per_image=scores, protocol=result.protocol)
    assert verify(board, baseline, device="cpu").same


@pytest.mark.parametrize(("weights", "message"), [(OUTPUTS_ONLY, "score that folder again"), ("abc", "--checkpoint")])
def test_without_weights_there_is_nothing_to_run(measured, weights, message):
    _, board, result, _ = measured
    with pytest.raises(BokehbenchError, match=message):
        verify(board, replace(result, weights_hash=weights))


def test_another_methods_checkpoint_is_refused(measured):
    _, board, result, checkpoint = measured
    with pytest.raises(BokehbenchError, match="is of DeepLens, not of PyNET"):
        verify(board, replace(result, method="PyNET"), checkpoint)


def test_pictures_that_are_not_in_the_data_are_named(measured):
    _, board, result, _ = measured
    with pytest.raises(BokehbenchError, match=r"not in the data \(4400"):
        measure(DeepLens(**SMALL), open_data(board, None), board, {"4400", *result.per_image})


def test_nothing_compared_verifies_nothing(measured):
    assert not compare(measured[2], {}).same
