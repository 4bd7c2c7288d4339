"""Any picture size: mirrored out to what the network takes, and cut back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bokehbench.nets.pynet import PyNETNet, crop, pad


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (1, 1), (2, 300), (33, 31), (100, 140)])
@pytest.mark.parametrize("margin", [0, 16])
def test_padding_is_a_mirror_and_comes_off_again(size, margin):
    torch.manual_seed(0)
    x = torch.rand(2, 3, *size)
    padded, (top, left) = pad(x, margin)
    height, width = padded.shape[-2:]
    assert height % 32 == width % 32 == 0
    assert min(height, width) >= 64
    assert top % 2 == left % 2 == 0
    assert min(top, left, height - top - size[0], width - left - size[1]) >= margin
    assert torch.equal(crop(padded, (top, left), size, scale=1), x)
    around = [(0, 0), (0, 0), (top, height - top - size[0]), (left, width - left - size[1])]
    assert np.array_equal(padded.numpy(), np.pad(x.numpy(), around, mode="reflect"))


def test_a_fitting_size_is_left_alone():
    x = torch.rand(1, 4, 64, 96)
    padded, offset = pad(x)
    assert padded is x
    assert offset == (0, 0)


def test_gradients_flow_through_the_mirror():
    x = torch.rand(1, 1, 5, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: pad(t)[0][..., ::9, ::7], x)


def test_an_odd_photo_gives_twice_its_size():
    torch.manual_seed(0)
    net = PyNETNet(width=4)
    padded, offset = pad(torch.rand(1, 4, 37, 71))
    with torch.no_grad():
        assert crop(net(padded), offset, (37, 71)).shape == (1, 3, 74, 142)
        assert crop(net(padded, 2), offset, (37, 71), scale=1).shape == (1, 3, 37, 71)
