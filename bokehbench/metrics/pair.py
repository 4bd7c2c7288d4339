"""What every metric asks of its two pictures."""

from collections.abc import Sequence

from bokehbench.errors import BokehbenchError
from bokehbench.lazy import Tensor, torch


class TooSmallError(BokehbenchError):
    """A picture has fewer pixels than a metric's window; ``needs`` says what would do."""

    def __init__(self, size: Sequence[int], needs: str) -> None:
        super().__init__(f"pictures of {size[1]} x {size[0]} pixels are too small: {needs}.")
        self.needs = needs


def check_pair(prediction: Tensor, target: Tensor, smallest: int = 1) -> tuple[Tensor, Tensor]:
    """Both pictures as floats of at least 32 bits, after a check that they can be compared.

    Args:
        prediction, target: B C H W, floating point, nominally in [0, 1].
        smallest: least height and width that the metric can work with, in pixels.

    Raises:
        BokehbenchError: other rank or type, different shapes, or (outside of training) NaN or infinity.
        TooSmallError: it says so too.
    """
    for name, picture in (("prediction", prediction), ("target", target)):
        if picture.ndim != 4:
            raise BokehbenchError(f"the {name} has shape {tuple(picture.shape)}: metrics want B C H W.")
        if not picture.is_floating_point():
            raise BokehbenchError(f"the {name} is {picture.dtype}: pass floats in [0, 1] (divide 8-bit values by 255).")
    if prediction.shape != target.shape:
        raise BokehbenchError(
            f"the prediction has shape {tuple(prediction.shape)} and the target {tuple(target.shape)}: "
            "metrics compare pictures of the same size, so resize or crop one of them first."
        )
    if min(prediction.shape[-2:]) < smallest:
        raise TooSmallError(prediction.shape[-2:], f"this metric needs {smallest} on each side")
    wide = torch.promote_types(torch.promote_types(prediction.dtype, target.dtype), torch.float32)
    # A loss must not wait for the accelerator, so only scoring looks at the values.
    if not (prediction.requires_grad or target.requires_grad):
        for name, picture in (("prediction", prediction), ("target", target)):
            if not bool(picture.detach().sum(dtype=wide).isfinite()):
                raise BokehbenchError(f"the {name} holds NaN or infinite values: it cannot be scored.")
    return prediction.to(wide), target.to(wide)
