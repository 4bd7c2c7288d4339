"""The methods without training: what they do to a picture, and what they say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import torch
from makers import make_pairs, picture, ramp, save
from methods import NAMES, TRAINABLE, options
from PIL import Image

from bokehbench.cli import main
from bokehbench.data import SyntheticDoF
from bokehbench.data.collate import collate
from bokehbench.errors import BokehbenchError
from bokehbench.metrics.psnr import psnr
from bokehbench.models import Compositional, Gaussian, Identity, Layered, RayTraced, Scatter

BASELINES = [name for name in NAMES if name not in TRAINABLE]
SMALL = ["--data.size=64", "--data.aperture=8", "--data.test_samples=3", "--data.num_workers=0"]
QUIET = ["--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"]


@pytest.fixture(scope="module")
def batch():
    data = SyntheticDoF(size=96, aperture=8, test_samples=4, disparity_input="clean", num_workers=0)
    data.setup("test")
    return collate([data.test_set[index] for index in range(4)])


def test_all_are_there() -> None:
    assert BASELINES == ["combination", "compositional", "external", "gaussian", "identity", "layered", "raytraced",
                         "scatter"]  # fmt: skip


def test_blurring_beats_doing_nothing_and_knowing_depth_beats_a_mask(batch) -> None:
    score = {kind.__name__: psnr(kind().render_batch(batch).image, batch["bokeh"]).mean() for kind in (
        Identity, Gaussian, Scatter, Layered, Compositional, RayTraced
    )}  # fmt: skip
    assert score["Identity"] < score["Gaussian"] < score["Layered"]
    assert score["Identity"] < score["Scatter"]
    assert score["Gaussian"] < score["Compositional"] < score["RayTraced"]


@pytest.mark.parametrize("kind", [Compositional, Gaussian, Scatter, Layered, RayTraced])
def test_the_plane_in_focus_stays_sharp_and_the_rest_does_not(kind) -> None:
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    disparity = torch.zeros(1, 1, 64, 64)
    disparity[..., 32:] = 1
    result = kind().render(image, disparity=disparity, focus=1.0, aperture=6.0).image
    # What is in focus lies in front of what is not: only its very edge may change
    assert (result - image)[..., 40:].abs().max() < 0.05
    assert result[..., :24].std() < 0.7 * image[..., :24].std()


@pytest.mark.parametrize("kind", [Compositional, Gaussian, Scatter, Layered, RayTraced])
def test_aperture_zero_is_the_identity(kind) -> None:
    image = torch.rand(1, 3, 48, 40, generator=torch.Generator().manual_seed(1))
    disparity = torch.linspace(0, 1, 40).expand(1, 1, 48, 40)
    torch.testing.assert_close(
        kind().render(image, disparity=disparity, focus=0.0, aperture=0.0).image, image, atol=1e-4, rtol=0
    )


def test_the_subject_does_not_glow_into_a_gaussian_background() -> None:
    image = torch.zeros(1, 3, 64, 64)
    mask = torch.zeros(1, 1, 64, 64)
    image[..., 24:40, 24:40] = 1
    mask[..., 24:40, 24:40] = 1
    result = Gaussian().render(image, mask=mask, aperture=20.0).image
    torch.testing.assert_close(result, image, atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", ["compositional", "gaussian", "layered", "raytraced", "scatter"])
def test_without_depth_they_say_what_to_give(name, tmp_path: Path, capsys) -> None:
    photo = save(tmp_path / "photo.jpg", picture(0))
    assert main(["render", str(photo), "--model", name, "-o", str(tmp_path / "out.png")]) == 2
    assert "--disparity" in capsys.readouterr().err


@pytest.mark.parametrize("name", BASELINES)
def test_fit_says_that_there_is_nothing_to_train(name, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["fit", *options(name), *SMALL, *QUIET]) == 2
    assert "nothing to train" in capsys.readouterr().err


@pytest.mark.parametrize("name", BASELINES)
def test_test_and_render_work_without_a_checkpoint(name, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["test", *options(name), *SMALL, *QUIET]) == 0
    table = pd.read_csv(tmp_path / "runs" / name / "version_0" / "test.csv")
    assert len(table) == 3
    assert (table["psnr"] == table["identity_psnr"]).all() == (name == "identity")
    photo, disparity = save(tmp_path / "a.jpg", picture(0)), save(tmp_path / "a.png", ramp())
    words = [*options(name), "--disparity", str(disparity), "--aperture", "6", "-o", str(tmp_path / "out.png")]
    assert main(["render", str(photo), *words]) == 0
    assert Image.open(tmp_path / "out.png").size == (32, 24)


def test_predict_uses_the_masks_of_a_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    root = make_pairs(tmp_path / "set", mask=True)
    data = ["--data", "pairs", "--data.root", str(root), "--data.num_workers=0"]
    assert main(["predict", "--model", "gaussian", *data, *QUIET]) == 0
    assert len(list((tmp_path / "runs" / "gaussian").glob("*/predictions/*.png"))) == 3


def test_bad_settings_are_refused() -> None:
    with pytest.raises(BokehbenchError, match="aperture_share"):
        Identity(aperture_share=-1)
    with pytest.raises(BokehbenchError, match="layers"):
        Layered(layers=0)
    with pytest.raises(BokehbenchError, match="step"):
        Compositional(step=0)
    with pytest.raises(BokehbenchError, match="rays"):
        RayTraced(rays=0)
