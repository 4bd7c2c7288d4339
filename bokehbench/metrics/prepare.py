"""Pictures as a protocol's evaluator compares them."""

from bokehbench.errors import BokehbenchError
from bokehbench.lazy import F, Tensor, torch
from bokehbench.metrics.luma import studio_luma
from bokehbench.metrics.pair import TooSmallError, check_pair
from bokehbench.metrics.protocols import Protocol


def prepare(protocol: Protocol, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both pictures as the evaluator would have compared them: rounded, resized, cropped, in its colours.

    Args:
        prediction, target: B 3 H W in [0, 1].

    Raises:
        BokehbenchError: pictures that cannot be compared, or nothing left after the crop.
    """
    pair = check_pair(prediction, target)
    if pair[0].shape[1] != 3:
        raise BokehbenchError(f"protocols score RGB pictures, B 3 H W, not {tuple(prediction.shape)}.")

    def framed(image: Tensor) -> Tensor:
        image = crop(protocol, resize_8bit(image, protocol.size) if protocol.size else image)
        image = pad_centre(image, tuple(target.shape[-2:])) if protocol.pad_back else image
        return studio_luma(image) if protocol.colour == "y" else image

    clipped = protocol.rounding == "none"
    one, two = (each.clamp(0, 1) if clipped else to_8bit(each, protocol.rounding == "down") for each in pair)
    return framed(one), framed(stretch(two) if protocol.stretch_target else two)


def to_8bit(image: Tensor, truncate: bool = False) -> Tensor:
    """Clamp to [0, 1] and round to the nearest multiple of 1/255 (ties to even, as NumPy rounds); NaN stays NaN.

    The default protocol scores what a reader of the saved file would see (protocols.md 3d).

    Args:
        image: any shape, floating point, left as it is.
        truncate: round down instead, as ``(255 * x).astype(uint8)`` does, which darkens by half a level on average.
    """
    levels = image.clamp(0, 1).mul_(255)
    # k/255*255 may fall a rounding error short of k, and a level that is already whole must stay.
    return (levels.add_(1e-3).floor_() if truncate else levels.round_()).div_(255)


def stretch(image: Tensor) -> Tensor:
    """Each image's minimum..maximum (over all channels) to 0..255, rounded: SciPy's old ``bytescale`` on floats."""
    low, high = image.amin((1, 2, 3), keepdim=True), image.amax((1, 2, 3), keepdim=True)
    return to_8bit((image - low) / (high - low).clamp_min(1 / 255))


def resize_8bit(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Pillow's Lanczos resize of 8-bit B 3 H W pictures to (height, width)."""
    if tuple(image.shape[-2:]) == size:
        return image
    import numpy as np
    from PIL import Image

    levels = image.mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    small = [Image.fromarray(one).resize(size[::-1], Image.Resampling.LANCZOS) for one in levels]
    return torch.from_numpy(np.stack([np.asarray(one) for one in small])).permute(0, 3, 1, 2).to(image).div_(255)


def crop(protocol: Protocol, image: Tensor) -> Tensor:
    """The part of B C H W pictures that the protocol scores."""
    if protocol.centre_crop is not None:
        image = _around_centre(image, protocol.centre_crop)
    height, width = ((side // m) * m for side, m in zip(image.shape[-2:], protocol.multiple, strict=True))
    at_centre = protocol.multiple_at == "centre"
    image = _around_centre(image, (height, width)) if at_centre else image[..., :height, :width]
    border = protocol.border
    if min(height, width) <= 2 * border:
        raise TooSmallError(image.shape[-2:], f"protocol '{protocol.name}' leaves nothing of them")
    return image[..., border : height - border, border : width - border]


def _around_centre(image: Tensor, size: tuple[int, int]) -> Tensor:
    height, width = (min(wanted, side) for wanted, side in zip(size, image.shape[-2:], strict=True))
    top, left = (image.shape[-2] - height + 1) // 2, (image.shape[-1] - width + 1) // 2
    return image[..., top : top + height, left : left + width]


def pad_centre(image: Tensor, size: tuple[int, ...]) -> Tensor:
    """Zeros around B C H W pictures up to (height, width)."""
    down, across = size[0] - image.shape[-2], size[1] - image.shape[-1]
    return F.pad(image, (across // 2, across - across // 2, down // 2, down - down // 2))


def peak_of(protocol: Protocol, prediction: Tensor) -> Tensor | float:
    """PSNR's peak for prepared predictions B C H W: one number, or one per image."""
    if protocol.peak == "one":
        return 1.0
    most = prediction.amax((1, 2, 3))
    return most if protocol.peak == "prediction" else torch.where(most <= 1.0001 / 255, most.new_tensor(1 / 255), 1.0)
