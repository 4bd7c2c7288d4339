"""Random weights are not judged: refused by every door, and where they are asked for, flagged and without a rank."""

from __future__ import annotations

import pytest
from measured_boards import make_scenes_board, test_on
from methods import TRAINABLE, tiny, words

import bokehbench as bb
from bokehbench.board import leaderboard
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.method import Method
from bokehbench.models import MODELS


@pytest.mark.parametrize("verb", ["test", "validate", "predict"])
@pytest.mark.parametrize("name", TRAINABLE)
def test_a_method_that_learns_needs_weights(name, verb, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(MODELS[name], "pretrained", None)  # those that come with it are used where there are some
    options = [word for word in words(name) if not word.startswith("--model.") or "steps" not in word]
    assert main([verb, *options, f"--trainer.default_root_dir={tmp_path}"]) == 2
    said = capsys.readouterr().err
    assert "--checkpoint" in said
    assert "--untrained" in said


def test_they_are_flagged_where_they_are_asked_for_and_not_ranked(tmp_path) -> None:
    board = make_scenes_board(tmp_path, pinned=False, columns=["psnr", "ssim"])
    small = [word for word in words("deeplens")[2:] if word.startswith("--model")]
    typed = test_on(board, tmp_path / "typed.json", "--model", "deeplens", *small, "--untrained")
    assert "untrained" in typed.flags
    model = Method(tiny("deeplens"))
    with pytest.raises(BokehbenchError, match="--untrained"):
        bb.test(model, board, num_workers=0)
    assert "untrained" in bb.test(model, board, num_workers=0, untrained=True).flags
    leaderboard.add(board, typed)
    leaderboard.render(board)
    text = (board / "table.md").read_text()
    assert "No result is ranked yet." in text
    assert "untrained: its weights" in text
