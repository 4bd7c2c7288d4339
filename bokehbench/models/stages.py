"""Stages: one idea for three training recipes.

All three papers train in parts. A method declares an ordered list of stages; the trainer walks them, each with a
fresh optimiser, its own batch size, data and loss. Steps are optimiser steps: no paper of the field counts epochs.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from bokehbench.errors import BokehbenchError, check_options, nearest, within

#: Of all pictures of a step: as floats 3 GiB, twenty times what any paper here trains with.
MOST_PIXELS = 2**28


@dataclass
class StageRecipe:
    """What a user may set for one stage, e.g. ``--model.rendering.steps 500``.

    Args:
        steps: optimiser steps of this stage.
        batch_size: pictures per step and per device.
        learning_rate: Adam's, before decay.
        decay_at: fractions of ``steps`` at which the learning rate is multiplied by ``decay``.
        decay: the factor.
        warmup_steps: linear warm-up from 0.
        weight_decay: L2 on convolution kernels only, never on biases or normalisation.
        clip: largest gradient norm, 0 = no clipping.
        view: what a training picture is: a random ``crop``, the whole frame ``resize``d, or ``native`` (whole frame,
            own size: then pictures of one batch must be equally large).
        height, width: of the crop or of the resized frame, in pixels.
    """

    steps: int
    batch_size: int
    learning_rate: float
    decay_at: list[float] = field(default_factory=lambda: [0.6, 0.85])
    decay: float = 0.1
    warmup_steps: int = 0
    weight_decay: float = 0.0
    clip: float = 0.0
    view: Literal["crop", "resize", "native"] = "crop"
    height: int = 320
    width: int = 320

    def __post_init__(self) -> None:
        check_recipe(self)

    def rate(self, step: int) -> float:
        """Factor on the learning rate at optimiser step ``step`` (0-based) of this stage."""
        warm = min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else 1.0
        return float(warm * self.decay ** sum(step >= fraction * self.steps for fraction in self.decay_at))


def check_recipe(recipe: Any, prefix: str = "StageRecipe: ") -> None:
    """Refuse a recipe, or settings of one, that cannot train; ``prefix`` stands before the setting.

    Raises:
        BokehbenchError: names the setting and its range.
    """
    shares = recipe.decay_at
    right = isinstance(shares, list | tuple) and all(within("", share, 0, 1)[2] for share in shares)
    check_options(
        prefix,
        within("steps", recipe.steps, 1),
        within("batch_size", recipe.batch_size, 1, 4096),
        ("learning_rate", recipe.learning_rate, within("", recipe.learning_rate, 1e-30)[2], "a number above 0"),
        ("decay_at", shares, right, "a list of shares of the steps, 0 to 1 each"),
        ("decay", recipe.decay, within("", recipe.decay, 1e-30, 1)[2], "a factor above 0, 1 at most"),
        within("warmup_steps", recipe.warmup_steps, 0),
        within("weight_decay", recipe.weight_decay, 0),
        within("clip", recipe.clip, 0),
        ("view", recipe.view, recipe.view in ("crop", "resize", "native"), "crop, resize or native"),
    )
    if recipe.view == "native":
        return
    pixels = recipe.batch_size * recipe.height * recipe.width
    few = f"fewer: {pixels:.2g} pixels a step are more than {MOST_PIXELS:.2g}"
    check_options(
        prefix,
        within("height", recipe.height, 1, 16_384, "pixels"),
        within("width", recipe.width, 1, 16_384, "pixels"),
        ("batch_size", recipe.batch_size, pixels <= MOST_PIXELS, few),
    )


@dataclass(frozen=True)
class Stage:
    """One stage as a method declares it: its recipe, and what its validation is judged by.

    Args:
        name: as the user writes it, e.g. ``rendering`` or ``level_7``.
        recipe: the numbers.
        monitor: logged value that picks the stage's best checkpoint.
        mode: whether that value is better when large (``max``) or small (``min``).
        quarter_turns: augment by quarter turns and up-down flips too (PyNET), not by left-right flips alone.
        window_step: crops begin at rows and columns that are multiples of it (2 where pixel pairs must stay pairs).
        needs: the batch keys without which it cannot train; looked for before the first stage starts.
        complete: whether every picture of a batch must have them; if not, the method's losses look for what they use.
        by_default: whether a run walks it that names no stages.
        keys: the batch keys that it uses, so that costly others need not be made; None = all.
    """

    name: str
    recipe: StageRecipe
    monitor: str = "val/psnr"
    mode: Literal["min", "max"] = "max"
    quarter_turns: bool = False
    window_step: int = 1
    keys: tuple[str, ...] | None = None
    needs: tuple[str, ...] = ("image",)
    by_default: bool = True
    complete: bool = True


def select(available: list[Stage], names: list[str] | None) -> list[Stage]:
    """The stages to walk, in the method's order (``names`` None = by default); BokehbenchError for an unknown one."""
    known = [stage.name for stage in available]
    for name in names or []:
        if name not in known:
            raise BokehbenchError(f"--model.stages: there is no stage '{name}'; {nearest(name, known)}.")
    return [stage for stage in available if (stage.by_default if names is None else stage.name in names)]
