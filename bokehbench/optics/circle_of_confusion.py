"""From disparity, focus and aperture to the blur radius."""

import torch
from torch import Tensor

from bokehbench.errors import BokehbenchError


def signed_defocus(disparity: Tensor, focus: float | Tensor, aperture: float | Tensor) -> Tensor:
    """Signed blur radius aperture · (disparity - focus) in pixels, B 1 H W.

    Positive in front of the focal plane, negative behind it. This is the thin lens: the circle of confusion is linear
    in inverse depth (DeepLens, Wang et al. 2018, Sec. 3; delta of BokehMe and MPIB). ``disparity`` B 1 H W with
    1 = nearest; ``focus`` (a disparity) and ``aperture`` (px at a disparity difference of 1) are numbers or tensors of
    shape B (or 0-dim). With all disparities in 1/m, ``aperture`` is K in px·m (:mod:`bokehbench.optics.thin_lens`).
    """
    return per_image(aperture, disparity) * (disparity - per_image(focus, disparity))


def circle_of_confusion(disparity: Tensor, focus: float | Tensor, aperture: float | Tensor) -> Tensor:
    """Blur radius aperture · |disparity - focus| in pixels, >= 0, B 1 H W; arguments as in :func:`signed_defocus`."""
    return signed_defocus(disparity, focus, aperture).abs()


def per_image(value: float | Tensor, like: Tensor) -> Tensor:
    """One number for all, or one per image (shape B): to be combined with B C H W ``like``, of its kind and device."""
    value = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    return value if value.ndim == 0 else value.reshape(-1, 1, 1, 1)


def check_map(plane: Tensor, image: Tensor) -> None:
    """Raise BokehbenchError unless ``plane`` is B 1 H W for an ``image`` B C H W."""
    if plane.shape != (len(image), 1, *image.shape[-2:]):
        raise BokehbenchError(f"A map of {tuple(plane.shape)} does not fit pictures of {tuple(image.shape)}.")
