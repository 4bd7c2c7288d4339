"""First weights of PyNET: the authors' law, and a variance-keeping one that lets the photo's colours through."""

from typing import Literal

import torch
from torch import nn

from bokehbench.nets.pynet.blocks import SLOPE, Branch, Head, MultiKernelBlock, Upsample, UpsamplePair

HEAD_GAIN = 0.1
COLOURS = 3


@torch.no_grad()
def initialise(net: nn.Module, law: Literal["official", "copy"]) -> None:
    """Fill every kernel and bias of ``net`` in place (instance norm keeps scale 1 and shift 0).

    "official" [authors' code]: kernels normal with deviation 0.01 cut at 2 sigma, biases 0.01; without instance norm at
    levels 3-1 the signal then shrinks to 1.7e-5 at a fresh level 1. "copy": He's law for LeakyReLU 0.2 (arXiv
    1502.01852), zero biases, and heads small enough that a fresh level starts near mid-grey in tanh's straight part.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            kernels, fan_in = [module.weight], module.weight[0].numel()
            nn.init.constant_(module.bias, 0.01 if law == "official" else 0.0)  # type: ignore[arg-type]
        elif isinstance(module, Upsample | UpsamplePair):
            kernels = list(module.parameters())
            # A stride-2 transposed 3x3 kernel reaches an output pixel with 9/4 of its taps on average.
            fan_in = kernels[0].shape[0] * 9 // 4
        else:
            continue
        gain = HEAD_GAIN if isinstance(module, Head) else nn.init.calculate_gain("leaky_relu", SLOPE)
        for kernel in kernels:
            if law == "official":
                nn.init.trunc_normal_(kernel, std=0.01, a=-0.02, b=0.02)
            else:
                nn.init.normal_(kernel, std=gain / fan_in**0.5)


def smallest_branch(block: MultiKernelBlock) -> Branch:
    """The one branch of a block whose largest kernel is 3x3."""
    branch = block.get_submodule("kernel_3")
    assert isinstance(branch, Branch)
    return branch


@torch.no_grad()
def pass_colours_on(convolution: nn.Conv2d) -> None:
    """Let the first three channels go through unchanged."""
    assert convolution.bias is not None
    convolution.weight[:COLOURS] = 0
    convolution.bias[:COLOURS] = 0
    for colour in range(COLOURS):
        convolution.weight[colour, colour, 1, 1] = 1


@torch.no_grad()
def open_encoder(block: MultiKernelBlock) -> None:
    """Let three channels of the encoder's first block start as the mean of each cell of :func:`space_to_depth`.

    Colours are not negative, so LeakyReLU leaves them alone. They are trained with the rest.
    """
    branch = smallest_branch(block)
    first = branch.conv_1
    assert first.bias is not None
    channels = first.in_channels // 4
    first.weight[:COLOURS] = 0
    first.bias[:COLOURS] = 0
    for colour in range(COLOURS):
        first.weight[colour, colour::channels, 1, 1] = 1 / 4
    pass_colours_on(branch.conv_2)
