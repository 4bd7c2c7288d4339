"""How a network reads its pixels: as the authors' TensorFlow graphs did, or as PyTorch does today.

The released weights need TensorFlow's own resizing, padding, channel order and 8-bit step (deeplens spec, sections 2
and 4.4); a network trained here is better off without them. :class:`Numerics` holds the difference in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.errors import BokehbenchError, nearest

#: ImageNet's mean and standard deviation for RGB in [0, 1] (what timm's ResNet-50 weights expect).
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

#: Height and width.
Size = Sequence[int]


@dataclass(frozen=True)
class Numerics:
    """One of two sets of conventions, made by :meth:`named`.

    ========================  =================================  ==========================================
    matter                    ``official``                       ``modern``
    ========================  =================================  ==========================================
    bilinear resize           source = i * in / out              half-pixel centres
    padding of strided convs  TensorFlow SAME (depends on size)  one rule for every size, see :meth:`padding`
    channel order             BGR                                RGB
    depth network's input     image - 0.5                        ImageNet mean and standard deviation
    result before upsampling  truncated to 8 bits                clamped to [0, 1]
    batch-norm momentum       0.01 (TensorFlow's 0.99)           0.1 (PyTorch's default)
    ========================  =================================  ==========================================
    """

    name: str

    @classmethod
    def named(cls, name: str) -> Numerics:
        """``"official"`` or ``"modern"``; anything else raises :class:`BokehbenchError`."""
        if name not in ("official", "modern"):
            raise BokehbenchError(f"unknown numerics '{name}': {nearest(name, ('official', 'modern'))}")
        return cls(name)

    @property
    def official(self) -> bool:
        """Whether these are the authors' conventions."""
        return self.name == "official"

    @property
    def momentum(self) -> float:
        """Batch-norm momentum; the authors' 0.01 needs tens of thousands of steps before statistics are usable."""
        return 0.01 if self.official else 0.1

    def order(self, image: Tensor) -> Tensor:
        """RGB to the networks' channel order, or back: ... 3 H W -> ... 3 H W (its own inverse)."""
        return image.flip(-3) if self.official else image

    def depth_input(self, image: Tensor) -> Tensor:
        """Image in the networks' channel order, B 3 H W in [0, 1] -> what the depth network sees."""
        if self.official:
            return image - 0.5
        mean, std = (image.new_tensor(v).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
        return (image - mean) / std

    def upsampling_input(self, result: Tensor) -> Tensor:
        """The blurred image B 3 H W that is resized and mixed in by the upsampling network.

        Official: multiplied by 255 in float32 and cut to uint8 (no gradient passes, values outside [0, 1] wrap).
        Modern: unchanged, since it was clamped before.
        """
        return (result.detach() * 255).to(torch.int32).bitwise_and(255).to(result.dtype) if self.official else result

    @property
    def upsampling_scale(self) -> float:
        """What the resized :meth:`upsampling_input` is divided by: the official graph divides *after* resizing."""
        return 255.0 if self.official else 1.0

    def padding(self, length: Any, kernel: int, stride: int) -> tuple[Any, Any]:
        """Pixels to add before and after an axis so that a strided convolution gives ceil(length / stride).

        Official: TensorFlow SAME, total / 2 before, rounded down. Modern: (kernel - stride + 1) // 2 before whatever
        the size, which puts the windows within half a pixel of the cells that half-pixel resizing maps them back to.
        """
        total = torch.sym_max((length - 1) // stride * stride + kernel - length, 0)
        before = total // 2 if self.official else (kernel - stride + 1) // 2
        return before, torch.sym_max(total - before, 0)

    def pad(self, x: Tensor, kernel: int, stride: int) -> Tensor:
        """Apply :meth:`padding` to both axes of B C H W."""
        rows, columns = (self.padding(length, kernel, stride) for length in x.shape[-2:])
        return F.pad(x, (*columns, *rows))

    def resize(self, x: Tensor, size: Size) -> Tensor:
        """Bilinear, not antialiased: B C H W -> B C h w."""
        if not torch.compiler.is_exporting() and tuple(x.shape[-2:]) == tuple(size):
            return x
        if self.official:
            return self._lerp(self._lerp(x, size[1], -1), size[0], -2)
        return F.interpolate(x, size, mode="bilinear", align_corners=False)

    def resize_rows(self, x: Tensor, size: Size, start: int, stop: int, part: tuple[int, int] | None = None) -> Tensor:
        """Rows start .. stop - 1 of ``resize(x, size)``, without making the others.

        ``part``: ``x`` holds rows from the first of these numbers on, of as many as the second.
        """
        if part is None and (start, stop) == (0, size[0]):
            return self.resize(x, size)
        rows = self._lerp(x, size[0], -2, start, stop, part)
        if self.official:
            return self._lerp(rows, size[1], -1)
        return F.interpolate(rows, (stop - start, size[1]), mode="bilinear", align_corners=False)

    def _lerp(
        self,
        x: Tensor,
        length: int,
        axis: int,
        start: int = 0,
        stop: int | None = None,
        part: tuple[int, int] | None = None,
    ) -> Tensor:
        """Linear resize of one axis to ``length``, samples start .. stop - 1 of it."""
        begin, n = part or (0, x.shape[axis])
        stop = length if stop is None else stop
        # float32 on purpose: both TensorFlow and PyTorch find their source positions in it.
        at = torch.arange(start, stop, dtype=torch.float32, device=x.device)
        at = at * (n / length) if self.official else ((at + 0.5) * (n / length) - 0.5).clamp(min=0)
        low = at.floor().long().clamp(max=n - 1)
        weight = (at - low).to(x.dtype).unsqueeze(-1) if axis == -2 else (at - low).to(x.dtype)
        first = x.index_select(axis, low - begin)
        second = x.index_select(axis, (low + 1).clamp(max=n - 1) - begin)
        return torch.lerp(first, second, weight)


def symmetric_pad(x: Tensor, pad: int) -> Tensor:
    """Mirror *including* the edge pixel (x1 x0 | x0 x1 ...): B C H W -> B C H+2p W+2p, for any H and W.

    This is TensorFlow's SYMMETRIC; PyTorch's "reflect" leaves the edge pixel out.
    """
    for axis in (-2, -1):
        n = x.shape[axis]
        if n >= pad:
            x = torch.cat((x.narrow(axis, 0, pad).flip(axis), x, x.narrow(axis, n - pad, pad).flip(axis)), axis)
        else:
            at = torch.arange(-pad, n + pad, device=x.device) % (2 * n)
            x = x.index_select(axis, torch.minimum(at, 2 * n - 1 - at))
    return x
