"""Where the experiment files are, in a checkout and in an installed package."""

from pathlib import Path
from typing import Any, Literal

import yaml

from bokehbench.errors import BokehbenchError, nearest


def folder() -> Path:
    """``experiments/`` of the checkout, or its copy inside the installed package."""
    package = Path(__file__).parent
    installed = package / "experiments"
    return installed if installed.is_dir() else package.parent / "experiments"


def find(name: str, kind: Literal["configuration file", "suite", "sweep"] = "configuration file") -> Path:
    """A file of ``kind``: a path, or the bare name of one of ours (``deeplens_synthetic``), else BokehbenchError."""
    ours = folder() / {"configuration file": "", "suite": "suites", "sweep": "sweeps"}[kind]
    for candidate in (Path(name), ours / name, ours / f"{name}.yaml"):
        if candidate.is_file():
            return candidate
    names = [path.stem for path in ours.glob("*.yaml")]
    raise BokehbenchError(f"There is no {kind} '{name}'; {nearest(Path(name).stem, names)}.")


def quick(model: str) -> Path:
    """The configuration of a method (name in lower case) where none is named: its own, or that of the baselines."""
    own = folder() / f"{model}_quick.yaml"
    return own if own.is_file() else find("baselines_quick")


def read(path: Path) -> dict[str, Any]:
    """A configuration file as a dict; BokehbenchError where it is not YAML, or not a mapping."""
    try:
        content = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BokehbenchError(f"{path} is not valid YAML: {str(error).splitlines()[0]}.") from error
    if not isinstance(content, dict):
        raise BokehbenchError(f"{path} holds no settings: see experiments/ for examples.")
    return content
