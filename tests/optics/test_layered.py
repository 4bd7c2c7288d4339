from __future__ import annotations

import pytest
import torch
from slow_optics import composited

from bokehbench.errors import BokehbenchError
from bokehbench.optics import disk, layered, soft_disk
from bokehbench.optics.layered import plane_alphas


def scene(height: int = 9, width: int = 11) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(1)
    return torch.rand(2, 3, height, width, generator=made), torch.rand(2, 1, height, width, generator=made)


@pytest.mark.parametrize("kernel", ["hard", "soft"])
@pytest.mark.parametrize("alphas", ["one-hot", "tent"])
def test_equals_planes_composited_from_far_to_near(kernel, alphas):
    image, disparity = (one.double() for one in scene())
    focus, aperture = torch.tensor([0.2, 0.7]), torch.tensor([9.0, 4.0])
    rendered = layered(image, disparity, focus, aperture, layers=6, kernel=kernel, alphas=alphas, gamma=2.2)
    for b in range(2):
        planes, kernels = [], []
        for i in range(6):
            centre = (i + 0.5) / 6
            d = disparity[b, 0]
            if alphas == "one-hot":
                planes.append(((d >= i / 6) & (d < (i + 1) / 6)).double())
            else:
                d = d.clamp(0.5 / 6, 5.5 / 6)
                planes.append((1 - (d - centre).abs() * 6).clamp(min=0))
            radius = float(aperture[b] * abs(centre - focus[b]))
            kernels.append((disk(radius) if kernel == "hard" else soft_disk(round(radius))).double())
        light, cover = composited(image[b] ** 2.2, torch.stack(planes), kernels, "replicate")
        torch.testing.assert_close(rendered[b], (light / cover) ** (1 / 2.2))


@pytest.mark.parametrize("alphas", ["one-hot", "tent"])
def test_aperture_zero_is_the_identity(alphas):
    image, disparity = scene()
    torch.testing.assert_close(layered(image, disparity, 0.4, 0.0, alphas=alphas), image)


@pytest.mark.parametrize("kernel", ["hard", "soft"])
@pytest.mark.parametrize("alphas", ["one-hot", "tent"])
def test_constant_pictures_stay_constant(kernel, alphas):
    _, disparity = scene(30, 40)
    image = torch.full((2, 3, 30, 40), 0.6)
    torch.testing.assert_close(layered(image, disparity, 0.4, 25.0, kernel=kernel, alphas=alphas), image)


def test_blurred_near_objects_spread_over_what_is_in_focus_but_not_the_far_ones():
    image = torch.zeros(1, 3, 21, 40)
    image[..., 20:] = 1
    near_and_white = torch.zeros(1, 1, 21, 40)
    near_and_white[..., 20:] = 1
    assert layered(image, near_and_white, focus=0.0, aperture=6.0)[0, 0, 10, 17] > 0.1
    assert layered(image, 1 - near_and_white, focus=1.0, aperture=6.0)[0, 0, 10, 17] == 0


def test_alphas_share_out_every_pixel_and_include_both_ends():
    disparity = torch.linspace(0, 1, 50).reshape(1, 1, 5, 10)
    for alphas in ("one-hot", "tent"):
        shares = plane_alphas(disparity, 8, alphas)
        torch.testing.assert_close(shares.sum(1), torch.ones(1, 5, 10))
        assert shares[0, 0, 0, 0] == 1
        assert shares[0, 7, 4, 9] == 1


def test_margin_widens_the_focal_plane():
    image, _ = scene(16, 16)
    disparity = torch.full((2, 1, 16, 16), 0.5)
    assert not torch.allclose(layered(image, disparity, 0.5, 100.0, layers=32), image, atol=1e-3)
    torch.testing.assert_close(layered(image, disparity, 0.5, 100.0, layers=32, margin=0.5 / 32), image)


def test_gradients():
    image, disparity = (one[:1, :, :4, :5].double().requires_grad_() for one in scene())
    for alphas, leaves in (("one-hot", (image,)), ("tent", (image, disparity))):

        def render(x: torch.Tensor, d: torch.Tensor = disparity, alphas: str = alphas) -> torch.Tensor:
            return layered(x, d, 0.4, 5.0, layers=4, alphas=alphas)

        assert torch.autograd.gradcheck(render, leaves)


def test_unknown_options_are_answered_with_the_nearest():
    image, disparity = scene()
    with pytest.raises(BokehbenchError, match="did you mean 'soft'"):
        layered(image, disparity, 0.5, 3.0, kernel="sotf")
    with pytest.raises(BokehbenchError, match="alphas 'hat'"):
        layered(image, disparity, 0.5, 3.0, alphas="hat")
