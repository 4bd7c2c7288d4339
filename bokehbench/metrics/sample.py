"""What columns are computed from: outputs of B pictures with all that is known about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from bokehbench.batch import Batch, known
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.prepare import peak_of, prepare
from bokehbench.metrics.protocols import DEFAULT, Protocol, find_protocol
from bokehbench.metrics.regions import in_focus_from_disparity, regions
from bokehbench.metrics.ssim_terms import ssim_map
from bokehbench.metrics.ssim_window import window_of

if TYPE_CHECKING:
    from torch import Tensor

Made = TypeVar("Made")


class Sample:
    """Pictures under a protocol; what several columns need is computed once.

    Args:
        output: B 3 H W in [0, 1].
        target: of the same shape; None where there is none.
        protocol: how an evaluator looks at pictures; None = :data:`protocols.DEFAULT`.
        in_focus: B 1 H W, bool or mask in [0, 1]: where the picture should be sharp.
        true_disparity: B 1 H W in [0, 1].
        own_disparity: gives what the method itself takes for the disparity, B 1 H W; called where a column asks for it.

    Raises:
        BokehbenchError: output and target cannot be compared: other sizes, NaN.
    """

    def __init__(
        self,
        output: Tensor,
        target: Tensor | None = None,
        protocol: Protocol | None = None,
        *,
        in_focus: Tensor | None = None,
        true_disparity: Tensor | None = None,
        own_disparity: Callable[[], Tensor] | None = None,
    ) -> None:
        if target is not None:
            output, target = check_pair(output, target)
        self.output, self.target, self.protocol = output, target, protocol or find_protocol(DEFAULT)
        self.in_focus, self.true_disparity, self.own_disparity = in_focus, true_disparity, own_disparity
        self._kept: dict[object, object] = {}

    @classmethod
    def of_batch(
        cls, output: Tensor, batch: Batch, protocol: Protocol | None = None,
        own_disparity: Callable[[], Tensor] | None = None,
    ) -> Sample:  # fmt: skip
        """An output with what its batch says about target, focus and disparity."""
        has = {key for key in batch if key != "name" and bool(known(batch, key).all())}
        true = next((batch[key] for key in ("true_disparity", "disparity") if key in has), None)  # type: ignore[literal-required]
        target, mask = batch["bokeh"] if "bokeh" in has else None, in_focus_of(batch, has)
        return cls(output, target, protocol, in_focus=mask, true_disparity=true, own_disparity=own_disparity)

    def under(self, protocol: Protocol) -> Sample:
        """The same pictures as another evaluator sees them; what was computed is shared."""
        other = object.__new__(Sample)
        other.__dict__.update(self.__dict__, protocol=protocol)
        return other

    def instead(self, output: Tensor) -> Sample:
        """Another output beside the same target: the identity baseline."""
        return Sample(output, self.target, self.protocol, in_focus=self.in_focus, true_disparity=self.true_disparity)

    def kept(self, key: object, make: Callable[[], Made]) -> Made:
        """``make()``, once for each ``key``."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]  # type: ignore[return-value]

    # What columns ask for --------------------------------------------------------------------------------------

    @property
    def pair(self) -> tuple[Tensor, Tensor]:
        """Output and target as the protocol compares them."""
        protocol, target = self.protocol, self._target
        return self.kept(("pair", protocol.geometry), lambda: prepare(protocol, self.output, target))

    @property
    def native(self) -> Sample:
        """As 8-bit files at native size, which columns of no protocol compare."""
        return self.under(find_protocol(DEFAULT))

    @property
    def peak(self) -> Tensor | float:
        """The protocol's largest value, one or B."""
        return peak_of(self.protocol, self.pair[0])

    @property
    def squared_error(self) -> Tensor:
        """B C H W of :attr:`pair`."""
        one, two = self.pair
        return self.kept(("squared error", self.protocol.geometry), lambda: (one - two).square_())

    @property
    def ssim_map(self) -> Tensor:
        """SSIM of every 7 x 7 window inside the pictures of :attr:`pair`."""
        one, two = self.pair
        return self.kept(("SSIM", self.protocol.geometry), lambda: ssim_map(one, two, window_of("uniform")))

    @property
    def regions(self) -> dict[str, Tensor]:
        """The parts of the picture, see :func:`bokehbench.metrics.regions.regions`."""
        assert self.in_focus is not None, "a column that needs what is in focus says so in its needs"
        mask = self.in_focus
        return self.kept("regions", lambda: regions(mask))

    @property
    def _target(self) -> Tensor:
        assert self.target is not None, "a column that needs a target says so in its needs"
        return self.target


def in_focus_of(batch: Batch, has: set[str]) -> Tensor | None:
    """What is in focus, B 1 H W; None where nothing tells. ``has`` names the keys that all items have.

    From exact disparity where there is one (the mask of synthetic scenes is of all objects, in focus or not), else
    from the subject's mask, else from the disparity that the method was given.
    """
    aperture = batch["aperture"] if "aperture" in has else None
    if {"true_disparity", "focus", "aperture"} <= has:
        return in_focus_from_disparity(batch["true_disparity"], batch["focus"], aperture)
    if "mask" in has:
        return batch["mask"]
    if {"disparity", "focus"} <= has:
        return in_focus_from_disparity(batch["disparity"], batch["focus"], aperture)
    return None
