"""The skeleton that both of BokehMe's networks have (released code)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.errors import BokehbenchError
from bokehbench.nets.numerics import Numerics
from bokehbench.optics.strips import in_strips, wants_strips

UNALIGNED = Numerics.named("modern")


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear between corner pixels, not antialiased: B C H W -> B C h w; BokehMe's resize."""
    return x if x.shape[-2:] == size else F.interpolate(x, size, mode="bilinear", align_corners=True)


def resized_rows(x: Tensor, size: tuple[int, int], start: int, stop: int) -> Tensor:
    """Rows start .. stop - 1 of :func:`resized`, without making the others."""
    if (start, stop) == (0, size[0]):
        return resized(x, size)
    last = x.shape[-2] - 1
    # float32, as torch computes the places
    at = torch.arange(start, stop, dtype=torch.float32, device=x.device) * (last / max(size[0] - 1, 1))
    low = at.long().clamp(max=last)
    above, below = x.index_select(-2, low), x.index_select(-2, (low + 1).clamp(max=last))
    return resized(torch.lerp(above, below, (at - low).to(x)[:, None]), (stop - start, size[1]))


def elu(x: Tensor) -> Tensor:
    """ELU, in place where no gradient is wanted."""
    return F.elu(x, inplace=not torch.is_grad_enabled())


class Block(nn.Module):
    """x + ELU(conv(ELU(conv(x))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """B C h w -> the same shape."""
        return elu(self.second(elu(self.first(x)))).add_(x)


class ResidualNet(nn.Module):
    """Convolutions at half the size: space to depth, three residual blocks, depth to space. No normalisation.

    Without gradients in eval mode large pictures are worked through in strips of rows.

    Args:
        width: channels.
        guides: channels of a picture that is given at half the size.
        outputs: channels of the result.
        blocks: residual blocks.
    """

    def __init__(self, width: int, guides: int, outputs: int, blocks: int = 3) -> None:
        super().__init__()
        self.head = nn.Conv2d(4 * (3 + 1) + guides + 1, width, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.tail = nn.Conv2d(width, 4 * outputs, 3, padding=1)

    @torch.no_grad()
    def start_as_copy(self, guided: bool) -> None:
        """Begin training as a copy of the picture, or of the guide: ELU keeps what is not negative (ours).

        What the copy does not use keeps its random start.

        Raises:
            BokehbenchError: fewer channels than the copy takes.
        """
        copied = 3 if guided else 12
        first = 16 if guided else 0
        if len(self.head.weight) < copied:
            raise BokehbenchError(
                f"A copy takes {copied} channels of {len(self.head.weight)}: give more, or start random."
            )
        for channel in range(copied):
            _pick(self.head, channel, first + channel)
        for block in self.blocks.modules():
            if isinstance(block, Block):
                for parameter in block.second.parameters():
                    parameter.zero_()
        for output in range(12):  # three colours of four pixels
            _pick(self.tail, output, output // 4 if guided else output)

    def forward(self, image: Tensor, defocus: Tensor, gamma: Tensor, guide: Tensor | None = None) -> Tensor:
        """Linear outputs at the picture's size, B ``outputs`` H W.

        Args:
            image: B 3 H W.
            defocus: B 1 H W, signed, 1 = 10 px, > 0 in front of the focal plane.
            gamma: B, (gamma - 1) / 4.
            guide: B C h w of any size.
        """
        size = (image.shape[-2], image.shape[-1])
        even = (max(size[0] // 2 * 2, 2), max(size[1] // 2 * 2, 2))
        half = (even[0] // 2, even[1] // 2)
        image, defocus = resized(image, even), resized(defocus, even)
        plane = gamma.to(image).view(-1, 1, 1, 1)

        def rows(start: int, stop: int) -> Tensor:
            at = (..., slice(2 * start, 2 * stop), slice(None))
            planes = [F.pixel_unshuffle(torch.cat((image[at], defocus[at]), 1), 2)]
            if guide is not None:
                # Without aligned corners here, and here alone, as in the released code
                planes.append(UNALIGNED.resize_rows(guide, half, start, stop))
            planes.append(plane.expand(len(image), 1, stop - start, half[1]))
            return F.pixel_shuffle(self.tail(self.blocks(elu(self.head(torch.cat(planes, 1))))), 2)

        return resized(in_strips(rows, half, self.halo) if wants_strips(self, size) else rows(0, half[0]), size)

    @property
    def halo(self) -> int:
        """Rows of half the size beyond its own that one row sees."""
        return 2 + 2 * len(self.blocks)


def _pick(layer: nn.Conv2d, output: int, channel: int) -> None:
    """Let one output be one input channel."""
    layer.weight[output] = 0
    layer.weight[output, channel, 1, 1] = 1
    assert layer.bias is not None
    layer.bias[output] = 0
