"""What PyNET is fed and compared with: half-size 8-bit inputs, targets of every level, sizes that fit."""

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.optics.padding import mirror, mirrored

MULTIPLE = 32
"""Half-size sides must divide by this: 2 for space-to-depth times 16 for four poolings."""
FULL_MULTIPLE = 2 * MULTIPLE
"""Full-size sides must divide by this, and be at least twice it."""


def rounded(picture: Tensor) -> Tensor:
    """Clamped to [0, 1] and rounded to k/255, as an 8-bit file holds it."""
    return (picture.clamp(0, 1) * 255).round() / 255


def reduced(picture: Tensor, factor: int) -> Tensor:
    """B C H W (sides divisible by ``factor``) at 1/factor of its size, as PIL resizes 8-bit pictures.

    Antialiased bicubic from 8 bit to 8 bit: within 1 grey level of PIL, mean 0.14. Without antialiasing it would be
    off by up to 25.
    """
    picture = rounded(picture)
    if factor == 1:
        return picture
    size = (picture.shape[-2] // factor, picture.shape[-1] // factor)
    return rounded(F.interpolate(picture, size, mode="bicubic", align_corners=False, antialias=True))


def halved(disparity: Tensor) -> Tensor:
    """B 1 H W (H and W even) at half size: where a map of half size was enlarged bilinearly, that very map.

    The authors' depth maps are saved at half the photo's size and enter the network untouched. Here a map has the
    photo's size, whatever it was stored at, and averaging an enlarged one would blur it (by up to 0.056 on their sample
    maps). Enlarging by 2 loses nothing, so it is undone; what no enlarging made is averaged, 2 x 2. Windows must
    begin at even rows and columns.
    """
    mean = F.avg_pool2d(disparity, 2)
    if min(disparity.shape[-2:]) < 4:
        return mean
    stored = _shrunk(_shrunk(disparity).mT).mT
    enlarged = F.interpolate(stored, scale_factor=2, mode="bilinear", align_corners=False)
    # Without the frame: that of a window was made from pixels outside of it
    away = (enlarged - disparity)[..., 1:-1, 1:-1].abs().amax((1, 2, 3), keepdim=True)
    return torch.where(away < 1e-5, stored, mean)


def _shrunk(lines: Tensor) -> Tensor:
    """Undo bilinear enlarging by 2 along the last axis (at least 4 long).

    Enlarging makes y[2i] = x[i-1]/4 + 3 x[i]/4 and y[2i+1] = 3 x[i]/4 + x[i+1]/4, so
    x[i] = (3 y[2i] - y[2i-1]) / 2 = (3 y[2i+1] - y[2i+2]) / 2: their mean, and at the ends the one that there is.
    """
    even, odd = lines[..., ::2], lines[..., 1::2]
    left, right = (3 * even[..., 1:] - odd[..., :-1]) / 2, (3 * odd[..., :-1] - even[..., 1:]) / 2
    return (torch.cat([right[..., :1], left], -1) + torch.cat([right, left[..., -1:]], -1)) / 2


def network_input(image: Tensor, disparity: Tensor | None) -> Tensor:
    """What the network sees of a full-size picture.

    Args:
        image: B 3 H W in [0, 1], H and W even.
        disparity: B 1 H W in [0, 1], 1 = nearest, or None for a network without depth input.

    Returns:
        B 4 H/2 W/2 (3 channels without disparity): RGB by :func:`reduced`, disparity by :func:`halved`.
    """
    half = reduced(image, 2)
    return half if disparity is None else torch.cat([half, halved(disparity)], 1)


def fitted(picture: Tensor) -> Tensor:
    """B C H W with sides that are multiples of 64 and at least 128: the middle of it, mirrored out where too small.

    Crops rather than pads, so that scores count no made-up pixels: at most 63 rows or columns are lost (the authors
    cut as many off the right side). Cuts lie between the pixel pairs that :func:`halved` undoes.
    """
    for axis in (-2, -1):
        size = picture.shape[axis]
        wanted = max(2, size // FULL_MULTIPLE) * FULL_MULTIPLE
        if wanted <= size:
            picture = picture.narrow(axis, (size - wanted) // 4 * 2, wanted)
        else:
            picture = picture.index_select(axis, mirrored(size, (wanted - size) // 2, wanted, picture.device))
    return picture


def even(picture: Tensor) -> Tensor:
    """B C H W with the last row or column repeated where H or W is odd."""
    for axis in (-2, -1):
        side = picture.shape[axis]
        if torch.compiler.is_exporting() or side % 2:
            at = torch.arange((side + 1) // 2 * 2, device=picture.device)
            picture = picture.index_select(axis, at.clamp(max=side - 1))
    return picture


def pad(x: Tensor, margin: int = 0) -> tuple[Tensor, tuple[int, int]]:
    """Mirror a batch of any size B C H W out to multiples of 32, at least 64; differentiable.

    Half of the padding goes to each side, in whole pixel pairs so that space-to-depth keeps its phase.

    The network's own zero padding spoils what lies at the frame. Measured on its outer 16 output pixels: 21.8 dB for a
    fitting size as it is, 25.0 to 25.4 dB mirrored by 14 pixels or more on all sides (docs/models/pynet.md).

    Args:
        x: the batch.
        margin: pixels (even) to add on every side at least; 0 leaves a fitting size as it is, as the authors do; 16
            takes the network's border effect out of the picture for about a tenth more work.

    Returns:
        The padded batch, and (top, left): how many rows and columns were put before the picture.
    """
    # Instance norm needs more than one value at level 7, hence at least two of its pixels a side.
    height, width = (max(2, -(-(side + 2 * margin) // MULTIPLE)) * MULTIPLE for side in x.shape[-2:])
    if (height, width) == tuple(x.shape[-2:]):
        return x, (0, 0)
    top, left = ((total - side) // 4 * 2 for total, side in zip((height, width), x.shape[-2:], strict=True))
    return mirror(x, top, left, height, width), (top, left)


def crop(output: Tensor, offset: tuple[int, int], size: tuple[int, int], scale: int = 2) -> Tensor:
    """Cut the picture out of the output of a padded input.

    Args:
        output: B 3 scale*H' scale*W', level 1's (``scale`` 2) or level 2's (1) output for the padded batch.
        offset: what :func:`pad` returned.
        size: (H, W) of the unpadded input, or of the wanted output divided by ``scale``.
        scale: output pixels per input pixel.

    Returns:
        B 3 scale*H scale*W.
    """
    (top, left), (height, width) = offset, size
    return output[..., scale * top : scale * (top + height), scale * left : scale * (left + width)]
