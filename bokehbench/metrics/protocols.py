"""How a paper scored its pictures, as named objects. Starts without torch.

On the same 294 outputs PSNR moves between 22.9 and 26.4 dB and SSIM between 0.855 and 0.899 with these choices alone.
Sources: the evaluation code that each paper published, read line by line (docs/metrics/protocols.md).
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from bokehbench.errors import BokehbenchError, nearest

DEFAULT = "bokehbench"


@dataclass(frozen=True)
class SSIMKind:
    """One SSIM column.

    Attributes:
        name: the column's name.
        window: 7 x 7 box, 11 x 11 Gaussian, or the 11 x 11 x 11 Gaussian that also runs over the channels.
        covariance: divisor n - 1 (sample) or n (population).
        downsample: average-pool by round(min(H, W) / 256) first, piq's default.
    """

    name: str
    window: Literal["uniform", "gaussian", "gaussian-3d"]
    covariance: Literal["sample", "population"]
    downsample: bool = False


UNIFORM = SSIMKind("ssim", "uniform", "sample")
GAUSSIAN = SSIMKind("ssim", "gaussian", "population")


@dataclass(frozen=True)
class Protocol:
    """One evaluator. Steps run in the order of the attributes from ``rounding`` to ``pad_back``.

    Attributes:
        name: what ``--protocol`` takes.
        summary: one line for tables.
        ssim: the SSIM columns.
        ms_ssim: whether there is an MS-SSIM column.
        lpips: LPIPS backbone, or None where the evaluator has none.
        rounding: of both pictures: to the nearest of 256 levels, down to it, or clipped to [0, 1] only.
        stretch_target: stretch the target's minimum..maximum to 0..255, as SciPy's imresize did to float arrays.
        size: resize both to (height, width) first, Lanczos on 8 bits.
        centre_crop: keep at most (height, width) around the centre.
        multiple: crop (height, width) down to a multiple of this.
        multiple_at: what that crop keeps: the ``"centre"`` or the top left ``"corner"``.
        border: pixels cut from each side.
        pad_back: zeros around both pictures up to the size before ``centre_crop``.
        colour: RGB, or the Y channel of limited-range BT.601 YCbCr.
        peak: PSNR's peak: 1, the prediction's own maximum, or BasicSR's guess (1/255 for a picture that is almost
            black, because its code takes such 8-bit pictures for floats).
        averaging: of PSNR over the set: mean of the images' values, or of their squared errors.
    """

    name: str
    summary: str
    ssim: tuple[SSIMKind, ...]
    ms_ssim: bool = False
    lpips: Literal["alex", "vgg", "squeeze"] | None = None
    rounding: Literal["nearest", "down", "none"] = "nearest"
    stretch_target: bool = False
    size: tuple[int, int] | None = None
    centre_crop: tuple[int, int] | None = None
    multiple: tuple[int, int] = (1, 1)
    multiple_at: Literal["centre", "corner"] = "centre"
    border: int = 0
    pad_back: bool = False
    colour: Literal["rgb", "y"] = "rgb"
    peak: Literal["one", "prediction", "guessed"] = "one"
    averaging: Literal["per-image", "pooled"] = "per-image"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the scores, in the order of a table: ``psnr``, the SSIM columns, ``ms_ssim``, ``lpips``."""
        extra = (("ms_ssim", self.ms_ssim), ("lpips", self.lpips))
        return ("psnr", *(kind.name for kind in self.ssim), *(name for name, wanted in extra if wanted))

    @property
    def geometry(self) -> tuple[object, ...]:
        """What decides how two pictures look before they are compared, metrics apart."""
        return (
            self.rounding, self.stretch_target, self.size, self.centre_crop, self.multiple, self.multiple_at,
            self.border, self.pad_back, self.colour,
        )  # fmt: skip

    def describe(self) -> dict[str, Any]:
        """Every choice as plain values, for the identity of a stored result."""
        return asdict(self)


_EBOKEHNET = Protocol(
    "ebokehnet", "EBokehNet: floats, centre crop 1024 x 1440, piq's down-sampling SSIM",
    ssim=(replace(GAUSSIAN, downsample=True),), lpips="alex", rounding="none", centre_crop=(1024, 1440),
)  # fmt: skip
_ALL = (
    Protocol(
        DEFAULT, "8-bit RGB, native size, no crop, mean of per-image values, both SSIM windows",
        ssim=(UNIFORM, replace(GAUSSIAN, name="ssim_gaussian")), lpips="alex",
    ),
    Protocol("dmshn", "DMSHN and MPFNet: 8-bit files, scikit-image defaults", ssim=(UNIFORM,), lpips="alex"),
    Protocol(
        "pynet", "PyNET: contrast-stretched targets, width to x64, 32-pixel border cut, tf.image",
        ssim=(GAUSSIAN,), ms_ssim=True, rounding="none", stretch_target=True, multiple=(1, 64), multiple_at="corner",
        border=32,
    ),
    _EBOKEHNET,
    replace(
        _EBOKEHNET, name="ebokehnet-script", pad_back=True,
        summary="EBokehNet's published script to the letter: zeros put back around both crops count as right",
    ),
    Protocol(
        "bokehlicious", "Bokehlicious: floats, sides cropped to x4, torchmetrics",
        ssim=(GAUSSIAN,), lpips="alex", rounding="none", multiple=(4, 4),
    ),
    Protocol(
        "ntire23", "NTIRE 2023: 8 bits by truncation, PSNR peak = the output's maximum, scikit-image SSIM",
        ssim=(UNIFORM,), lpips="alex", rounding="down", peak="prediction",
    ),
    Protocol(
        "basicsr", "BoVAR: both at 1536 x 1024, PSNR peak guessed, SSIM window over the channels too",
        ssim=(replace(GAUSSIAN, window="gaussian-3d"),), size=(1024, 1536), peak="guessed",
    ),
    Protocol("bokehme", "BokehMe on BLB: clipped floats, Gaussian SSIM", ssim=(GAUSSIAN,), rounding="none"),
    Protocol(
        "pooled", "a trap, not a paper: squared error averaged over the set first",
        ssim=(GAUSSIAN,), averaging="pooled",
    ),
    Protocol("y-channel", "a trap, not a paper: luma only, as in super-resolution", ssim=(UNIFORM,), colour="y"),
)  # fmt: skip

#: Every protocol by name; the first is ours and the default.
PROTOCOLS = {protocol.name: protocol for protocol in _ALL}


def find_protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        BokehbenchError: there is none; the nearest name is in the message.
    """
    if name not in PROTOCOLS:
        raise BokehbenchError(f"there is no protocol '{name}': {nearest(name, PROTOCOLS)}.")
    return PROTOCOLS[name]
