from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_optics import scattered

from bokehbench.errors import BokehbenchError
from bokehbench.optics import polygon, scatter


def scene(height: int, width: int, reach: float, batch: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(3)
    image = torch.rand(batch, 3, height, width, generator=made, dtype=torch.float64)
    defocus = torch.rand(batch, 1, height, width, generator=made, dtype=torch.float64)
    return image, (2 * defocus - 1) * reach


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 10), st.integers(1, 10), st.floats(0, 5), st.sampled_from([1.0, 4.0]))
def test_exact_equals_the_loop_over_pixels(height, width, reach, gamma):
    image, defocus = scene(height, width, reach)
    expected = scattered(image[0], defocus[0, 0], gamma)
    torch.testing.assert_close(scatter(image, defocus, gamma=gamma, step=None)[0], expected)


@pytest.mark.parametrize(("step", "error"), [(0.25, 0.005), (0.5, 0.02)])
@pytest.mark.parametrize("reach", [1.0, 3.0, 12.0])
def test_interpolated_radii_stay_within_the_stated_error_on_white_noise(reach, step, error):
    image, defocus = scene(40, 50, reach)
    assert float((scatter(image, defocus, step=step) - scatter(image, defocus, step=None)).abs().max()) < error


@pytest.mark.parametrize("step", [None, 0.25])
def test_energy_is_kept_on_constant_pictures(step):
    _, defocus = scene(30, 20, 9.0, batch=2)
    image = torch.full((2, 3, 30, 20), 0.4)
    torch.testing.assert_close(scatter(image, defocus.float(), step=step), image)


@pytest.mark.parametrize("step", [None, 0.25])
def test_radius_zero_is_the_identity(step):
    image, defocus = scene(12, 15, 0.0)
    torch.testing.assert_close(scatter(image, defocus, step=step), image)


@pytest.mark.parametrize("step", [None, 0.3])
def test_gradients(step):
    image, defocus = scene(4, 5, 3.0)
    defocus = defocus + 0.013  # off the kinks of the interpolation
    leaves = (image.requires_grad_(), defocus.requires_grad_())
    assert torch.autograd.gradcheck(lambda x, d: scatter(x, d, step=step), leaves)


def test_batches_are_pictures_one_by_one_and_float32_is_close():
    image, defocus = scene(20, 25, 6.0, batch=2)
    both = scatter(image, defocus)
    for i in range(2):
        torch.testing.assert_close(both[i : i + 1], scatter(image[i : i + 1], defocus[i : i + 1]))
    torch.testing.assert_close(scatter(image.float(), defocus.float()).double(), both, atol=1e-5, rtol=0)


@pytest.mark.parametrize("step", [None, 0.25])
def test_a_pixel_in_focus_leaks_only_where_asked(step):
    image = torch.zeros(1, 3, 5, 5, dtype=torch.float64)
    image[..., 2, 2] = 1
    leaking = scatter(image, torch.zeros_like(image[:, :1]), step=step, leak=True)
    assert float(leaking[0, 0, 2, 3]) == pytest.approx(6.7e-4, rel=0.01)


def test_blades_are_those_of_the_polygon():
    image = torch.zeros(1, 3, 51, 51, dtype=torch.float64)
    image[..., 25, 25] = 1
    spread = scatter(image, torch.full_like(image[:, :1], 9.0), step=None, blades=5, rotation=0.3)[0, 0, 15:36, 15:36]
    torch.testing.assert_close(spread / spread.sum(), polygon(9.0, 5, 0.3, dtype=torch.float64), atol=1e-6, rtol=0)


def test_wrong_calls_are_refused():
    image, defocus = scene(4, 5, 1.0)
    for blades, step in ((2, None), (6, 0.25)):
        with pytest.raises(BokehbenchError, match="blades"):
            scatter(image, defocus, blades=blades, step=step)
    with pytest.raises(BokehbenchError, match="step"):
        scatter(image, defocus, step=0)
    with pytest.raises(BokehbenchError, match="does not fit"):
        scatter(image, defocus[..., :3])
