"""A score that tables show: declared once, in the file of its metric."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bokehbench.errors import BokehbenchError
from bokehbench.lazy import Tensor
from bokehbench.metrics.sample import Sample

#: What a column can need besides the output -> what is said where it lacks.
NEEDS = {
    "target": "no target",
    "input": "no input picture",
    "in_focus": "not known what is in focus",
    "true_disparity": "no true disparity",
    "own_disparity": "no depth network",
    "tried": "strength not matched",
    "control": "of a sweep of apertures: `test --control` measures it",
}


class NotMeasuredError(BokehbenchError):
    """A column has no value for these pictures; the sentence is what tables and results say instead of a number."""


@dataclass(frozen=True)
class Column:
    """One score of a picture.

    A file of ``bokehbench.metrics`` lists its columns as ``COLUMNS``; another package offers one, or several, by an
    entry point of the group ``bokehbench.columns``. Boards name them; nothing else has to know them.

    Attributes:
        name: as in a result's ``per_image``; letters, digits and underscores.
        label: heading.
        compute: a :class:`Sample` of B pictures -> values of shape B, NaN where a picture has none. Raises
            :class:`NotMeasuredError` where no picture can have one.
        about: one line of explanation.
        better: direction; ``"zero"`` and ``"one"`` = the nearer to that number the better.
        decimals: shown.
        tolerance: values this near are the same measurement; None = half a unit of the last decimal.
        reproduced: a published value this near to ours counts as reproduced (half a unit of its last digit is added).
        needs: keys of :data:`NEEDS`; :class:`Measurement` looks for them.
        published: what papers call it; empty where none has it.
        may_lack: whether a method may have no value at all: a board that ranks by it lists such a one without a rank.
        median: whether boards show the median of the pictures, without an interval, instead of the mean.
    """

    name: str
    label: str
    compute: Callable[[Sample], Tensor]
    about: str = ""
    better: Literal["higher", "lower", "zero", "one"] = "higher"
    decimals: int = 4
    tolerance: float | None = None
    reproduced: float = 0.002
    needs: tuple[str, ...] = ("target",)
    published: str = ""
    may_lack: bool = False
    median: bool = False

    @property
    def ideal(self) -> float | None:
        """The number that is best; None where more or less of it is better without end."""
        return {"zero": 0.0, "one": 1.0}.get(self.better)

    def goodness(self, value: float) -> float:
        """Larger is better; NaN is worst."""
        if math.isnan(value):
            return -math.inf
        return {"higher": value, "lower": -value}.get(self.better, -abs(value - (self.ideal or 0.0)))

    def show(self, value: float, signed: bool = False, decimals: int | None = None) -> str:
        """``value`` with this column's decimals (or others); a missing one is ``n/a``."""
        if math.isnan(value):
            return "n/a"
        digits = self.decimals if decimals is None else decimals
        text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
        return text.replace("-0." + "0" * digits, "0." + "0" * digits)  # no minus zero

    def same(self, one: float, other: float) -> bool:
        """Whether two values are the same measurement; NaN is the same as NaN only."""
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        allowed = 0.5 * 10.0**-self.decimals if self.tolerance is None else self.tolerance
        return one == other or abs(one - other) <= allowed
