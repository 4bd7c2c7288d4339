"""Large pictures a strip of rows at a time: same numbers, a fraction of the memory and, where the strips fit the cache
of a CPU, less time."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

#: Pixels of one strip of a network; on CPUs 2**15 to 2**17 were equally fast and 2**18 a third slower.
STRIP_PIXELS = 2**16
#: Strips are at least this many halos high, so that the rows computed twice stay few.
LEAST_HALOS = 6
#: Pixels of one strip of a renderer, whose halo may be hundreds of rows; smaller pictures are rendered at once.
RENDERED_PIXELS = 2**21
#: Seconds before progress is shown.
PATIENCE = 2.0


def in_strips(
    rows: Callable[[int, int], Tensor], size: Sequence[int], halo: int, step: int = 0, each: int = 1
) -> Tensor:
    """Join ``rows(start, stop)``, B C stop-start W, over all H rows of an H x W output, or n times as many of n W each.

    ``rows`` may pad at its own first and last row as it does at the image's border: every strip asks for ``halo`` rows
    more on both sides and drops them, so ``halo`` must be at least the rows beyond its own that one output row sees.
    Strips are ``step`` rows high, 0 = as many as a network takes that works on ``each`` pixels for one of the output.
    """
    height, width = size
    step = step or max(STRIP_PIXELS // (width * each), LEAST_HALOS * halo, 1)
    out: Tensor | None = None
    for top in progress(range(0, height, step)):
        bottom = min(top + step, height)
        start, stop = max(top - halo, 0), min(bottom + halo, height)
        strip = rows(start, stop)
        n = strip.shape[-2] // (stop - start)
        if out is None:
            out = strip.new_empty(*strip.shape[:2], n * height, strip.shape[-1])
        out[..., n * top : n * bottom, :] = strip[..., n * (top - start) : n * (bottom - start), :]
    assert out is not None
    return out


def rendered_in_strips(
    render: Callable[..., Tensor], pictures: Sequence[Tensor], reach: float, others: Iterable[Any] = ()
) -> Tensor:
    """``render(*pictures)``, B C H W: of large pictures and without gradients a strip at a time.

    Args:
        render: makes one pixel of what lies within ``reach`` px of it, and goes on beyond the border of what it gets.
        pictures: B C H W each, of one size.
        reach: in px.
        others: what else gradients may be wanted of.
    """
    height, width = pictures[0].shape[-2:]
    wanted = torch.is_grad_enabled() and any(isinstance(t, Tensor) and t.requires_grad for t in (*pictures, *others))
    if wanted or height * width <= RENDERED_PIXELS or not reach < height:
        return render(*pictures)
    halo = math.ceil(reach) + 1
    step = max(RENDERED_PIXELS // width, 2 * halo)
    return in_strips(lambda *at: render(*(t[..., slice(*at), :] for t in pictures)), (height, width), halo, step)


def progress(parts: Sequence[Any]) -> Iterable[Any]:
    """``parts``, with a bar where they take long, which is gone in the end."""
    return tqdm(parts, desc="rendering", unit="part", delay=PATIENCE, leave=False) if len(parts) > 1 else parts


def wants_strips(module: torch.nn.Module, size: Sequence[int] | None = None) -> bool:
    """Strips need running statistics (eval mode) and save nothing while gradients are recorded.

    ``size``: H x W of a picture that is worked on at once up to :data:`RENDERED_PIXELS`; None = never.
    """
    large = size is None or math.prod(size) > RENDERED_PIXELS
    return large and not module.training and not torch.is_grad_enabled()
