"""A photo made ready for refocusing: DeepLens' interactive mode."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Prepared:
    """What of a photo does not depend on focus and aperture: the interactive mode works on this.

    ``size`` is the photo's (height, width); ``pyramid`` holds it, coarsest level first (with official numerics the
    finest is at most 1280 px long); ``disparity`` and ``features`` belong to the coarsest.
    """

    size: tuple[int, int]
    pyramid: list[Tensor]
    disparity: Tensor
    features: Tensor


def same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """Tensors by identity (the cache keeps them alive, so an address is not reused), numbers by value."""
    return all(a is b if isinstance(a, Tensor) else a == b for a, b in zip(one, other, strict=True))
