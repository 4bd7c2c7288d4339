"""D2F's weighted layered rendering and radiance weights against the numbers of spec d2f.md sections 4 and 8."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.nets.d2f.radiance import RadianceVirtualization
from bokehbench.nets.d2f.renderer import RADII, WeightedLayeredRendering, defocus_top
from bokehbench.optics.aperture_kernels import soft_disk
from bokehbench.optics.weighted_layers import soft_masks


def picture(height: int = 72, width: int = 88, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def flat(value: float, like: Tensor) -> Tensor:
    return torch.full_like(like[:, :1], value)


def impulse(side: int = 73) -> Tensor:
    image = torch.zeros(1, 3, side, side)
    image[..., side // 2, side // 2] = 1
    return image


def padded(radius: int, side: int = 73) -> Tensor:
    kernel = soft_disk(radius)
    margin = (side - kernel.shape[-1]) // 2
    return torch.nn.functional.pad(kernel, (margin,) * 4)


def test_kernels_sum_to_one_and_have_the_specs_raw_sums() -> None:
    kernels = {radius: soft_disk(radius) for radius in RADII[15]}
    assert [k.shape[-1] for k in kernels.values()] == [1, 3, 5, 7, 11, 15, 19, 23, 27, 33, 39, 45, 53, 61, 69]
    for radius, kernel in kernels.items():
        assert kernel.sum().item() == pytest.approx(1, abs=1e-5)
        assert torch.equal(kernel, kernel.flip(0, 1))
        centre = 0.5 + 0.5 * math.tanh(radius**2 / 4 + 0.5)
        raw = centre / kernel[radius, radius].item()
        expected = {1: 6.23, 2: 17.15, 3: 33.87, 5: 85.09, 34: 3634.8}.get(radius)
        if expected is not None:
            assert raw == pytest.approx(expected, rel=1e-3)
            assert kernel[radius, 0].item() * raw == pytest.approx(0.731, abs=1e-3)
    assert sum(k.numel() for k in kernels.values()) == 17_974 + 1


@pytest.mark.parametrize("kernel_set", [15, 17, 6])
@pytest.mark.parametrize("disk_edge", ["soft", "hard"])
def test_no_defocus_reproduces_the_picture(kernel_set: int, disk_edge: str) -> None:
    image = picture()
    rendered = WeightedLayeredRendering(kernel_set, disk_edge=disk_edge)(image, torch.ones_like(image), flat(0, image))
    assert (rendered - image).abs().max() < 1e-5


@pytest.mark.parametrize("level", [0.0, 0.3, 0.5, 1.0, None])
def test_a_constant_picture_stays_constant_for_any_defocus_and_weight(level: float | None) -> None:
    image = torch.tensor([0.2, 0.5, 0.9]).view(1, 3, 1, 1).expand(1, 3, 72, 88).contiguous()
    weight = 1e-3 + 3 * picture(seed=1)
    defocus = picture(seed=2)[:, :1] if level is None else flat(level, image)
    assert (WeightedLayeredRendering()(image, weight, defocus) - image).abs().max() < 1e-4


def test_half_way_defocus_is_the_mean_of_the_disks_of_radius_9_and_11() -> None:
    image, renderer = impulse(), WeightedLayeredRendering()
    rendered = renderer(image, torch.ones_like(image), flat(0.5, image))
    torch.testing.assert_close(rendered[0, 0], (padded(9) + padded(11)) / 2, atol=1e-5, rtol=0)


def test_defocus_beyond_the_layers_is_black_unless_clamped() -> None:
    image = impulse()
    ones, far = torch.ones_like(image), flat(1.2, image)
    assert torch.equal(WeightedLayeredRendering(clamp=False)(image, ones, far), torch.zeros_like(image))
    renderer = WeightedLayeredRendering()
    largest = padded(34)
    # Half an interval past the last centre the next layer's mask is 8e-4.
    torch.testing.assert_close(renderer(image, ones, far)[0, 0], largest, atol=2e-6, rtol=2e-3)


def test_blur_stops_at_a_defocus_edge() -> None:
    """Red on the sharp left, blue on the blurred right: red enters the right half's first column only."""
    image = torch.zeros(1, 3, 80, 120)
    image[:, 0, :, :60] = 1
    image[:, 2, :, 60:] = 1
    defocus = torch.zeros(1, 1, 80, 120)
    defocus[..., 60:] = 0.75
    rendered = WeightedLayeredRendering()(image, torch.ones_like(image), defocus)
    assert (rendered - image)[..., :60].abs().max() < 1e-5
    assert rendered[0, 0, :, 60].min() > 0.05
    assert rendered[0, 0, :, 61:].abs().max() < 1e-5


