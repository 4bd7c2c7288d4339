"""What every method is spared: photos, maps and settings are checked before it renders, and what it made after."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from bokehbench.counted import counted
from bokehbench.errors import BokehbenchError
from bokehbench.models.rendering import Rendering

#: How far rounding may carry a value out of its range.
SLACK = 1e-3
#: How far out of [0, 1] a focus may lie that was computed, from another map's scale for instance.
BEYOND = 1.0
#: The largest aperture as a share of the photo's long side: a disk of that radius is as wide as the photo.
LARGEST_SHARE = 0.5


def guarded(kind: type) -> None:
    """Put the checks around the :meth:`prepare` and :meth:`refocus` that a class of methods defines."""
    for name, guard in (("prepare", _prepare), ("refocus", _refocus)):
        if name in vars(kind):
            setattr(kind, name, guard(vars(kind)[name]))


def _prepare(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def checked(self: Any, image: Tensor, disparity: Tensor | None = None, **more: Any) -> Any:
        names = more.get("names")
        check_maps({"photo": image, "disparity map": disparity, "mask": more.get("mask")}, names)
        made = method(self, image, disparity, **more)
        _check_made(self, getattr(made, "disparity", None))
        return made

    return checked


def _refocus(method: Callable[..., Rendering]) -> Callable[..., Rendering]:
    @functools.wraps(method)
    def checked(self: Any, prepared: Any, focus: Any = None, aperture: Any = None, preview: bool = False) -> Rendering:
        image: Tensor = prepared.image
        check_settings(image, focus, aperture)
        made = method(self, prepared, focus, aperture, preview)
        _check_made(self, made.image, made.disparity, made.focus, made.aperture)
        return made

    return checked


def check_maps(maps: Mapping[str, Tensor | None], names: Iterable[str] | None = None) -> None:
    """Refuse pictures with values that are not finite, or outside [0, 1].

    Args:
        maps: what it is -> B C H W; None is passed over.
        names: of the B pictures, for the sentence.

    Raises:
        BokehbenchError: names the picture, and what is wrong with it.
    """
    for what, values in maps.items():
        if values is None:
            continue
        low, high = (float(end) for end in values.aminmax()) if values.numel() else (math.nan, math.nan)
        if not (low >= -SLACK and high <= 1 + SLACK):  # of NaN, too
            whose = f"{', '.join(names)}: the" if names else "The"
            lost = int((~values.isfinite()).sum())
            wrong = f"{counted(lost, 'value')} that are not finite" if lost else f"values from {low:g} to {high:g}"
            wrong = wrong if values.numel() else "no pixels"
            raise BokehbenchError(f"{whose} {what} has {wrong}: give finite numbers in [0, 1].")


def check_settings(image: Tensor, focus: Any, aperture: Any) -> None:
    """Refuse a focus or an aperture that no method can render ``image`` (B 3 H W) with.

    The largest aperture is :data:`LARGEST_SHARE` of the photo's long side.

    Raises:
        BokehbenchError: not finite, out of range, or neither one number nor one per picture.
    """
    height, width = image.shape[-2:]
    if isinstance(focus, tuple):
        if len(focus) != 2 or not all(isinstance(each, Real) and math.isfinite(each) for each in focus):
            raise BokehbenchError(f"focus {focus}: give a point (x, y) in pixels of the photo.")
    else:
        beyond = BEYOND if isinstance(focus, Tensor) else SLACK
        wanted = "a disparity from 0 to 1, or a point (x, y) in pixels"
        _in_range("focus", focus, len(image), (-beyond, 1 + beyond), wanted)
    largest = LARGEST_SHARE * max(height, width)
    wanted = f"a radius of 0 or more, {largest:g} px at most: half the long side of the {width} x {height} photo"
    _in_range("aperture", aperture, len(image), (0.0, largest * (1 + SLACK)), wanted)


def _in_range(what: str, value: Any, count: int, ends: tuple[float, float], wanted: str) -> None:
    if value is None:
        return
    try:
        numbers = torch.as_tensor(value, dtype=torch.float32).reshape(-1)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise BokehbenchError(f"{what} {value!r}: give {wanted}.") from None
    right = (numbers >= ends[0]) & (numbers <= ends[1])
    if len(numbers) not in (1, count) or not bool(right.all()):
        shown = ", ".join(f"{number:g}" for number in numbers[:3].tolist())
        raise BokehbenchError(f"{what} {shown}: give {wanted}.")


def _check_made(model: Any, *made: Tensor | None) -> None:
    """Refuse what a method made with values that are not finite: names the weights where it is their fault."""
    # The ends alone: NaN is one, and isfinite() takes more memory than the picture
    if all(math.isfinite(end) for part in made if part is not None and part.numel() for end in part.aminmax()):
        return
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    bad = [name for name, values in tensors.items() if values.is_floating_point() and not values.isfinite().all()]
    why = "its weights are finite, but too large for this photo: give another checkpoint"
    if bad:
        some = ", ".join(bad[:3]) + " ..." * (len(bad) > 3)
        why = f"its weights hold NaN or infinity ({some}): give another checkpoint, or train again"
    raise BokehbenchError(f"{model.label} made values that are not finite; {why}.")
