from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_optics import blurred

from bokehbench.errors import BokehbenchError
from bokehbench.optics import blur, disk, disk_blur, polygon, soft_disk
from bokehbench.optics import blur as blur_function
from bokehbench.optics.blur import ROW_RUNS_UP_TO

PADDINGS = ["zero", "reflect", "replicate", "normalised"]
SIZES = st.integers(1, 14)


def picture(height: int, width: int, channels: int = 2) -> torch.Tensor:
    return torch.rand(channels, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(height))


@pytest.mark.parametrize("padding", ["zero", "reflect", "replicate"])
@pytest.mark.parametrize("kernel", [disk(2.5), soft_disk(3), polygon(2.2, 5), torch.rand(3, 5)], ids=range(4))
def test_equals_the_sum_over_every_pixel(kernel, padding):
    image, kernel = picture(9, 12), kernel.double()
    torch.testing.assert_close(blur(image, kernel, padding), blurred(image, kernel, padding))


@settings(max_examples=20, deadline=None)
@given(SIZES, SIZES, st.floats(0, 6), st.sampled_from(["zero", "reflect", "replicate"]))
def test_row_runs_equal_the_sum_over_every_pixel_at_any_size(height, width, radius, padding):
    image = picture(height, width, 1)
    expected = blurred(image, disk(radius, dtype=torch.float64), padding)
    torch.testing.assert_close(disk_blur(image, radius, padding), expected)


@pytest.mark.parametrize("padding", [*PADDINGS, "full"])
@pytest.mark.parametrize("radius", [ROW_RUNS_UP_TO - 1, ROW_RUNS_UP_TO, ROW_RUNS_UP_TO + 3.3])
def test_row_runs_and_fft_are_the_same_disk(radius, padding):
    image = picture(40, 31)
    torch.testing.assert_close(disk_blur(image, radius, padding), blur(image, disk(radius, torch.float64), padding))


def test_a_point_becomes_the_kernel():
    point = torch.zeros(1, 1, 11, 11, dtype=torch.float64)
    point[..., 5, 5] = 1
    kernel = polygon(4, 3, dtype=torch.float64)
    torch.testing.assert_close(blur(point, kernel)[0, 0], kernel)


@pytest.mark.parametrize("padding", ["reflect", "replicate", "normalised"])
@pytest.mark.parametrize("radius", [3, 20])
def test_constant_pictures_stay_constant(padding, radius):
    image = torch.full((1, 3, 30, 25), 0.7)
    torch.testing.assert_close(disk_blur(image, radius, padding), image)
    torch.testing.assert_close(blur(image, soft_disk(radius), padding), image)


def test_full_padding_keeps_all_light():
    image = picture(7, 9)
    for radius in (2.5, 15.0):
        whole = disk_blur(image, radius, "full")
        reach = int(radius)
        assert whole.shape == (2, 7 + 2 * reach, 9 + 2 * reach)
        torch.testing.assert_close(whole.sum((1, 2)), image.sum((1, 2)))
        torch.testing.assert_close(whole[:, reach:-reach, reach:-reach], disk_blur(image, radius, "zero"))


@pytest.mark.parametrize("padding", [*PADDINGS, "full"])
def test_radius_zero_is_the_identity(padding):
    image = picture(6, 5)
    torch.testing.assert_close(disk_blur(image, 0.0, padding), image)
    torch.testing.assert_close(blur(image, soft_disk(0).double(), padding), image)


@pytest.mark.parametrize("padding", [*PADDINGS, "full"])
@pytest.mark.parametrize(
    "kernel", [disk(2, torch.float64), polygon(2, 3, dtype=torch.float64)], ids=["disk", "triangle"]
)
def test_gradients_of_any_order(kernel, padding):
    image = picture(4, 6, 1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: blur(x, kernel, padding), image)
    assert torch.autograd.gradcheck(lambda x: disk_blur(x, 2.3, padding), image)
    assert torch.autograd.gradgradcheck(lambda x: blur(x, kernel, padding).square(), image)
    assert torch.autograd.gradgradcheck(lambda x: disk_blur(x, 2.3, padding).square(), image)


def test_symmetric_kernels_are_their_own_adjoint():
    x, y = picture(20, 17), picture(20, 17).flip(0)
    for radius in (3.0, 14.0):
        torch.testing.assert_close((disk_blur(x, radius) * y).sum(), (x * disk_blur(y, radius)).sum())


@settings(max_examples=10, deadline=None)
@given(st.floats(0, 16), st.floats(-3, 3), st.floats(-3, 3))
def test_blur_is_linear(radius, a, b):
    x, y = picture(13, 18), picture(18, 13).transpose(1, 2)
    combined = disk_blur(a * x + b * y, radius, "reflect")
    torch.testing.assert_close(combined, a * disk_blur(x, radius, "reflect") + b * disk_blur(y, radius, "reflect"))


def test_float32_is_exact_to_rounding_and_half_precision_is_kept():
    image = picture(64, 80)
    for radius in (1, 7, 12, 30):
        torch.testing.assert_close(
            disk_blur(image.float(), radius).double(), disk_blur(image, radius), atol=2e-6, rtol=0
        )
    assert disk_blur(image.bfloat16(), 20).dtype == torch.bfloat16


def test_wrong_kernels_and_paddings_are_refused_by_name():
    with pytest.raises(BokehbenchError, match="odd"):
        blur_function(picture(4, 4), torch.ones(2, 3))
    with pytest.raises(BokehbenchError, match="did you mean 'reflect'"):
        blur_function(picture(4, 4), torch.ones(3, 3), "reflection")
