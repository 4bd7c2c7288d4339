"""Time and arithmetic of one rendering."""

import time
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from bokehbench.batch import Batch
from bokehbench.models.base import BokehModel
from bokehbench.models.rendering import Rendering


class Stopwatch:
    """Times every ``render`` of a model until it is stopped (scoring and reading pictures do not count)."""

    def __init__(self, model: BokehModel) -> None:
        self.model, self._render = model, model.render
        self.seconds: list[float] = []
        model.render = self._timed  # type: ignore[method-assign]

    def stop(self) -> None:
        """Let the model be as it was."""
        del self.model.render  # the class' own is found again

    def _timed(self, *args: Any, **kwargs: Any) -> Rendering:
        start = self._now()
        result = self._render(*args, **kwargs)
        self.seconds.append(self._now() - start)
        return result

    def _now(self) -> float:
        if self.model.device.type == "cuda":
            torch.cuda.synchronize(self.model.device)
        return time.perf_counter()


def count_macs(model: BokehModel, batch: Batch) -> int | None:
    """Multiply-adds of rendering the first picture of ``batch``: convolutions and matrix products, no transforms.

    None where there are none to count, or where the rendering cannot be traced.
    """
    fresh = {key: value[:1].clone() if isinstance(value, Tensor) else value[:1] for key, value in batch.items()}  # type: ignore[index]
    try:
        with torch.inference_mode(False), torch.no_grad(), FlopCounterMode(display=False) as counter:
            model.render_batch(fresh)  # type: ignore[arg-type]
    except Exception:  # the counter does not know every operator; a missing count must not lose the scores
        return None
    return counter.get_total_flops() // 2 or None
