"""Approximate ray tracing through a thin lens into one photo with disparity, as Virtual DSLR (Yang et al. 2016).

"Virtual DSLR: High Quality Dynamic Depth-of-Field Synthesis on Mobile Platforms" (Electronic Imaging 2016) made
DeepLens' training pictures and targets. Its code is not available: this is the idea, not a reproduction. Ours are the
lens samples, the steps, and what becomes of rays that go behind an object. What they would meet there, one photo does
not show: they end at the object, and bring the colour that lies where they crossed its plane, beside it (taking the
object's own colour there made a halo and cost 2.4 dB on exact synthetic scenes; leaving such rays out cost 1.7 dB).
Approximated besides: surfaces are found at the nearest pixel and in finite steps, and few rays make noise, which the
turned samples keep from banding.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.errors import BokehbenchError
from bokehbench.optics.circle_of_confusion import check_map, per_image, signed_defocus
from bokehbench.optics.ray_march import March, Rays, around, landed, undecided
from bokehbench.optics.strips import progress

#: Turn in radians between successive samples of the spiral.
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
#: Fewest steps from near to far, however small the blur.
FEWEST_STEPS = 16
#: Side in px of the blocks in which it is found out where rays can hit.
SIDE = 320
#: Rays x pixels that are marched at once: on a CPU small enough for the cache, on a GPU large enough to fill it.
AT_ONCE, AT_ONCE_ON_GPU = 1 << 16, 1 << 22


def ray_traced(
    image: Tensor,
    disparity: Tensor,
    focus: float | Tensor,
    aperture: float | Tensor,
    *,
    rays: int = 64,
    step: float = 1.0,
    window: tuple[int, int, int, int] | None = None,
) -> Tensor:
    """Average over lens points u of what the ray from output pixel p through u meets first.

    At disparity d that ray passes p + u · aperture · (d - focus). It is marched from the nearest disparity to the
    farthest and hits where the photo's disparity D there is d or nearer; then its colour is read (bilinearly) at
    p + u · aperture · (D - focus). Beyond the frame the photo's border goes on.

    ``image`` B 3 H W, any H and W: averaged as given, convert to linear light before; ``disparity`` B 1 H W,
    1 = nearest; ``focus`` and ``aperture`` (px at a disparity difference of 1): numbers or tensors of shape B; ``rays``
    lens points per pixel, a sunflower on the disk turned by a fixed pattern from pixel to pixel; ``step`` the farthest
    in px that a ray moves across the photo per step of the march; ``window`` (top, left, height, width) the part of the
    photo to make, as it is in the whole. Returns B 3 H W, or that part. Deterministic. Differentiable with respect to
    the image alone. Raises BokehbenchError for rays < 1, a step <= 0, or a map that does not fit.
    """
    if rays < 1:
        raise BokehbenchError(f"Ray tracing needs 1 ray or more per pixel, not {rays}.")
    if not step > 0:
        raise BokehbenchError(f"Ray tracing needs a step > 0 px, not {step}.")
    check_map(disparity, image)
    work = torch.float64 if image.dtype == torch.float64 else torch.float32
    near_far = disparity.detach().to(work).amax((1, 2, 3)), disparity.detach().to(work).amin((1, 2, 3))
    reach = torch.stack([signed_defocus(per_image(d, d), focus, aperture).flatten() for d in near_far], 1)
    top, left, tall, wide = window or (0, 0, *image.shape[-2:])
    points = lens_points(rays, torch.float64).to(image.device, work)
    blocks = [(rows, columns) for rows in _pieces(top, tall) for columns in _pieces(left, wide)]
    result = image.new_empty(len(image), image.shape[1], tall, wide, dtype=work)
    nearest, farthest = (d.tolist() for d in near_far)
    for index, (one, depth, near, far, (first, last)) in enumerate(
        zip(image.to(work), disparity.detach().to(work), nearest, farthest, reach.tolist(), strict=True)
    ):
        count = max(FEWEST_STEPS, math.ceil(abs(first - last) / step)) + 1
        march = March.of((near, first), (far, last), count, depth)
        for rows, columns in progress(blocks):
            at = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
            result[index, :, *at] = _block(one, depth[0], march, points, rows, columns)
    return result.to(image.dtype)


def lens_points(rays: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """``rays`` x 2 points (x, y) that fill the unit disk evenly: Vogel's sunflower, from the centre outwards."""
    index = torch.arange(rays, dtype=torch.float64)
    radius, angle = ((index + 0.5) / rays).sqrt(), index * GOLDEN_ANGLE
    return (radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1)).to(dtype)


def turns(rows: range, columns: range) -> Tensor:
    """By how much, in radians, each of these pixels turns its samples, h w: Jimenez' interleaved gradient noise.

    Neighbours differ the most, so that what a few rays miss is met by those beside them (SIGGRAPH 2014 courses).
    """
    row = torch.arange(rows.start, rows.stop, dtype=torch.float64)[:, None]
    column = torch.arange(columns.start, columns.stop, dtype=torch.float64)
    return 2 * math.pi * (52.9829189 * (0.06711056 * column + 0.00583715 * row).frac()).frac()


def _pieces(first: int, length: int) -> list[range]:
    """``length`` pixels from ``first`` on, :data:`SIDE` at a time."""
    return [range(at, min(at + SIDE, first + length)) for at in range(first, first + length, SIDE)]


def _block(image: Tensor, depth: Tensor, march: March, points: Tensor, rows: range, columns: range) -> Tensor:
    """These pixels of one picture C H W, C h w; ``depth`` H W, ``points`` of the lens rays x 2."""
    size = (len(rows), len(columns))
    first, last = (steps.flatten() for steps in undecided(depth, march, rows, columns))
    row = torch.arange(rows.start, rows.stop, dtype=depth.dtype, device=depth.device)[:, None].expand(size).flatten()
    column = torch.arange(columns.start, columns.stop, dtype=depth.dtype, device=depth.device).repeat(len(rows))
    turn = turns(rows, columns).to(depth).flatten()
    passed, corner = around(depth, march.reach, rows, columns)
    # Pixels that need as many steps are marched together
    counts, order = (last - first).sort()
    pieces = []
    at_once = max(1, (AT_ONCE_ON_GPU if image.is_cuda else AT_ONCE) // len(points))
    for chosen, steps in zip(order.split(at_once), counts.split(at_once), strict=True):
        here, there, turned, start, stop = (t.index_select(0, chosen) for t in (column, row, turn, first, last))
        (x, y), cos, sin = points.T[..., None], turned.cos(), turned.sin()
        rays = Rays(here, there, (x * cos).sub_(y * sin), (x * sin).add_(y * cos))
        pieces.append(_bilinear(image, *landed(passed, corner, march, rays, start, stop, int(steps[-1]))).mean(1))
    return image.new_empty(len(image), len(order)).index_copy(1, order, torch.cat(pieces, 1)).unflatten(1, size)


def _bilinear(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Colour of C H W at ``x`` and ``y`` (rays n, pixels; overwritten), C rays n; the border goes on beyond it."""
    height, width = image.shape[-2:]
    grid = x.new_empty(*x.shape, 2)
    torch.sub(x.mul_(2 / max(width - 1, 1)), 1, out=grid[..., 0])
    torch.sub(y.mul_(2 / max(height - 1, 1)), 1, out=grid[..., 1])
    return F.grid_sample(image[None], grid[None], padding_mode="border", align_corners=True)[0]
