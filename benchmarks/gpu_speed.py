"""Milliseconds of training steps and of renders: eager, channels-last and compiled, for ``gpu.py``."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from gpu_same import tiny
from gpu_units import Line
from torch import Tensor

from bokehbench.losses import total
from bokehbench.machine import peak_memory
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.stages import Stage

WAYS = ("eager", "channels-last", "compile")
#: As the command trains: TF32 where the GPU has it, or bf16 autocast.
PRECISIONS = ("tf32", "bf16")
#: At least so many runs are timed, at most so many, and no further one after so many seconds (small: at once).
LEAST, MOST, SECONDS = 3, 20, 3.0


def units(method: str, sizes: Iterable[int], ways: Iterable[str], small: bool, device: torch.device) -> dict[str, Any]:
    """Renders of each size, then steps of each stage; all of one way before the next, since compiling takes long."""
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    make, seconds = partial(made, method, small), 0.0 if small else SECONDS
    named: dict[str, Callable[[], Line]] = {}
    for way in ways:
        for precision in PRECISIONS:
            for size in sizes:
                unit = partial(render, make, size, way, precision, device, seconds)
                named[f"{method}, render {size} px, {way}, {precision}"] = unit
            for stage in make().stages:
                unit = partial(step, make, stage.name, way, precision, device, seconds)
                named[f"{method}, step of {stage.name}, {way}, {precision}"] = unit
    return named


def made(method: str, small: bool) -> BokehModel:
    """With random weights, of the published size or small."""
    torch.manual_seed(0)
    return tiny(method) if small else MODELS[method]()


def ready(make: Callable[[], BokehModel], way: str, device: torch.device) -> BokehModel:
    """On the device; ``compile`` compiles each part of the network for the sizes that it sees."""
    model = make().to(device)
    if way == "channels-last":
        model.to(memory_format=torch.channels_last)
    if way == "compile":
        torch._dynamo.reset()  # what earlier sizes left counts against a limit
        for network in model.children():
            for part in network.children():
                for module in (part, *part.children()):  # those too, of parts that are not called as a whole
                    module.compile(dynamic=False)
    return model


def picture(count: int, channels: int, height: int, width: int, way: str, device: torch.device) -> Tensor:
    """Random numbers in [0, 1]."""
    values = torch.rand(count, channels, height, width, device=device)
    return values.contiguous(memory_format=torch.channels_last) if way == "channels-last" else values


def render(
    make: Callable[[], BokehModel], size: int, way: str, precision: str, device: torch.device, seconds: float
) -> Line:
    """A 4:3 photo with a long side of ``size`` px, a given map, and the default focus and aperture."""
    model = ready(make, way, device).eval()
    image, disparity = (picture(1, channels, size * 3 // 4, size, way, device) for channels in (3, 1))
    own = {} if model.uses.disparity == "own" else {"disparity": disparity}

    def act() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            model.render(image, **own)

    return {"what": f"render {size} px", "way": way, "precision": precision, **timed(act, device, seconds)}


def step(
    make: Callable[[], BokehModel], name: str, way: str, precision: str, device: torch.device, seconds: float
) -> Line:
    """Forward, backward and Adam, with the batch of the stage's recipe, random and already there."""
    model = ready(make, way, device)
    stage: Stage = next(each for each in model.stages if each.name == name)
    model.begin_stage(stage)
    model.train()
    optimiser = model.configure_optimizers()["optimizer"]
    count, height, width = stage.recipe.batch_size, stage.recipe.height, stage.recipe.width
    pictures = {"image": 3, "bokeh": 3, "disparity": 1, "mask": 1}
    batch: Any = {key: picture(count, each, height, width, way, device) for key, each in pictures.items()}
    batch |= {"focus": torch.full((count,), 0.5, device=device), "aperture": torch.full((count,), 16.0, device=device)}
    batch["name"] = [str(number) for number in range(count)]

    def act() -> None:
        optimiser.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            loss = total(model.losses(stage, batch))
        loss.backward()
        optimiser.step()

    what = f"step of {name}, {count} x {width} px"
    return {"what": what, "way": way, "precision": precision, **timed(act, device, seconds, count)}


def timed(act: Callable[[], None], device: torch.device, seconds: float, pictures: int = 1) -> Line:
    """Median of the runs of about ``seconds``, after two that warm up: wall-clock time until the device is done."""

    def once() -> float:
        start = time.perf_counter()
        act()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - start

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    first, times = once(), []
    once()
    end = time.perf_counter() + seconds
    while len(times) < LEAST or (len(times) < MOST and time.perf_counter() < end):
        times.append(once())
    median = statistics.median(times)
    return {
        "first_s": first, "median_ms": median * 1e3, "pictures_per_s": pictures / median, "runs": len(times),
        "peak_mib": (peak_memory(device) or 0) / 2**20,
    }  # fmt: skip
