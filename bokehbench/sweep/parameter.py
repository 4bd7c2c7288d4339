"""One parameter of a sweep: W&B's distributions, in Optuna's terms."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bokehbench.errors import BokehbenchError, nearest

if TYPE_CHECKING:
    from optuna.trial import Trial

#: W&B's distributions that have a lower and an upper bound; the others draw from infinite or special ranges.
BOUNDED = ("int_uniform", "uniform", "q_uniform", "log_uniform", "log_uniform_values", "q_log_uniform",
           "q_log_uniform_values")  # fmt: skip
KNOWN = ("constant", "categorical", *BOUNDED)
#: Values of one parameter that ``method: grid`` walks at most.
LONGEST_GRID = 10_000
KEYS = ("value", "values", "min", "max", "q", "distribution")


@dataclass(frozen=True)
class Parameter:
    """A name, what it is drawn from, and how a drawn number becomes a value of the command line.

    Args:
        name: of the option, e.g. ``model.rendering.learning_rate``.
        distribution: W&B's name.
        values: of ``categorical`` (several) and ``constant`` (one).
        low, high: bounds of the others, in the value itself (also where W&B's file gives exponents).
        q: rounded to its multiples; None = not rounded.
    """

    name: str
    distribution: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    q: float | None = None

    @property
    def constant(self) -> bool:
        """Whether there is nothing to choose."""
        return self.distribution == "constant"

    def drawn(self, trial: Trial) -> Any:
        """What Optuna draws: of categories their JSON, since it keeps primitives only."""
        if self.distribution == "categorical":
            return trial.suggest_categorical(self.name, [json.dumps(value) for value in self.values])
        if self.distribution == "int_uniform":
            return trial.suggest_int(self.name, int(self.low), int(self.high))
        return trial.suggest_float(self.name, self.low, self.high, log="log" in self.distribution)

    def value(self, drawn: Any) -> Any:
        """The option's value for what Optuna drew."""
        if self.distribution == "categorical":
            return json.loads(drawn)
        if self.q is None:
            return drawn
        rounded = round(drawn / self.q) * self.q
        return int(rounded) if float(self.q).is_integer() else float(f"{rounded:.12g}")

    def grid(self) -> list[Any]:
        """All that Optuna could draw, for ``method: grid``.

        Raises:
            BokehbenchError: there is no end of it.
        """
        if self.distribution == "categorical":
            return [json.dumps(value) for value in self.values]
        step = 1.0 if self.distribution == "int_uniform" else self.q if self.distribution == "q_uniform" else None
        if step and (count := (self.high - self.low) / step) > LONGEST_GRID:
            raise BokehbenchError(f"parameter '{self.name}': a grid of {count:.3g} values has no end: give fewer.")
        if self.distribution == "int_uniform":
            return list(range(int(self.low), int(self.high) + 1))
        if step:
            return [min(self.low + number * step, self.high) for number in range(int(count + 1e-9) + 1)]
        raise BokehbenchError(
            f"parameter '{self.name}': a grid needs 'values', whole numbers, or q_uniform, not {self.distribution}."
        )


def parameter(name: str, content: Any, where: str) -> Parameter:
    """Read one entry of a sweep's ``parameters``.

    Raises:
        BokehbenchError: not one of the distributions that are known here, or bounds that make no sense.
    """
    here = f"{where}: parameter '{name}'"
    if not isinstance(content, Mapping):
        raise BokehbenchError(f"{here} needs 'value', 'values', or 'min' and 'max'.")
    for key in content:
        if key not in KEYS:
            raise BokehbenchError(f"{here}: '{key}' works with `wandb agent` only; {nearest(str(key), KEYS)}.")
    whole = all(isinstance(content.get(bound), int) for bound in ("min", "max"))
    implied = {"value": "constant", "values": "categorical"}  # as W&B takes it where no distribution is named
    known = [kind for key, kind in implied.items() if key in content]
    kind = str(content.get("distribution") or (known or ["int_uniform" if whole else "uniform"])[0])
    if kind not in KNOWN:
        raise BokehbenchError(f"{here}: distribution '{kind}' works with `wandb agent` only; {nearest(kind, KNOWN)}.")
    if kind == "constant" and "value" not in content:
        raise BokehbenchError(f"{here}: a constant needs its 'value'.")
    if kind == "constant":
        return Parameter(name, kind, (content.get("value"),))
    if kind == "categorical":
        values = content.get("values")
        if not isinstance(values, list) or not values:
            raise BokehbenchError(f"{here}: 'values' must be a list of at least one.")
        return Parameter(name, kind, tuple(values))
    try:
        low, high, q = float(content["min"]), float(content["max"]), float(content.get("q", 1.0))
        if kind in ("log_uniform", "q_log_uniform"):  # bounds are exponents of e there
            low, high = math.exp(low), math.exp(high)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BokehbenchError(
            f"{here}: 'min', 'max' and 'q' must be a number each (YAML reads 1e-4 as text: write 1.0e-4)."
        ) from error
    if not -math.inf < low <= high < math.inf or ("log" in kind and low <= 0) or not 0 < q < math.inf:
        raise BokehbenchError(f"{here}: min {low:g}, max {high:g} and q {q:g} do not bound a range of {kind}.")
    return Parameter(name, kind, low=low, high=high, q=q if kind.startswith("q_") else None)
