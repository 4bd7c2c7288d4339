"""Weights that come with a method's package: used where no others are named, and never by ``fit``."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from makers import picture, ramp, save
from measured_boards import fit, make_scenes_board, test_on
from methods import tiny, words

import bokehbench as bb
from bokehbench.board import results
from bokehbench.board.boards import find, names, read_board
from bokehbench.checkpoints import CARD, CONFIG
from bokehbench.cli import main
from bokehbench.models import MODELS
from bokehbench.models.load import load_model
from bokehbench.models.weights import weights_hash
from bokehbench.provenance import UNTRAINED
from bokehbench.sharing import Weights

SAYS = f"weights that come with bokehbench {bb.__version__}, trained on SyntheticDoF"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """What somebody who trained the rendering stage alone would put into a package."""
    root = tmp_path_factory.mktemp("made")
    last = fit("deeplens", root, "--model.stages=[rendering]", "--seed_everything=4")
    bb.load(last).save_pretrained(root / "shipped", half=True, licence="cc-by-4.0")
    return root / "shipped"


@pytest.fixture
def shipped(made, tmp_path, monkeypatch) -> Path:
    """A folder to work in, and DeepLens comes with them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(MODELS["deeplens"], "pretrained", made)
    return made


def test_they_are_used_where_none_are_named(shipped, tmp_path, capsys) -> None:
    own = tmp_path / "runs" / "deeplens" / "version_0" / "checkpoints" / "last.ckpt"
    own.parent.mkdir(parents=True)
    shutil.copy(next(shipped.parent.rglob("last.ckpt")), own)
    model = bb.load("deeplens")
    assert SAYS in repr(model)
    assert weights_hash(model.model) == weights_hash(load_model(shipped)) != weights_hash(load_model(own))
    photo, depth = save(tmp_path / "photo.png", picture(1, (64, 80))), save(tmp_path / "depth.png", ramp((64, 80)))
    capsys.readouterr()
    assert main(["render", str(photo), "--model", "deeplens", "--disparity", str(depth), "-o", "a.png"]) == 0
    assert SAYS in capsys.readouterr().out
    bb.load("deeplens")(photo, disparity=depth).save("b.png")
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    for named in (own, own.parents[1]):
        assert weights_hash(bb.load(named).model) == weights_hash(load_model(own))
    words_ = ["render", str(photo), "--disparity", str(depth), "--checkpoint", "runs/deeplens/version_0", "-o", "c.png"]
    assert main(words_) == 0
    assert "weights of runs/deeplens/version_0" in capsys.readouterr().out


def test_a_test_without_a_checkpoint_tests_them_and_tells_everything(shipped, tmp_path, capsys) -> None:
    board = make_scenes_board(tmp_path, columns=["psnr", "ssim"], pinned=False)
    capsys.readouterr()
    result = test_on(board, tmp_path / "a.json", "--model", "deeplens")
    assert f"DeepLens: {SAYS}" in capsys.readouterr().out
    assert result.weights_hash == json.loads((shipped / CONFIG).read_text())["weights_hash"]
    assert result.architecture["depth_network"] is False
    assert result.training["stages"].keys() == {"rendering"}
    assert (result.seed, result.training["licence"]) == (4, "cc-by-4.0")
    assert result.training["data"]["class"] == "SyntheticDoF"
    assert test_on(board, tmp_path / "b.json", "--checkpoint", str(shipped)).id == result.id
    assert bb.test("deeplens", "tiny", num_workers=0).weights_hash == result.weights_hash
    fresh = [word for word in words("deeplens")[2:] if word.startswith("--model")]
    untrained = test_on(
        board, tmp_path / "c.json", "--model", "deeplens", *fresh, "--model.weights=null", "--untrained"
    )
    assert untrained.training == {"weights": UNTRAINED}
    assert "untrained" in untrained.flags
    assert main(["leaderboard", "add", "a.json"]) == 0
    Weights(load_model(shipped), half=True, licence="cc-by-4.0").save_pretrained(tmp_path / "again")
    assert f"| {np.mean([*result.values('psnr').values()]):.2f} |" in (tmp_path / "again" / CARD).read_text()


def test_a_combination_renders_with_them(shipped, tmp_path) -> None:
    model = bb.load("combination", renderer="deeplens").model
    (origin,) = model.provenance.origins
    assert origin.provenance.seed == 4
    assert origin.weights_hash == weights_hash(load_model(shipped))
    assert model.hparams["renderer"] == f"DeepLens {origin.weights_hash[:8]}"
    result = test_on(make_scenes_board(tmp_path, columns=["psnr"], pinned=False), tmp_path / "a.json",
                     "--model=combination", "--model.renderer=deeplens")  # fmt: skip
    assert result.training["origins"][0]["weights_hash"] == origin.weights_hash


def test_a_fit_begins_afresh_unless_told(shipped, tmp_path) -> None:
    one_step = ["--model.stages=[rendering]", "--model.rendering.steps=1"]
    assert not load_model(fit("deeplens", tmp_path / "a", *one_step)).provenance.origins
    told = fit("deeplens", tmp_path / "b", *one_step, "--model.depth_network=false", f"--model.weights={shipped}")
    (origin,) = load_model(told).provenance.origins
    assert origin.provenance.seed == 4


@pytest.mark.parametrize("name", [name for name, kind in MODELS.items() if kind.pretrained])
def test_what_comes_with_a_method_is_what_its_card_says(name) -> None:
    place = MODELS[name].pretrained
    model = load_model(place)
    assert type(model) is MODELS[name]
    assert sum(path.stat().st_size for path in place.iterdir()) <= 8 * 2**20
    config, card = json.loads((place / CONFIG).read_text()), (place / CARD).read_text()
    assert weights_hash(model) == config["weights_hash"]
    assert str(Weights(model, config["half"], config["provenance"]["licence"]).generate_model_card()) == card, (
        f"save them again: bb.load('{name}').save_pretrained(FOLDER, half={config['half']})"
    )
    for board in map(find, names()):
        for result in results.read_all(board):
            if result.weights_hash == config["weights_hash"]:
                row = next(line for line in card.splitlines() if result.id in line)
                shown = re.findall(r"-?\d+\.\d+", row)
                columns = [each for each in read_board(board).scores if each.name in ("psnr", "ssim", "psnr_border")]
                means = {each.name: each.show(np.mean([*result.values(each.name).values()])) for each in columns}
                assert set(means.values()) <= set(shown)


def test_the_parameters_of_a_tiny_method_fit_in_the_fixture(made) -> None:
    """Lest the tests above pass because the whole network was kept."""
    assert not [key for key in load_model(made).state_dict() if key.startswith("net.depth.")]
    assert [key for key in tiny("deeplens").state_dict() if key.startswith("net.depth.")]
