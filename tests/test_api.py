"""``import bokehbench as bb``: what a notebook needs, and that it equals the command line."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from makers import picture, ramp, save
from measured_boards import make_scenes_board
from measured_boards import test_on as measure
from methods import words
from PIL import Image

import bokehbench as bb
from bokehbench.board import results
from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.models import MODELS

SIZE = (40, 56)


@pytest.fixture
def photo(tmp_path):
    return save(tmp_path / "photo.png", picture(1, SIZE))


@pytest.fixture
def disparity(tmp_path):
    return save(tmp_path / "disparity.png", ramp(SIZE))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    options = dict(
        word.removeprefix("--").split("=", 1) for word in words("deeplens") if word.startswith("--") and "=" in word
    )
    options.pop("model", None)
    return bb.fit("deeplens", {**options, "trainer.default_root_dir": str(root), "trainer.accelerator": "cpu"})


# Photos ------------------------------------------------------------------------------------------------------------


def test_a_photo_of_any_kind_is_the_same_picture(photo, disparity, tmp_path) -> None:
    model = bb.load("layered")
    array = np.asarray(Image.open(photo))
    tensor = torch.from_numpy(array.copy()).permute(2, 0, 1).float() / 255
    assert main(["render", str(photo), "--model", "layered", "--disparity", str(disparity), "--focus", "40,20",
                 "--aperture", "4", "-o", str(tmp_path / "typed.png")]) == 0  # fmt: skip
    expected = np.asarray(Image.open(tmp_path / "typed.png"))
    map_ = np.asarray(Image.open(disparity))
    kinds = [
        (str(photo), str(disparity)), (photo, disparity), (Image.open(photo), Image.open(disparity)), (array, map_),
        (array / 255, map_.astype(np.float64) / 255), (tensor, torch.from_numpy(map_.copy())[None]),
        (tensor[None], torch.from_numpy(map_.copy())),
    ]  # fmt: skip
    for given, depth in kinds:
        result = model(given, focus=(40, 20), aperture=4, disparity=depth)
        result.save(tmp_path / "called.png")
        assert np.array_equal(np.asarray(Image.open(tmp_path / "called.png")), expected), type(given)
    assert result.image.shape == (*SIZE, 3)
    assert result.disparity is not None
    assert result.disparity.shape == SIZE
    assert (result.focus, result.aperture) == (pytest.approx(map_[20, 40] / 255, abs=1e-6), 4.0)
    assert "given disparity" in result.note
    assert result._repr_png_().startswith(b"\x89PNG")
    result.save_disparity(tmp_path / "map.png")
    again = model(photo, focus=(40, 20), aperture=4, disparity=tmp_path / "map.png")
    assert np.abs(again.image - result.image).max() < 1e-3


@pytest.mark.parametrize(
    ("given", "depth", "why"),
    [
        (np.zeros((8, 9, 4)), None, "4 channels"),
        (np.full((8, 9, 3), 2.0), None, "values from 2 to 2"),
        (np.full((8, 9, 3), np.nan), None, "values from nan"),
        (np.zeros((2, 8, 9, 3)), None, "shape"),
        (np.zeros((8, 9, 3)), np.zeros((9, 8)), "another shape"),
        (np.zeros((8, 9, 3)), np.zeros((8, 9, 3)), "3 channels"),
        (np.zeros((8, 9, 3)), None, "needs|no disparity map"),
        ("nowhere.png", None, "nowhere.png"),
    ],
)
def test_what_cannot_be_rendered_is_one_sentence(given, depth, why) -> None:
    with pytest.raises(BokehbenchError, match=why):
        bb.load("layered")(given, disparity=depth)


def test_an_open_photo_is_refocused_as_if_rendered(fitted, photo) -> None:
    opened = fitted.open(photo)
    for focus, aperture in (((3, 5), 6.0), (0.5, 20.0), (None, None)):
        one, two = opened.refocus(focus, aperture), fitted(photo, focus=focus, aperture=aperture)
        assert np.array_equal(one.image, two.image)
        assert one.note == two.note
    with pytest.raises(BokehbenchError, match="0 or more"):
        fitted(photo, aperture=-1.0)


@pytest.mark.parametrize(
    "name", sorted(kind.__name__.lower() for kind in MODELS.values() if not kind.trainable and kind.stands_alone)
)
def test_every_method_without_training_renders_at_once(name, photo, disparity) -> None:
    model = bb.load(name)
    result = model(photo, disparity=disparity, focus=0.5, aperture=3)
    assert result.image.shape == (*SIZE, 3)
    assert (result.focus is not None) == model.uses.focus
    assert (result.aperture is not None) == model.uses.aperture


# Methods -----------------------------------------------------------------------------------------------------------


def test_fit_gives_a_method_that_load_finds_again(fitted, photo, monkeypatch) -> None:
    run = fitted.checkpoint.parents[1]
    monkeypatch.chdir(run.parents[1])
    expected = fitted(photo).image
    for what in (fitted.checkpoint, str(fitted.checkpoint), run, str(run)):
        assert np.array_equal(bb.load(what)(photo).image, expected)
    (run.parents[1] / "runs").symlink_to(run.parents[1])
    monkeypatch.setattr(MODELS["deeplens"], "pretrained", None)  # of a method that comes with none
    assert np.array_equal(bb.load("deeplens")(photo).image, expected)
    assert np.array_equal(bb.load("bokehbench.models.DeepLens")(photo).image, expected)
    assert "DeepLens, weights of" in repr(fitted)
    assert not fitted.model.training
    with pytest.raises(BokehbenchError, match="no such setting; did you mean 'channels'"):
        bb.load(run, channel=4)
    with pytest.raises(BokehbenchError, match=r"neither config\.json nor last\.ckpt"):
        bb.load(photo.parent)
    with pytest.raises(BokehbenchError, match="no stage"):
        bb.fit("deeplens", {"model.stages": ["rendring"]})


# Measuring ---------------------------------------------------------------------------------------------------------


def test_score_is_that_of_the_command_line(tmp_path, capsys) -> None:
    for n in range(3):
        save(tmp_path / "out" / f"{n}.png", picture(n))
        save(tmp_path / "true" / f"{n}.png", picture(n + 10))
    words = ["score", str(tmp_path / "out"), "--targets", str(tmp_path / "true"), "--protocol", "dmshn"]
    assert main([*words, "--columns", "psnr_gain", "--csv", str(tmp_path / "scores.csv")]) == 0
    import pandas as pd

    typed = pd.read_csv(tmp_path / "scores.csv", dtype={"name": str}, na_values="n/a").set_index("name")
    frame = bb.score(tmp_path / "out", str(tmp_path / "true"), protocol="dmshn", columns=["psnr_gain"])
    arrays = {
        place: {f"{n}": np.asarray(Image.open(tmp_path / place / f"{n}.png")) for n in range(3)}
        for place in ("out", "true")
    }
    named = bb.score(arrays["out"], arrays["true"], protocol="dmshn", columns=["psnr_gain"])
    listed = bb.score(
        list(arrays["out"].values()), list(arrays["true"].values()), protocol="dmshn", columns=["psnr_gain"]
    )
    for found in (frame, named, listed):
        for column in ("psnr", "ssim", "psnr_gain"):
            assert found[column].tolist() == pytest.approx(typed[column].tolist(), abs=1e-5)
    assert "lpips" in frame.attrs["missing"]
    assert frame["lpips"].isna().all()
    with pytest.raises(BokehbenchError, match="without a partner: 2"):
        bb.score({key: value for key, value in arrays["out"].items() if key != "2"}, arrays["true"])
    with pytest.raises(BokehbenchError, match="same form"):
        bb.score(tmp_path / "out", arrays["true"])
    with pytest.raises(BokehbenchError, match="pixels"):
        bb.score([picture(1, (8, 8))], [picture(1)])


def test_a_result_is_that_of_the_command_line(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    board = make_scenes_board(tmp_path)
    typed = measure(board, tmp_path / "typed" / "result.json", "--model=layered", "--data=syntheticdof")
    result = bb.test("layered", board, output="result.json", num_workers=0)
    assert result.id == typed.id
    assert result.per_image == typed.per_image
    assert results.read(tmp_path / "result.json").id == result.id
    other = bb.test(bb.load("scatter"), board.name, num_workers=0)
    with pytest.raises(BokehbenchError, match="aperture"):
        bb.test("layered", board, aperture=4, num_workers=0)
    scenes = {"size": 64, "aperture": 8, "test_samples": 3, "num_workers": 0}
    frame = bb.evaluate("layered", "syntheticdof", protocol="bokehme", columns=["psnr"], **scenes)
    assert frame["psnr"].to_dict() == pytest.approx({name: row["psnr"] for name, row in result.per_image.items()})
    (tmp_path / "other.json").write_text(other.to_json())
    assert main(["leaderboard", "add", "result.json", "other.json"]) == 0
    compared = bb.compare("Layered", "Scatter", board=board)
    row = compared.loc["psnr"]
    assert row["difference"] == pytest.approx(row["Layered"] - row["Scatter"])
    assert row["low"] <= row["difference"] <= row["high"]
    assert row["wins"] + row["ties"] + row["losses"] == 3
    with pytest.raises(BokehbenchError, match="no score 'psn'"):
        bb.compare("Layered", "Scatter", board=board, column="psn")


def test_the_command_line_and_python_compare_alike(capsys) -> None:
    assert main(["leaderboard", "compare", "identity", "layered", "--board", "synthetic-quick", "--score", "psnr"]) == 0
    said = capsys.readouterr().out
    row = bb.compare("identity", "layered", board="synthetic-quick", column="psnr").loc["psnr"]
    assert f"{row['difference']:+.2f}" in said


# Start -------------------------------------------------------------------------------------------------------------


def test_names_need_no_torch() -> None:
    code = (
        "import sys, json, bokehbench as bb\n"
        "names = [bb.methods(), bb.data_sets(), bb.protocols(), bb.boards(), dir(bb)]\n"
        "print(json.dumps([names, [name for name in ('torch', 'pandas', 'scipy', 'numpy') if name in sys.modules]]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (methods, data, protocols, boards, offered), loaded = json.loads(ran.stdout)
    assert "torch" not in loaded
    assert "deeplens" in methods
    assert "syntheticdof" in data
    assert "dmshn" in protocols
    assert "synthetic-dof" in boards
    assert set(bb.__all__) <= set(offered)


def test_importing_it_loads_nothing_of_ours_but_itself() -> None:
    code = "import sys, bokehbench; print([name for name in sys.modules if name.startswith('bokehbench.')])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
