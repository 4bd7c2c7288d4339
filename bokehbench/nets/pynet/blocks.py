"""Building blocks of PyNET: multi-kernel blocks, upsampling, heads, space-to-depth (arXiv 2006.05698, section 3)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

SLOPE = 0.2
NORM_EPS = 1e-3


def space_to_depth(x: Tensor) -> Tensor:
    """B C H W -> B 4C H/2 W/2, channels ordered (row offset, column offset, channel) as TensorFlow does.

    ``torch.nn.functional.pixel_unshuffle`` orders them channel first, so the authors' weights would not fit.
    H and W must be even.
    """
    b, c, h, w = x.shape
    return x.reshape(b, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(b, 4 * c, h // 2, w // 2)


def to_picture(logits: Tensor) -> Tensor:
    """A head's linear map -> RGB in (-0.08, 1.08), unclipped: 0.58 tanh(z) + 0.5."""
    return 0.58 * torch.tanh(logits) + 0.5


class Branch(nn.Module):
    """Two convolutions of one kernel size; B in H W -> B out H W **before** the last LeakyReLU.

    Zero padding; a bias even where instance norm follows (it cancels there, but the authors' files hold it).
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, norm: bool) -> None:
        super().__init__()
        self.conv_1 = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        # One group per channel is instance norm; group_norm runs up to 3x faster on CPUs.
        self.norm_1 = nn.GroupNorm(outputs, outputs, eps=NORM_EPS) if norm else nn.Identity()
        self.conv_2 = nn.Conv2d(outputs, outputs, kernel, padding=kernel // 2)
        self.norm_2 = nn.GroupNorm(outputs, outputs, eps=NORM_EPS) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.norm_1(self.conv_1(x)), SLOPE, inplace=True)
        return self.norm_2(self.conv_2(x))


class MultiKernelBlock(nn.Module):
    """Parallel branches of 3x3 up to ``largest`` x ``largest``: B in H W -> B width*(largest-1)/2 H W.

    The branches' outputs are concatenated in the order 3, 5, 7, 9. ``norm`` switches instance norm (per picture and
    channel, biased variance, eps 1e-3, no running statistics). With ``checkpointing`` set, training keeps only the
    block's input and computes the inside again in the backward pass.
    """

    def __init__(self, inputs: int, width: int, largest: int, norm: bool = True) -> None:
        super().__init__()
        self.kernels = tuple(range(3, largest + 1, 2))
        for kernel in self.kernels:
            self.add_module(f"kernel_{kernel}", Branch(inputs, width, kernel, norm))
        self.outputs = width * len(self.kernels)
        self.checkpointing = False

    def _run(self, x: Tensor) -> Tensor:
        parts = [branch(x) for branch in self.children()]
        # One concatenation and one in-place activation for all branches: fewer passes over memory.
        return F.leaky_relu(parts[0] if len(parts) == 1 else torch.cat(parts, 1), SLOPE, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        if self.checkpointing and torch.is_grad_enabled():
            out: Tensor = checkpoint(self._run, x, use_reentrant=False, preserve_rng_state=False)
            return out
        return self._run(x)


def upsample(x: Tensor, weight: Tensor) -> Tensor:
    """Transposed 3x3 convolution of stride 2 without bias, then LeakyReLU: B in H W -> B out 2H 2W.

    ``weight``: in out 3 3. TensorFlow's "SAME" equals no padding with the last row and column dropped (torch's
    ``padding=1, output_padding=1`` would shift the picture by a pixel).
    """
    return F.leaky_relu(F.conv_transpose2d(x, weight, stride=2), SLOPE, inplace=True)[..., :-1, :-1]


class Upsample(nn.Module):
    """One plain x2 upsampling, see :func:`upsample`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, outputs, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return upsample(x, self.weight)


class UpsamplePair(nn.Module):
    """Two x2 upsamplings of the same features with separate weights: B in H W -> two of B out 2H 2W.

    ``u`` enters a level's first block, ``v`` its last ones. They run as one convolution of twice the width.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.u = nn.Parameter(torch.empty(inputs, outputs, 3, 3))
        self.v = nn.Parameter(torch.empty(inputs, outputs, 3, 3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        u, v = upsample(x, torch.cat([self.u, self.v], 1)).chunk(2, 1)
        return u, v


class Head(nn.Conv2d):
    """The linear 3x3 convolution to RGB that ends a level: B in H W -> B 3 H W; :func:`to_picture` follows."""

    bias: nn.Parameter

    def __init__(self, inputs: int) -> None:
        super().__init__(inputs, 3, 3, padding=1)
