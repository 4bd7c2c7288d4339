from __future__ import annotations

import pytest
import torch

from bokehbench.errors import BokehbenchError
from bokehbench.optics import compositional, disk_blur


def scene(height: int = 24, width: int = 31, batch: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(5)
    image = torch.rand(batch, 3, height, width, generator=made, dtype=torch.float64)
    return image, torch.rand(batch, 1, height, width, generator=made, dtype=torch.float64)


def plane(value: float, like: torch.Tensor) -> torch.Tensor:
    return torch.full_like(like[:, :1], value)


def test_a_plane_at_a_disks_radius_is_that_disk_in_front_of_the_focus_and_behind():
    image, _ = scene()
    for disparity, focus in ((0.75, 0.25), (0.25, 0.75)):
        result = compositional(image, plane(disparity, image), focus, 6.0)
        torch.testing.assert_close(result, disk_blur(image, 3.0, "replicate"))


@pytest.mark.parametrize("step", [0.5, 1.0, 2.0])
def test_between_two_disks_it_is_their_mean_by_distance(step):
    image, _ = scene()
    result = compositional(image, plane(1.0, image), 0.0, 1.3 * step, step=step)
    one, two = (disk_blur(image, radius * step, "replicate") for radius in (1, 2))
    torch.testing.assert_close(result, 0.7 * one + 0.3 * two)


def test_what_is_in_focus_or_has_no_aperture_is_unchanged():
    image, disparity = scene()
    torch.testing.assert_close(compositional(image, plane(0.4, image), 0.4, 9.0), image)
    torch.testing.assert_close(compositional(image, disparity, 0.4, 0.0), image)


def test_constant_pictures_stay_and_flips_commute():
    image, disparity = scene()
    constant = torch.full_like(image, 0.3)
    torch.testing.assert_close(compositional(constant, disparity, 0.2, 8.0), constant)
    turned = compositional(image.flip(-1, -2), disparity.flip(-1, -2), 0.2, 8.0)
    torch.testing.assert_close(turned.flip(-1, -2), compositional(image, disparity, 0.2, 8.0))


def test_each_picture_has_its_focus_and_aperture():
    image, disparity = scene()
    focus, aperture = torch.tensor([0.1, 0.9]), torch.tensor([2.0, 7.0])
    both = compositional(image, disparity, focus, aperture)
    for i in range(2):
        alone = compositional(image[i : i + 1], disparity[i : i + 1], float(focus[i]), float(aperture[i]))
        torch.testing.assert_close(both[i : i + 1], alone, atol=1e-6, rtol=0)


def test_gradients_reach_picture_and_disparity():
    image, disparity = scene(5, 6)
    # away from the focus and from the disks' radii, where the slope jumps
    disparity = 0.4 + disparity * 0.15
    leaves = (image.requires_grad_(), disparity.requires_grad_())
    assert torch.autograd.gradcheck(lambda x, d: compositional(x, d, 0.2, 3.0, step=1.1), leaves)


def test_gradient_steps_find_the_disparity_of_a_blurred_picture():
    image, _ = scene(40, 40, batch=1)
    target = compositional(image, plane(0.8, image), 0.0, 8.0)
    disparity = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([disparity], lr=0.02)
    for _ in range(80):
        optimiser.zero_grad()
        (compositional(image, disparity.expand(1, 1, 40, 40), 0.0, 8.0) - target).abs().mean().backward()
        optimiser.step()
    assert abs(disparity.item() - 0.8) < 0.05


def test_half_precision_is_computed_in_float32():
    image, disparity = scene()
    result = compositional(image.half(), disparity.half(), 0.5, 6.0)
    assert result.dtype == torch.float16
    torch.testing.assert_close(result.double(), compositional(image, disparity, 0.5, 6.0), atol=4e-3, rtol=0)


def test_wrong_calls_are_refused():
    image, disparity = scene()
    with pytest.raises(BokehbenchError, match="step"):
        compositional(image, disparity, 0.5, 4.0, step=0)
    with pytest.raises(BokehbenchError, match="full"):
        compositional(image, disparity, 0.5, 4.0, padding="full")
    with pytest.raises(BokehbenchError, match="does not fit"):
        compositional(image, disparity[..., 1:], 0.5, 4.0)
    with pytest.raises(BokehbenchError, match="finite"):
        compositional(image, disparity * torch.inf, 0.5, 4.0)
