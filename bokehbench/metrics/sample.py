"""What columns are computed from: outputs of B pictures with all that is known about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import TypeVar

from bokehbench.lazy import Tensor
from bokehbench.metrics.pair import check_pair
from bokehbench.metrics.prepare import peak_of, prepare
from bokehbench.metrics.protocols import DEFAULT, PROTOCOLS, Protocol

Made = TypeVar("Made")
#: Aperture in pixels, focus and SSIM of each rendering of one picture, first what the method was told.
Tried = Sequence[tuple[float | None, float | None, float]]


@dataclass(eq=False)
class Sample:
    """Pictures under a protocol; what several columns need is computed once (:meth:`kept`).

    Args:
        output: B 3 H W in [0, 1].
        target: of the same shape; None where there is none.
        protocol: how an evaluator looks at pictures.
        input: B 3 H W: the all-in-focus picture.
        in_focus: B 1 H W, bool or mask in [0, 1]: where the picture should be sharp.
        true_disparity: B 1 H W in [0, 1].
        own_disparity: gives what the method itself takes for the disparity, B 1 H W; called where a column asks for it.
        names: of the B pictures, for what is said of them; empty = not known.
        tried: of each picture, where its strength was matched to the target (:mod:`bokehbench.metrics.matched`).
        control: what was measured of the sweep that the output belongs to, by column, or why there is no value.

    Raises:
        BokehbenchError: output and target cannot be compared: other sizes, NaN.
    """

    output: Tensor
    target: Tensor | None = None
    protocol: Protocol = PROTOCOLS[DEFAULT]
    _: KW_ONLY
    input: Tensor | None = None
    in_focus: Tensor | None = None
    true_disparity: Tensor | None = None
    own_disparity: Callable[[], Tensor] | None = None
    names: Sequence[str] = ()
    tried: Sequence[Tried] | None = None
    control: Mapping[str, float | str] | None = None
    _kept: dict[object, object] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if self.target is not None:
            self.output, self.target = check_pair(self.output, self.target)

    def under(self, protocol: Protocol) -> Sample:
        """The same pictures as another evaluator sees them; what was computed is shared."""
        other = copy(self)
        other.protocol = protocol
        return other

    @property
    def native(self) -> Sample:
        """As 8-bit files at native size, which columns of no protocol compare."""
        return self.under(PROTOCOLS[DEFAULT])

    def instead(self, output: Tensor) -> Sample:
        """Another output beside the same target: the identity baseline."""
        return replace(self, output=output, own_disparity=None, tried=None)

    def kept(self, key: str, make: Callable[[], Made]) -> Made:
        """``make()``, once for each ``key`` and way of looking at the pictures."""
        full = key, self.protocol.geometry
        if full not in self._kept:
            self._kept[full] = make()
        return self._kept[full]  # type: ignore[return-value]

    @property
    def pair(self) -> tuple[Tensor, Tensor]:
        """Output and target as the protocol compares them."""
        assert self.target is not None, "a column that needs a target says so in its needs"
        target = self.target
        return self.kept("pair", lambda: prepare(self.protocol, self.output, target))

    @property
    def peak(self) -> Tensor | float:
        """The protocol's largest value, one or B."""
        return peak_of(self.protocol, self.pair[0])
