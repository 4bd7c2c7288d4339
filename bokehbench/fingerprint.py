"""A few numbers by which a scene that is made again is known: is this the target that a score was measured on?"""

from collections.abc import Sequence

from bokehbench.lazy import F, Tensor

#: Cells along each side of the grid.
CELLS = 8
DECIMALS = 5


def fingerprint(target: Tensor) -> tuple[float, ...]:
    """Mean colour of each cell of an 8 x 8 grid.

    Args:
        target: C H W in [0, 1]; H and W are 8 or more.

    Returns:
        C * 64 numbers (192 for RGB), channel by channel and row by row, rounded to 5 decimals.

    Raises:
        ValueError: another number of dimensions, or fewer than 8 pixels along a side.
    """
    if target.ndim != 3 or min(target.shape[-2:]) < CELLS:
        raise ValueError(f"a target of shape {tuple(target.shape)} has no fingerprint: C H W, {CELLS} pixels or more")
    # In double precision, so that the order in which a processor adds up pixels is not seen.
    means = F.adaptive_avg_pool2d(target.double(), CELLS).flatten()
    return tuple(round(mean, DECIMALS) for mean in means.tolist())


def differs(one: Sequence[float], other: Sequence[float], tolerance: float = 1 / 512) -> bool:
    """Whether two fingerprints are of different pictures: some cell's means are further apart than ``tolerance``.

    Scenes are made again on every computer, and another processor or another version of torch may round a pixel in
    its last bits, or let an object's outline fall on the next pixel. In pictures of usual size (320 and more), that
    moves a cell's mean by far less than the tolerance, half a step of 8 bits. Other settings move it by more: half a
    pixel more or less blur by 0.002 to 0.004, encoded instead of linear light by 0.01 to 0.06, another scene by 0.3.
    Fingerprints of different length (RGB and grey) differ.
    """
    return len(one) != len(other) or not all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))
