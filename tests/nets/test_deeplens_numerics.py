"""TensorFlow's and PyTorch's ways of resizing and padding."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from bokehbench.nets.numerics import Numerics, symmetric_pad

MODERN, OFFICIAL = Numerics.named("modern"), Numerics.named("official")


@pytest.mark.parametrize("factor", [2, 3])
def test_legacy_bilinear_equals_the_aligned_corner_recipe(factor: int) -> None:
    """For whole factors: repeat the last row and column, resize with aligned corners, cut (spec 2)."""
    image = torch.rand(1, 2, 7, 5)
    wide = F.pad(image, (0, 1, 0, 1), mode="replicate")
    recipe = F.interpolate(wide, (7 * factor + 1, 5 * factor + 1), mode="bilinear", align_corners=True)
    resized = OFFICIAL.resize(image, (7 * factor, 5 * factor))
    assert torch.allclose(resized, recipe[..., : 7 * factor, : 5 * factor], atol=1e-6)


@pytest.mark.parametrize("numerics", [MODERN, OFFICIAL])
@pytest.mark.parametrize("size", [(23, 41), (9, 7), (13, 30)])
def test_rows_of_a_resize(numerics: Numerics, size: tuple[int, int]) -> None:
    image = torch.rand(1, 2, 13, 17)
    whole = numerics.resize(image, size)
    for start, stop in ((0, 3), (4, 9), (size[0] - 2, size[0])):
        assert torch.allclose(numerics.resize_rows(image, size, start, stop), whole[..., start:stop, :], atol=1e-6)


@pytest.mark.parametrize(("n", "pads"), [(0, (1, 2)), (1, (3, 3)), (2, (2, 3)), (3, (2, 2))])
def test_same_padding_of_the_7x7_stride_4(n: int, pads: tuple[int, int]) -> None:
    assert OFFICIAL.padding(96 + n, 7, 4) == pads


@given(st.integers(1, 100), st.sampled_from([(3, 2), (7, 4), (1, 2)]), st.sampled_from([MODERN, OFFICIAL]))
def test_strided_convolutions_give_rounded_up_sizes(n: int, kernel: tuple[int, int], numerics: Numerics) -> None:
    size, stride = kernel
    padded = n + sum(numerics.padding(n, size, stride))
    assert (padded - size) // stride + 1 == math.ceil(n / stride)


@pytest.mark.parametrize(("n", "pad"), [(6, 2), (2, 2), (1, 2), (3, 1)])
def test_symmetric_pad_is_numpys(n: int, pad: int) -> None:
    image = torch.rand(1, 2, n, n + 1)
    expected = np.pad(image.numpy(), ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="symmetric")
    assert np.array_equal(symmetric_pad(image, pad).numpy(), expected)


def test_colour_order() -> None:
    image = torch.rand(1, 3, 2, 2)
    assert torch.equal(OFFICIAL.order(image), image[:, [2, 1, 0]])
    assert torch.equal(MODERN.order(image), image)
