"""Whether a device computes what the CPU does: pictures, losses, gradients and scores of methods, for ``gpu.py``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from gpu_units import Line
from torch import Tensor

from bokehbench.batch import Batch
from bokehbench.data import SyntheticDoF
from bokehbench.data.collate import collate
from bokehbench.losses import total
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from methods import tiny

#: Precision -> largest difference that passes: of pictures, and of the other :data:`KINDS`. TF32 is off. With
#: bf16, a CPU's own largest are 0.004 and, of gradients in an untrained network's coarsest level of 3 px, 0.4.
TOLERANCES = {"fp32": (1e-3, 1e-3), "bf16": (0.02, 0.5)}
#: What is compared -> the least value that a difference is relative to. Of pictures it is absolute, in [0, 1]; of
#: gradients it is that of their norm.
KINDS = {"pictures": torch.inf, "losses": 1e-2, "gradients": 1e-2, "scores": 1e-2}
Found = dict[str, list[Tensor]]


def units(methods: Iterable[str], device: torch.device) -> dict[str, Callable[[], Line]]:
    """One for each method, or those that are named, and precision."""
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    names = list(methods) or sorted(MODELS)
    return {f"{name}, {each}": partial(compare, name, each, device) for name in names for each in TOLERANCES}


def compare(name: str, precision: str, device: torch.device) -> Line:
    """The largest differences of a method with a small network and random weights, on synthetic scenes of 96 px."""
    model, wanted = on_cpu(name)
    there = {key: value.to(device) if isinstance(value, Tensor) else value for key, value in scenes().items()}
    found = results(deepcopy(model).to(device), there, device, precision)
    worst = {kind: largest(wanted[kind], found[kind], least) for kind, least in KINDS.items()}
    of_pictures, of_others = TOLERANCES[precision]
    within = all((each or 0) <= (of_pictures if kind == "pictures" else of_others) for kind, each in worst.items())
    tolerance = f"{of_pictures:g}, {of_others:g}"
    return {"method": name, "precision": precision, **worst, "tolerance": tolerance, "within": within}


@cache
def scenes() -> Batch:
    """Two of them, as a data set gives them."""
    pictures = SyntheticDoF(size=96, aperture=8, disparity_input="corrupted").pictures("test")
    assert pictures is not None
    return collate([pictures[0], pictures[1]])


@cache
def on_cpu(name: str) -> tuple[BokehModel, Found]:
    """The method, and what it computes on the CPU in fp32."""
    torch.manual_seed(0)
    model = tiny(name).eval()
    return model, results(deepcopy(model), scenes(), torch.device("cpu"), "fp32")


def results(model: BokehModel, batch: Any, device: torch.device, precision: str) -> Found:
    """By kind, on the CPU. In evaluation mode, since random numbers of two devices differ."""
    found: Found = {kind: [] for kind in KINDS}

    def autocast() -> torch.autocast:  # a new one each time: it keeps weights as bf16, and a stage may change them
        return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")

    with autocast():
        found["pictures"].append(model.render_batch(batch).image)
        found["scores"] += [] if model.trainable else model.validation_scores(batch).values()
    for stage in model.available if model.trainable else ():
        model.begin_stage(stage)
        model.eval().zero_grad()
        with autocast():
            terms = model.losses(stage, batch)
            found["scores"] += model.validation_scores(batch).values()
        total(terms).backward()
        gradients = [p.grad.float().norm() for p in model.parameters() if p.grad is not None]
        found["gradients"].append(torch.stack(gradients).norm())
        found["losses"] += terms.values()
    return {kind: [value.detach().float().cpu() for value in values] for kind, values in found.items()}


def largest(wanted: list[Tensor], found: list[Tensor], least: float) -> float | None:
    """The largest difference, relative where ``least`` is finite; None where there is nothing to compare.

    NaN or infinity on one side alone is an infinite difference.
    """
    differences = []
    for one, two in zip(wanted, found, strict=True):
        equal = (one == two) | (one.isnan() & two.isnan())
        scale = 1.0 if least == torch.inf else one.abs().clamp(min=least)
        difference = ((one - two).abs() / scale).nan_to_num(torch.inf)
        differences.append(float(difference.masked_fill(equal, 0).max()))
    return max(differences, default=None)
