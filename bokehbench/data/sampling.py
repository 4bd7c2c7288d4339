"""Which pictures a training step sees, as a pure function of (seed, plan).

Resuming at any step, and any number of workers, therefore gives the same data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch.utils.data import Sampler

from bokehbench.errors import BokehbenchError


@dataclass(frozen=True)
class View:
    """What one stage wants to see of each picture.

    ``crop``: a random window of height x width pixels; a smaller picture is first enlarged to cover it.
    ``resize``: the whole picture, resized to exactly height x width (the aspect ratio may change).
    ``native``: the whole picture as it is; height and width are ignored.
    ``step``: windows begin at rows and columns that are multiples of it.
    """

    kind: Literal["crop", "resize", "native"]
    height: int = 0
    width: int = 0
    step: int = 1

    def __post_init__(self) -> None:
        if self.kind not in ("crop", "resize", "native"):
            raise BokehbenchError(f"View kind '{self.kind}' is unknown: use crop, resize or native.")
        if self.kind != "native" and (self.height < 1 or self.width < 1):
            raise BokehbenchError(
                f"A {self.kind} of {self.height} x {self.width} pixels is empty: give a height and width of 1 or more."
            )


NATIVE = View("native")


@dataclass(frozen=True)
class TrainingPlan:
    """How one training stage draws its pictures.

    ``batch_size`` counts per rank; ``steps`` is the length of the whole stage, ``first_step`` where to start (resume).
    ``flips``: left-right with probability 1/2. ``quarter_turns``: k * 90 degrees, k uniform in 0..3 (PyNET code;
    0 or 180 degrees only, where the view is not square). ``keys`` names the batch keys that the stage uses, so that
    costly others (a rendered target) need not be made; None = all.
    """

    batch_size: int
    steps: int
    first_step: int = 0
    view: View = NATIVE
    rank: int = 0
    world_size: int = 1
    flips: bool = True
    quarter_turns: bool = False
    keys: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.steps < 0 or self.first_step < 0:
            raise BokehbenchError(
                f"A stage of {self.steps} steps from step {self.first_step} with batches of {self.batch_size} cannot "
                "run: give a batch size of 1 or more, and no negative steps."
            )
        if not 0 <= self.rank < self.world_size:
            raise ValueError(f"rank {self.rank} is not in 0..{self.world_size - 1}")

    def wants(self, key: str) -> bool:
        """Whether the stage uses batch key ``key``."""
        return self.keys is None or key in self.keys


class Draw(NamedTuple):
    """One training sample: ``index`` into the data set, ``number`` unique over the whole stage and all ranks."""

    index: int  # type: ignore[assignment]  # the contract's word, though tuples have a method of this name
    number: int


@lru_cache(maxsize=8)
def _permutation(seed: int, epoch: int, length: int) -> np.ndarray:
    return np.random.default_rng((seed, epoch, length)).permutation(length)


def index_of(seed: int, number: int, length: int) -> int:
    """Index of draw ``number`` in a set of ``length``: each index comes once per pass, in a new order each pass."""
    return int(_permutation(seed, number // length, length)[number % length])


def draw_generator(seed: int, number: int) -> torch.Generator:
    """The random numbers of draw ``number``, independent of every other draw and of torch's global state."""
    state = np.random.SeedSequence((seed, number)).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(state[0]) << 32 | int(state[1]))


class DrawSampler(Sampler[list[Draw]]):
    """Batch sampler of one stage: step s on rank r draws n = (s * world_size + r) * batch_size + j, j < batch_size.

    It yields the batches of steps ``first_step`` to ``steps - 1``, but ``len()`` is ``steps``: Lightning counts the
    batches that were done before a resume.
    """

    def __init__(self, length: int, plan: TrainingPlan, seed: int) -> None:
        if length < 1:
            raise BokehbenchError("The training set is empty: check --data.root and the split.")
        self.length, self.plan, self.seed = length, plan, seed

    def __len__(self) -> int:
        return self.plan.steps

    def __iter__(self) -> Iterator[list[Draw]]:
        plan = self.plan
        for step in range(plan.first_step, plan.steps):
            first = (step * plan.world_size + plan.rank) * plan.batch_size
            yield [Draw(index_of(self.seed, n, self.length), n) for n in range(first, first + plan.batch_size)]
