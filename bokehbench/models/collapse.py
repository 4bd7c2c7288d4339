"""PyNET's known failure, seen early: an output that has gone flat, saturated or NaN."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bokehbench.models.recorded import Recorded

FLAT = 0.01
"""Standard deviation of an output below which it shows no picture any more (an official fresh level 1: 1.7e-5)."""

SATURATED = 0.07
"""How far beyond [0, 1] a value counts as saturated; 0.58 tanh + 0.5 ends at 0.08 beyond."""


def broken(output: Tensor) -> Tensor:
    """Bool scalar: the output holds NaN or infinity, or more than half of it sits at the ends of tanh.

    No target lies beyond [0, 1], and an output does so by 0.07 only where its logits have exploded: levels 3 to 1 have
    no normalisation, and there the gradient is gone for good.
    """
    output = output.detach().float()
    saturated = ((output < -SATURATED) | (output > 1 + SATURATED)).float().mean() > 0.5
    return ~output.sum().isfinite() | saturated


def collapsed(output: Tensor, target: Tensor) -> Tensor:
    """Bool scalar: the output is :func:`broken`, or flat where the target is not (three times FLAT).

    Args:
        output, target: B 3 H W. Flat is judged within each channel: one colour all over is flat, too.
    """
    with torch.no_grad():
        flat = (deviation(output.detach().float()) < FLAT) & (deviation(target.float()) > 3 * FLAT)
        return broken(output) | flat


def deviation(picture: Tensor) -> Tensor:
    """The largest of the channels' standard deviations over a batch B C H W."""
    return picture.std((0, 2, 3)).amax()


class CollapseGuard(Recorded):
    """Part of a method that shows each training output to :meth:`watch`; stops the run where it has collapsed.

    ``collapse_after`` is the number of steps of a stage before a flat output counts (a fresh network may start flat);
    a broken one always counts.
    """

    collapse_after: int = 0
    _seen: tuple[Callable[[], Tensor], Tensor] | None = None

    def watch(self, output: Tensor, target: Tensor, predict: Callable[[], Tensor]) -> None:
        """Look at the output of one training batch; ``predict`` renders its first picture once more.

        Raises:
            BokehbenchError: it has collapsed; names the stage and the last good checkpoint, which stays.
        """
        self._refuse(output, target)
        self._seen = predict, target[:1]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Look once more: the update after :meth:`watch` may be the one that broke the weights."""
        if self._seen is not None:
            with torch.no_grad():
                self._refuse(self._seen[0](), self._seen[1])
        super().on_save_checkpoint(checkpoint)

    def _refuse(self, output: Tensor, target: Tensor) -> None:
        trainer = self._trainer
        step = 0 if trainer is None else trainer.fit_loop.epoch_loop.batch_idx
        bad = bool(collapsed(output, target) if step >= self.collapse_after else broken(output))
        if trainer is not None:  # all processes stop alike: one that goes on alone would wait for ever
            bad = trainer.strategy.reduce_boolean_decision(bad, all=False)
        if bad:
            raise self.failed("output collapsed (flat, saturated or NaN)")
