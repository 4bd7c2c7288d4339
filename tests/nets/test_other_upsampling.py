"""Upsampling without weights: the guided filter is He's, edges of the guide stay, any checkpoint can use both."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytorch_lightning
import torch
from kornia.filters import guided_blur
from makers import picture, save
from methods import SMALL, tiny, words
from PIL import Image
from torch import Tensor

from bokehbench.cli import main
from bokehbench.errors import BokehbenchError
from bokehbench.nets.deeplens import DeepLensNet, halve
from bokehbench.nets.deeplens.other_upsampling import bicubic_upsampling, box_mean, guided_upsampling


def random(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def test_constant_picture_stays_constant() -> None:
    low, high = random(2, 3, 9, 13).float(), random(2, 3, 19, 26).float()
    flat = torch.full_like(low, 0.4)
    for result in (guided_upsampling(low, flat, high), bicubic_upsampling(flat, (19, 26))):
        torch.testing.assert_close(result, torch.full_like(high, 0.4), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("radius", "epsilon"), [(1, 1e-4), (3, 1e-2)])
def test_at_one_size_it_is_the_guided_filter(radius, epsilon) -> None:
    """Away from the border, which kornia mirrors."""
    guide, result = random(2, 3, 20, 24), random(2, 2, 20, 24)
    ours = guided_upsampling(guide, result, guide, radius, epsilon)
    theirs = guided_blur(guide, result, 2 * radius + 1, epsilon)
    inner = (..., slice(2 * radius, -2 * radius), slice(2 * radius, -2 * radius))
    torch.testing.assert_close(ours[inner], theirs[inner].float(), atol=1e-4, rtol=0, check_dtype=False)


def test_a_window_of_the_whole_picture_is_one_ridge_regression() -> None:
    """He 2013, Eqs. 14 and 15, as a least-squares problem of its own."""
    guide, result, large = random(1, 3, 3, 3), random(1, 1, 3, 3), random(1, 3, 7, 5)
    pixels, wanted = guide[0].flatten(1).T, result[0].flatten()
    centred = torch.cat((pixels - pixels.mean(0), (9 * 1e-2) ** 0.5 * torch.eye(3, dtype=torch.float64)))
    aim = torch.cat((wanted - wanted.mean(), torch.zeros(3, dtype=torch.float64)))
    slope = torch.linalg.lstsq(centred, aim[:, None]).solution[:, 0]
    direct = torch.einsum("c,chw->hw", slope, large[0]) + wanted.mean() - slope @ pixels.mean(0)
    ours = guided_upsampling(guide, result, large, radius=3, epsilon=1e-2)
    torch.testing.assert_close(ours[0, 0].double(), direct, atol=1e-5, rtol=0)


def test_means_at_the_edge_are_of_what_is_there() -> None:
    plane = random(1, 1, 5, 6)
    torch.testing.assert_close(box_mean(plane, 2)[0, 0, 0, 0], plane[0, 0, :3, :3].mean())
    torch.testing.assert_close(box_mean(plane, 9), plane.mean().expand_as(plane))


def test_edges_of_the_guide_stay_sharper_than_with_bicubic() -> None:
    high = torch.zeros(1, 3, 32, 32)
    high[..., 15:] = 1.0  # falls between two pixels of the low level
    low = halve(high)
    target = 0.2 + 0.6 * high
    result = 0.2 + 0.6 * low
    guided, bicubic = guided_upsampling(low, result, high), bicubic_upsampling(result, (32, 32))
    assert (guided - target).abs().mean() < 0.2 * (bicubic - target).abs().mean()


@pytest.mark.parametrize("upsampling", ["bicubic", "guided"])
def test_gradient_reaches_the_lens_blur_and_only_it_trains(upsampling) -> None:
    model = tiny("deeplens", upsampling=upsampling)
    stage = model.stages[1]
    model.begin_stage(stage)
    image = random(2, 3, 32, 32).float()
    batch = {"image": image, "bokeh": image.flip(-1), "disparity": random(2, 1, 32, 32).float(),
             "focus": torch.tensor([0.2, 0.8]), "aperture": torch.full((2,), 8.0), "name": ["a", "b"]}  # fmt: skip
    model.losses(stage, batch)["high"].backward()
    assert all(
        p.grad is not None for m in (model.net.kernel_network, model.net.feature_network) for p in m.parameters()
    )
    assert not any(p.requires_grad for p in model.net.upsampling_network.parameters())


def test_an_unknown_upsampling_is_answered_with_the_known() -> None:
    with pytest.raises(BokehbenchError, match="did you mean 'guided'"):
        DeepLensNet(upsampling="guidd", segmentation_head=False)


def test_a_checkpoint_trained_with_the_learned_one_works_with_the_others(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    model = tiny("deeplens")
    content = {
        "state_dict": model.state_dict(), "hyper_parameters": {**SMALL["deeplens"]},
        "pytorch-lightning_version": pytorch_lightning.__version__,
        "bokehbench": {"model": "DeepLens", "stages": ["depth", "rendering"], "stage": "rendering"},
    }  # fmt: skip
    torch.save(content, tmp_path / "learned.ckpt")
    small = [word for word in words("deeplens") if not word.startswith("--model.")]
    tables = {}
    for number, upsampling in enumerate(("learned", "bicubic", "guided")):
        options = ["--data.aperture=16", "--ckpt_path=learned.ckpt", f"--model.upsampling={upsampling}"]
        assert main(["test", *small, *options]) == 0, capsys.readouterr().err
        tables[upsampling] = (tmp_path / "runs" / "deeplens" / f"version_{number}" / "test.csv").read_text()
    assert len(set(tables.values())) == 3

    photo = save(tmp_path / "photo.png", picture(1, (80, 96)))
    pixels = set()
    for upsampling in ("learned", "guided"):
        command = ["render", str(photo), "--checkpoint", "learned.ckpt", "--aperture", "16", "-o", f"{upsampling}.png"]
        assert main([*command, "--model.upsampling", upsampling]) == 0, capsys.readouterr().err
        pixels.add(Image.open(f"{upsampling}.png").tobytes())
    assert len(pixels) == 2
