"""A sweep's file, in the format of ``wandb sweep``."""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bokehbench import experiments
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.models import MODELS
from bokehbench.settings_files import check_shapes
from bokehbench.sweep.parameter import Parameter, parameter

METHODS = ("random", "bayes", "grid")
GOALS = ("minimize", "maximize")
#: Where the sampled options go, as W&B's agent writes them.
ARGS = "${args}"
#: What W&B's file holds of what is read here.
SHAPES: dict[str, Any] = {
    "method": str, "metric": Mapping[str, Any] | None, "command": list[str],
    "parameters": Mapping[str, Mapping[str, Any]],
}  # fmt: skip
#: What comes before ``bokehbench`` in a command and means nothing here.
STARTERS = ("${env}", "/usr/bin/env", "${interpreter}", "python", "python3", "-m")


@dataclass(frozen=True)
class Sweep:
    """What is varied, and what is wanted.

    Args:
        words: of the command after ``bokehbench``, with ``${args}`` among them.
        metric: logged value that decides, its last one.
        parameters: what is drawn, and constants.
        early: whether the file asks for early termination, which W&B's agents do and we do not.
    """

    name: str
    words: tuple[str, ...]
    method: str
    metric: str
    goal: str
    parameters: tuple[Parameter, ...]
    early: bool = False

    @property
    def free(self) -> tuple[Parameter, ...]:
        """The parameters that have a choice."""
        return tuple(each for each in self.parameters if not each.constant)

    @property
    def fingerprint(self) -> str:
        """Eight hex digits that change with what is varied and what is wanted."""
        return hashlib.sha256(repr((self.words, self.metric, self.goal, self.parameters)).encode()).hexdigest()[:8]

    def values(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Option -> value: the constants, and what was drawn."""
        return {
            each.name: each.values[0] if each.constant else each.value(drawn[each.name]) for each in self.parameters
        }

    def command(self, values: Mapping[str, Any]) -> list[str]:
        """The words of one trial after ``bokehbench``, as W&B's agent would give them."""
        given = [f"--{name}={value}" for name, value in values.items()]
        return [part for word in self.words for part in (given if word == ARGS else [word])]

    def points(self) -> Iterator[dict[str, Any]]:
        """All draws of a grid, the last parameter fastest."""
        names = [each.name for each in self.free]
        for point in itertools.product(*(each.grid() for each in self.free)):
            yield dict(zip(names, point, strict=True))


def wandb_file(path: Path) -> dict[str, Any]:
    """What W&B reads: the file, or its ``sweep``; ``model: {values: all}`` stands for all methods that are trained."""
    content = experiments.read(path)
    content = content.get("sweep", content)
    if not isinstance(content, dict):
        raise BokehbenchError(f"{path}: 'sweep' is no mapping: give it method, metric, parameters and command.")
    check_shapes({key: content[key] for key in SHAPES if key in content}, SHAPES, str(path))
    match content:
        case {"parameters": {"model": {"values": "all"} as model}}:
            model["values"] = sorted(name for name, kind in MODELS.loaded().items() if kind.trainable)
    return content


def read_sweep(path: Path) -> Sweep:
    """Read and check a sweep.

    Raises:
        BokehbenchError: not a sweep of ``bokehbench fit``, or something that only W&B itself can run.
    """
    content = wandb_file(path)
    method = content.get("method") or ""
    if method not in METHODS:
        raise BokehbenchError(f"{path}: there is no method '{method}'; {nearest(method, METHODS)}.")
    metric = content.get("metric")
    if not isinstance(metric, Mapping) or "name" not in metric:
        raise BokehbenchError(f"{path} needs a metric: {{name: val/psnr, goal: maximize}}.")
    goal = str(metric.get("goal", "minimize"))
    if goal not in GOALS:
        raise BokehbenchError(f"{path}: there is no goal '{goal}'; {nearest(goal, GOALS)}.")
    asked = content.get("parameters")
    if not isinstance(asked, Mapping) or not asked:
        raise BokehbenchError(f"{path} has no parameters: nothing to sweep.")
    parameters = tuple(parameter(str(name), each, str(path)) for name, each in asked.items())
    sweep = Sweep(
        path.stem, _words(content.get("command"), path), method, str(metric["name"]), goal, parameters,
        "early_terminate" in content,
    )  # fmt: skip
    if not sweep.free:
        raise BokehbenchError(f"{path}: all parameters are constants: nothing to sweep.")
    if method == "grid":
        try:
            next(sweep.points())
        except BokehbenchError as error:
            raise BokehbenchError(f"{path}: {error}") from error
    return sweep


def _words(command: Any, path: Path) -> tuple[str, ...]:
    """The command's words after ``bokehbench``."""
    wanted = f"command: [bokehbench, fit, {json.dumps(ARGS)}]"
    given = command if isinstance(command, list) else []
    words = list(itertools.dropwhile(STARTERS.__contains__, map(str, given)))
    if words[:2] != ["bokehbench", "fit"] or words.count(ARGS) != 1:
        raise BokehbenchError(f"{path} runs no `bokehbench fit`: give it `{wanted}`.")
    return tuple(words[1:])
