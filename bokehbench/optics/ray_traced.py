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

#: Turn in radians between successive samples of the spiral.
GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
#: Fewest steps from near to far, however small the blur.
FEWEST_STEPS = 16
#: Rays x pixels that are marched at once: small enough for the cache.
AT_ONCE = 1 << 18


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
    side = max(1, math.isqrt(AT_ONCE // rays))
    pictures = []
    for one, depth, (near, far), (first, last) in zip(
        image.to(work), disparity.detach().to(work), zip(*(d.tolist() for d in near_far), strict=True), reach.tolist(),
        strict=True,
    ):  # fmt: skip
        count = max(FEWEST_STEPS, math.ceil(abs(first - last) / step)) + 1
        shares = [k / (count - 1) for k in range(count)]
        march = [(near + (far - near) * share, first + (last - first) * share) for share in shares]
        strips = [
            torch.cat([_block(one, depth[0], march, rays, rows, columns) for columns in _pieces(left, wide, side)], 2)
            for rows in _pieces(top, tall, side)
        ]
        pictures.append(torch.cat(strips, 1))
    return torch.stack(pictures).to(image.dtype)


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


def _pieces(first: int, length: int, side: int) -> list[range]:
    """``length`` pixels from ``first`` on, ``side`` at a time."""
    return [range(at, min(at + side, first + length)) for at in range(first, first + length, side)]


def _block(
    image: Tensor, depth: Tensor, march: list[tuple[float, float]], rays: int, rows: range, columns: range
) -> Tensor:
    """These pixels of one picture, 3 h w.

    ``depth`` H W; ``march`` the (disparity, aperture · (disparity - focus)) of each step, from near to far.
    """
    x, y = (t.to(depth)[:, None, None] for t in lens_points(rays, torch.float64).T)
    turn = turns(rows, columns).to(depth)
    across, down = x * turn.cos() - y * turn.sin(), x * turn.sin() + y * turn.cos()
    column = torch.arange(columns.start, columns.stop, dtype=depth.dtype, device=depth.device)
    row = torch.arange(rows.start, rows.stop, dtype=depth.dtype, device=depth.device)[:, None]
    (near, first), (far, last) = march[0], march[-1]
    # What the rays can pass, as a map of its own: its indices are small enough for float32, and it fits the cache
    reach = math.ceil(max(abs(first), abs(last))) + 1
    top, left = max(0, rows.start - reach), max(0, columns.start - reach)
    passed = depth[top : rows.stop + reach, left : columns.stop + reach]
    height, width = passed.shape
    flat = passed.flatten()
    met = torch.full_like(across, far)
    # From far to near, so that the nearest hit, which hides the others, is written last
    for at, spread in reversed(_within(march, *(float(d) for d in torch.aminmax(passed)))):
        x = torch.add(column, across, alpha=spread).round_().clamp_(left, left + width - 1)
        y = torch.add(row, down, alpha=spread).round_().clamp_(top, top + height - 1)
        # Rounded in the photo's own coordinates, so that a pixel is the same in every block and window
        seen = flat[x.add_(y, alpha=width).sub_(left + top * width).long()]
        met = torch.where(seen >= at, seen, met)
    slope = (first - last) / (near - far) if near > far else 0.0
    spread_at_hit = last + (met - far) * slope
    return _bilinear(image, column + across * spread_at_hit, row + down * spread_at_hit).mean(1)


def _within(march: list[tuple[float, float]], low: float, high: float) -> list[tuple[float, float]]:
    """The steps that matter where disparity is ``low`` to ``high``: nearer ones hit nothing, and ``low`` stops all.

    One more is kept at the near end, since tensors are compared in float32.
    """
    first = max(0, sum(at > high for at, _ in march) - 1)
    return march[first : sum(at >= low for at, _ in march) + 1]


def _bilinear(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Colour of C H W at ``x`` and ``y`` (rays h W, pixels), C rays h W; the border goes on beyond the frame."""
    height, width = image.shape[-2:]
    grid = torch.stack([x * (2 / max(width - 1, 1)) - 1, y * (2 / max(height - 1, 1)) - 1], -1)
    flat = grid.reshape(1, -1, grid.shape[-2], 2)
    sampled = F.grid_sample(image[None], flat, padding_mode="border", align_corners=True)[0]
    return sampled.reshape(len(image), *x.shape)
