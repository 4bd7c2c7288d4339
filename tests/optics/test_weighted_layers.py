"""D2F's renderer: the checks of its specification, and what the authors' own code computes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bokehbench.optics import soft_disk, weighted_layers
from bokehbench.optics.weighted_layers import soft_masks


def noise_maker(parity_dir: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("parity_recipe", parity_dir / "recipe.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def inputs(fixtures: np.lib.npyio.NpzFile, case: str, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    photo = torch.from_numpy(fixtures[f"{case}.input_u8"]).permute(2, 0, 1)[None].to(dtype) / 255
    defocus = torch.from_numpy(fixtures[f"{case}.ramp_D"])[None, None].to(dtype)
    image = F.interpolate(photo, defocus.shape[-2:], mode="bilinear", align_corners=False)
    return image, defocus, torch.from_numpy(fixtures[f"{case}.weight"]).to(dtype)


def check(actual: torch.Tensor, fixtures: np.lib.npyio.NpzFile, key: str, limit: float) -> None:
    """Compare with every stored sampling of ``key``."""
    found = [k for k in fixtures if (k == key or k.startswith(key + ".")) and not k.endswith((".stat", ".dev"))]
    assert found
    for stored in found:
        last = stored.rsplit(".", 1)[-1]
        every = int(last[1:]) if last[0] == "s" and last[1:].isdigit() else 1
        difference = actual[..., ::every, ::every] - torch.from_numpy(fixtures[stored])
        assert float(difference.abs().max()) < limit, stored


@pytest.mark.parametrize("case", ["a", "b", "c"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_renders_what_the_authors_code_renders(parity_dir, case, dtype):
    with np.load(parity_dir / "d2f.npz") as fixtures:
        image, defocus, weight = inputs(fixtures, case, dtype)
        check(weighted_layers(image, defocus, weight), fixtures, f"{case}.ramp_bokeh", 2e-5)
        check(weighted_layers(image, defocus), fixtures, f"{case}.ramp_bokeh_w1", 5e-5)


@pytest.mark.parametrize("low_memory", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_those_of_the_authors_code(parity_dir, dtype, low_memory):
    with np.load(parity_dir / "d2f.npz") as fixtures:
        leaves = [one.requires_grad_() for one in inputs(fixtures, "a", dtype)]
        bokeh = weighted_layers(*leaves, low_memory=low_memory)
        noise = torch.from_numpy(noise_maker(parity_dir).noise("d2f.R", bokeh.shape)).to(dtype)
        gradients = torch.autograd.grad((bokeh * noise).sum(), leaves)
        for name, gradient in zip("xDw", gradients, strict=True):
            expected = torch.from_numpy(fixtures[f"a.ramp_grad_{name}.f64.s3"])
            difference = gradient[..., ::3, ::3] - expected
            assert float(difference.norm() / expected.norm()) < 1e-3, name


def test_masks_are_the_formula_with_its_gradient():
    defocus = torch.linspace(-0.2, 1.2, 41, dtype=torch.float64).reshape(1, 1, 1, -1).requires_grad_()
    masks = soft_masks(defocus, layers=6, sharpness=20.0)
    for i in range(6):
        expected = 0.5 + 0.5 * torch.tanh(20 * (0.2 - (defocus[:, 0] - 0.2 * i).abs()))
        torch.testing.assert_close(masks[:, 5 - i], expected)
    off_the_kinks = (defocus.detach() + 0.003).requires_grad_()
    assert torch.autograd.gradcheck(lambda d: soft_masks(d, 6, 20.0), off_the_kinks)


def test_no_defocus_reproduces_the_picture():
    image = torch.rand(1, 3, 80, 72)
    torch.testing.assert_close(weighted_layers(image, torch.zeros(1, 1, 80, 72)), image, atol=1e-5, rtol=0)


@pytest.mark.parametrize("least", [1e-3, 1e-6])
def test_constant_pictures_stay_constant_for_any_weight(least):
    image = torch.tensor([0.2, 0.5, 0.9]).reshape(1, 3, 1, 1).expand(1, 3, 80, 72)
    weight = torch.rand(1, 3, 80, 72) * 3
    weight[..., :40] = least
    bokeh = weighted_layers(image, torch.linspace(0, 1, 80)[:, None].expand(1, 1, 80, 72), weight)
    torch.testing.assert_close(bokeh, image, atol=1e-4, rtol=0)


def test_a_point_at_half_defocus_is_the_mean_of_two_disks():
    image = torch.zeros(1, 3, 96, 96, dtype=torch.float64)
    image[..., 48, 48] = 1
    bokeh = weighted_layers(image, torch.full((1, 1, 96, 96), 0.5, dtype=torch.float64))
    expected = (F.pad(soft_disk(9), (2, 2, 2, 2)) + soft_disk(11)) / 2
    torch.testing.assert_close(bokeh[0, 0, 37:60, 37:60].float(), expected, atol=1e-6, rtol=1e-3)


def test_far_out_of_range_defocus_is_black_and_the_margin_is_the_largest_disk():
    image = torch.rand(1, 3, 90, 80)
    assert not weighted_layers(image, torch.full((1, 1, 90, 80), 1.2)).any()
    assert weighted_layers(image.double(), torch.full((1, 1, 90, 80), 1.2).double()).min() > 0.1, "masks of 7e-12"
    image = torch.zeros(1, 3, 90, 80, dtype=torch.float64)
    image[..., 45, 40] = 1
    bokeh = weighted_layers(image, torch.full((1, 1, 90, 80), 1 + 0.5 / 14, dtype=torch.float64))
    torch.testing.assert_close(bokeh[0, 0, 11:80, 6:75].float(), soft_disk(34), atol=1e-7, rtol=1e-3)


def test_sharp_pictures_beside_blurred_ones_keep_their_side():
    image = torch.zeros(1, 3, 80, 80)
    image[:, 0, :, :40], image[:, 1, :, 40:] = 1, 1
    defocus = torch.zeros(1, 1, 80, 80)
    defocus[..., 40:] = 0.75
    bokeh = weighted_layers(image, defocus)
    torch.testing.assert_close(bokeh[..., :40], image[..., :40], atol=1e-5, rtol=0)
    assert bokeh[:, 0, :, 40].min() > 0.01
    assert bokeh[:, 0, :, 41:].max() < 1e-4


def test_weak_weights_in_one_picture_leave_the_others_of_the_batch_alone():
    image, defocus, weight = torch.rand(3, 3, 64, 64), torch.rand(3, 1, 64, 64), torch.rand(3, 3, 64, 64) + 0.2
    weight[1, 2] = 1e-7
    weight[1, 2, :5, :5] = 3
    exact = weighted_layers(image.double(), defocus.double(), weight.double())
    leaves = [one.clone().requires_grad_() for one in (image, defocus, weight)]
    bokeh = weighted_layers(*leaves)
    torch.testing.assert_close(bokeh.double(), exact, atol=1e-4, rtol=0)
    alone = weighted_layers(image[:1], defocus[:1], weight[:1])
    torch.testing.assert_close(bokeh[:1], alone)
    assert all(bool(torch.isfinite(g).all()) for g in torch.autograd.grad(bokeh.sum(), leaves))


@pytest.mark.parametrize("size", [(1, 1), (20, 33)])
def test_any_size_works_with_every_kernel_set(size):
    image, defocus = torch.rand(1, 3, *size), torch.rand(1, 1, *size)
    for radii in ((0, 4, 10, 18, 26, 34), (0, 1, 2)):
        for kernel in ("soft", "hard"):
            assert weighted_layers(image, defocus, radii=radii, kernel=kernel).shape == image.shape
