"""The one contract between data and models.

Data sets make :class:`Batch` objects, methods read them, and neither imports the other.
Disparity is 1 = nearest everywhere: loaders convert (depth polarity is the classic bug of this field).
"""

from typing import TypedDict

from bokehbench.errors import BokehbenchError
from bokehbench.lazy import Tensor, torch

#: Keys that hold pictures, B C H W: what cropping, flipping and resizing must treat alike.
PICTURE_KEYS = ("image", "bokeh", "disparity", "true_disparity", "mask")
CHANNELS = {"image": 3, "bokeh": 3, "disparity": 1, "true_disparity": 1, "mask": 1}


class Batch(TypedDict, total=False):
    """B images of H x W; tensors are float32.

    A value that a data set does not have for *one item* of a batch (saliency images have a mask but no
    disparity) is NaN throughout that item, so that it cannot be used by accident; :func:`known` finds the others.
    A key that no item has is absent.
    """

    image: Tensor
    """B 3 H W, all-in-focus RGB, gamma-encoded sRGB in [0, 1]."""
    bokeh: Tensor
    """B 3 H W, the target, same encoding; absent at predict time."""
    disparity: Tensor
    """B 1 H W, normalised inverse depth in [0, 1], 1 = nearest; what the method is given."""
    true_disparity: Tensor
    """B 1 H W, only where ``disparity`` was corrupted on purpose: the uncorrupted one."""
    focus: Tensor
    """B, the disparity that is in focus."""
    aperture: Tensor
    """B, blur radius in pixels *of this image* at a disparity difference of 1:
    ``radius(p) = aperture * |disparity(p) - focus|``."""
    f_number: Tensor
    """B, the f-number of the target (of the wanted rendering at predict time), e.g. 2.8."""
    mask: Tensor
    """B 1 H W, 1 = in-focus subject or salient foreground."""
    name: list[str]
    """B stable ids: file stems."""


def known(batch: Batch, key: str) -> Tensor:
    """Which items of the batch have ``key``: bool, shape B (all False where the key is absent)."""
    value = batch.get(key)
    if value is None:
        return torch.zeros(len(batch["image"]), dtype=torch.bool, device=batch["image"].device)
    assert isinstance(value, torch.Tensor)
    return ~value.flatten(1).isnan().any(1) if value.ndim > 1 else ~value.isnan()


def f_numbers_of(batch: Batch) -> dict[str, float]:
    """Name -> f-number of the batch's pictures that have one, rounded: 2.2 is 2.2000000477 in 32 bits."""
    values = batch["f_number"].tolist() if "f_number" in batch else ()
    return {name: round(value, 4) for name, value in zip(batch["name"], values, strict=False) if value == value}


def with_holes(batch: Batch) -> str:
    """The first tensor and picture that hold NaN or infinity in a part, in words; empty = none."""
    for key, values in batch.items():
        for name, value in zip(batch.get("name", ()), values if isinstance(values, torch.Tensor) else (), strict=False):
            if value.is_floating_point() and not bool(value.isfinite().all()) and not bool(value.isnan().all()):
                return f"'{key}' of {name}"
    return ""


def require(batch: Batch, keys: tuple[str, ...], who: str) -> None:
    """Raise :class:`BokehbenchError` unless every item of the batch has all ``keys``.

    ``who`` says who asks, e.g. ``"DeepLens, stage 'rendering'"``.
    """
    for key in keys:
        if not bool(known(batch, key).all()):
            names = [n for n, k in zip(batch["name"], known(batch, key).tolist(), strict=True) if not k]
            raise missing(who, key, names)


def missing(who: str, key: str, names: list[str]) -> BokehbenchError:
    """The error for a key that ``who`` needs and the pictures ``names`` lack, with the remedy for that key."""
    option = {"focus": "--data.focus", "aperture": "--data.aperture_at_1024"}.get(key)
    remedy = "use a data set that has it" if option is None else f"set it with {option}"
    some = f"{', '.join(names[:3])}{' ...' if len(names) > 3 else ''}"
    return BokehbenchError(f"{who} needs '{key}', which the data set does not have for {some}: {remedy} (docs/data).")
