"""Convolution blocks that the networks share."""

import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.nets.numerics import Numerics


class ConvBN(nn.Module):
    """Bias-free convolution, batch norm (epsilon 1e-5), activation: B in H W -> B out ceil(H/stride) ceil(W/stride).

    ``slope`` is the activation's slope below zero: 0 is ReLU, 0.2 the LeakyReLU of DeepLens, None no activation.
    In eval mode the norm is folded into the convolution's weights, the same numbers up to rounding.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, numerics: Numerics, *, stride: int = 1, slope: float | None = 0.0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, bias=False)
        self.bn = nn.BatchNorm2d(outputs, momentum=numerics.momentum)
        self.numerics, self.slope = numerics, slope

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, normalise, activate."""
        if self.training:
            return self.finish(self._convolve(x, self.conv.weight))
        weight, bias = self.folded()
        return activate(self._convolve(x, weight, bias), self.slope)

    def finish(self, x: Tensor) -> Tensor:
        """Norm and activation alone, for a convolution that was computed elsewhere."""
        return activate(self.bn(x), self.slope)

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the convolution with the norm's running statistics in them."""
        assert self.bn.running_var is not None
        assert self.bn.running_mean is not None
        scale = self.bn.weight * (self.bn.running_var + self.bn.eps).rsqrt()
        return self.conv.weight * scale.view(-1, 1, 1, 1), self.bn.bias - self.bn.running_mean * scale

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        if stride > 1 and kernel > 1:
            return F.conv2d(self.numerics.pad(x, kernel, stride), weight, bias, stride)
        return F.conv2d(x, weight, bias, stride, padding=kernel // 2)


def activate(x: Tensor, slope: float | None) -> Tensor:
    """In place, as nothing else reads what a norm or a convolution has just made."""
    if slope is None:
        return x
    return F.leaky_relu_(x, slope) if slope else F.relu_(x)


def glorot_(module: nn.Module) -> None:
    """Glorot-uniform kernels and zero biases for every convolution in ``module``."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
