"""pix2pix's networks: the paper's sizes, any picture size, patches."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.pix2pix import SMALLEST, Discriminator, Generator


def convolutions(net: nn.Module) -> list[int]:
    return [layer.out_channels for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]


def test_the_generator_has_the_papers_layers() -> None:
    net = Generator(5)
    assert convolutions(net) == [64, 128, 256, *[512] * 5, *[512] * 4, 256, 128, 64, 3]
    normless = [number for number, down in enumerate(net.encoder) if not isinstance(down[-1], nn.InstanceNorm2d)]
    assert normless == [0, 7]
    dropped = [number for number, up in enumerate(net.decoder) if isinstance(up[-1], nn.Dropout)]
    assert dropped == [0, 1, 2]


def test_each_value_of_the_discriminator_sees_70_pixels() -> None:
    net = Discriminator(5, width=4).eval().requires_grad_(False)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.fill_(1.0)
        if isinstance(module, nn.InstanceNorm2d):  # it looks at the whole picture
            module.forward = lambda x: x
    assert convolutions(net) == [4, 8, 16, 32, 1]
    x = torch.ones(1, 5, 128, 128, requires_grad=True)
    logits = net(x, torch.ones(1, 3, 128, 128))
    assert logits.shape == (1, 1, 14, 14)
    logits[0, 0, 7, 7].backward()
    seen = x.grad[0, 0] != 0
    assert (int(seen.any(0).sum()), int(seen.any(1).sum())) == (70, 70)


@pytest.mark.parametrize("size", [(1, 1), (31, 33), (64, 64), (50, 130)])
def test_any_size_comes_back(size) -> None:
    net = Generator(5, width=4, levels=5).eval()
    picture = net(torch.rand(2, 5, *size))
    assert picture.shape == (2, 3, *size)
    assert picture.abs().max() <= 1


def test_a_padded_picture_is_not_shifted() -> None:
    """Only the outermost skip is left open, so that output and input pixels keep their places."""
    net = Generator(3, width=4, levels=2).eval().requires_grad_(False)
    x = torch.zeros(1, 3, 30, 30)
    x[..., 11:13, 17:19] = 1.0
    change = (net(x) - net(torch.zeros_like(x))).abs().sum(1)[0]
    rows, columns = (change.sum(axis) for axis in (1, 0))
    centre = [float((values * torch.arange(30)).sum() / values.sum()) for values in (rows, columns)]
    assert centre == pytest.approx([11.5, 17.5], abs=2.5)


def test_the_smallest_picture_can_be_judged() -> None:
    logits = Discriminator(5, width=4)(torch.rand(1, 5, SMALLEST, SMALLEST), torch.rand(1, 3, SMALLEST, SMALLEST))
    assert logits.shape[-2:] == (2, 2)


def test_unusable_levels_are_named() -> None:
    with pytest.raises(BokehbenchError, match=r"--model\.levels 1"):
        Generator(5, levels=1)