@pytest.mark.parametrize("kernel_set", [15, 17, 6])
def test_the_largest_covered_defocus_is_the_largest_kernel_alone(kernel_set: int) -> None:
    layers = len(RADII[kernel_set])
    masks = soft_masks(torch.full((1, 1, 1, 1), defocus_top(kernel_set)), layers).flatten()
    assert masks[0] > 0.99
    assert masks[1:].max() < 5e-3


def test_a_pixel_is_in_two_neighbouring_layers() -> None:
    masks = soft_masks(torch.tensor([5.5 / 14]).view(1, 1, 1, 1)).flatten().flip(0)
    assert (masks > 0.99).nonzero().flatten().tolist() == [5, 6]


def test_lower_sharpness_blurs_sharp_pixels_a_little() -> None:
    image = picture()
    inputs = (image, torch.ones_like(image), flat(0, image))
    assert (WeightedLayeredRendering(sharpness=10)(*inputs) - image).abs().max() > 1e-2


def test_the_renderer_stays_in_float32_under_autocast() -> None:
    image, renderer = picture(), WeightedLayeredRendering()
    inputs = (image, 1e-3 + picture(seed=1), picture(seed=2)[:, :1])
    expected = renderer(*inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rendered = renderer(inputs[0], inputs[1], inputs[2])
    assert rendered.dtype == torch.float32
    assert torch.equal(rendered, expected)


def test_pictures_smaller_than_the_largest_kernel_are_rendered() -> None:
    image = picture(5, 7)
    rendered = WeightedLayeredRendering()(image, torch.ones_like(image), flat(1, image))
    assert rendered.shape == image.shape
    assert rendered.std((2, 3)).max() < 0.1 < image.std((2, 3)).min()


def test_an_unknown_kernel_set_is_named() -> None:
    with pytest.raises(BokehbenchError, match="kernel_set 16"):
        WeightedLayeredRendering(16)  # type: ignore[arg-type]


def test_gradients_are_those_of_finite_differences() -> None:
    image, weight, defocus = picture(36, 38).double(), 0.2 + picture(36, 38, 1).double(), picture(36, 38, 2)[:, :1]
    renderer, contract = WeightedLayeredRendering(), picture(36, 38, 3).double() - 0.5
    inputs = [t.double().requires_grad_() for t in (image, weight, defocus)]
    (renderer(*inputs) * contract).sum().backward()
    for number, tensor in enumerate(inputs):
        direction = torch.randn(tensor.shape, generator=torch.Generator().manual_seed(number), dtype=torch.float64)
        step = 1e-5
        with torch.no_grad():
            ends = []
            for sign in (1, -1):
                moved = [t + sign * step * direction if t is tensor else t for t in inputs]
                ends.append((renderer(*moved) * contract).sum())
        assert tensor.grad is not None
        numeric, analytic = (ends[0] - ends[1]) / (2 * step), (tensor.grad * direction).sum()
        assert analytic.item() == pytest.approx(numeric.item(), rel=1e-3)


def weights_of(mode: str) -> tuple[Tensor, Tensor]:
    pixels = torch.tensor([[1.0, 1, 1], [1, 0.5, 0.2], [0.98, 0.98, 0.98]]).T.reshape(1, 3, 1, 3)
    module = RadianceVirtualization(mode)  # type: ignore[arg-type]
    return module(pixels)[0, :, 0].T.detach(), module.net(pixels)[0, 0, 0].detach()


def test_radiance_weights_of_the_specs_three_pixels() -> None:
    weight, learned = weights_of("full")
    expected = torch.tensor([[3, 3, 3], [3, 0.09375, 0.00096]])
    torch.testing.assert_close(weight[:2], expected, atol=1e-6, rtol=1e-5)
    assert torch.equal(weight[2], learned[2].expand(3))
    assert 0 < learned[2] < 1


def test_radiance_modes() -> None:
    weight, learned = weights_of("learned")
    assert torch.equal(weight, learned[:, None].expand(3, 3))
    weight, _ = weights_of("highlight")
    assert weight[0].tolist() == [3, 3, 3]
    assert weight[2].tolist() == [1, 1, 1]
    assert torch.equal(weights_of("off")[0], torch.ones(3, 3))
    assert sum(p.numel() for p in RadianceVirtualization("off").parameters()) == 353
    assert not any(p.requires_grad for p in RadianceVirtualization("off").parameters())
