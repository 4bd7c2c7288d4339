"""The file that describes a method which is a command; docs/external_methods.md says what each key means."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jsonargparse import ArgumentError, ArgumentParser
from jsonargparse.typing import PositiveFloat

from bokehbench import experiments
from bokehbench.errors import BokehbenchError, check_options, nearest

#: ``{NAME}``; ``${NAME}`` is a variable of the environment.
_PLACE = re.compile(r"(?<!\$){(\w+)}")
#: How a command is told what is in focus -> the placeholders of that.
FOCUS = {"disparity": ("focus",), "point": ("x", "y"), "mask": ("mask",), "none": ()}


@dataclass(frozen=True)
class MapForm:
    """The map that a command reads; of ``depth``, whose dark values are near, ``range`` is nearest and farthest."""

    kind: Literal["disparity", "depth", "none"] = "disparity"
    near: Literal["bright", "dark"] = "bright"
    format: Literal["png8", "png16", "npy", "pfm"] = "png16"
    range: tuple[float, float] = (0.0, 1.0)
    stretch: bool = False


@dataclass(frozen=True)
class Description:
    """A method of somebody else; ``source`` is the file, ``sha256`` the hash of what it says."""

    title: str
    command: list[str]
    paper: str = "not known"
    code: str = ""
    licence: dict[str, str] = field(default_factory=dict)
    training_data: str = ""
    interpreter: str = ""
    folder: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    version: str | list[str] = ""
    calls: Literal["picture", "batch"] = "picture"
    seconds: PositiveFloat = 600.0
    focus: Literal["disparity", "point", "mask", "none"] = "disparity"
    strength: Literal["radius", "K", "f_number", "none"] = "radius"
    factor: PositiveFloat | None = None
    map: MapForm = MapForm()
    image: Literal["png", "npy"] = "png"
    output: str = "{outputs}/{name}.png"
    source: Path = Path()
    sha256: str = ""

    def filled(self, text: str, values: Mapping[str, str] | None = None) -> str:
        """``text`` with the variables of the environment, and ``values`` for its placeholders."""
        found = os.path.expandvars(os.path.expanduser(text))
        if lost := re.search(r"\${(\w+)}", found):
            raise BokehbenchError(f"{self.source} needs the variable {lost[1]}: set it in the environment.")
        return _PLACE.sub(lambda place: values[place[1]], found) if values else found


def read_description(path: Path) -> Description:
    """Read and check a description, which runs nothing; BokehbenchError where it is not there, or not right."""
    if not path.is_file():
        raise BokehbenchError(f"--model.description '{path}': give the YAML file that describes the command.")
    content = experiments.read(path)
    if not isinstance(content.get("map", {}), dict):
        raise BokehbenchError(f"{path}: 'map' is no mapping: give it kind, file and range.")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Description, skip={"source", "sha256"})
    try:
        said = parser.parse_object(content).as_dict()
    except (ArgumentError, OverflowError) as error:
        raise BokehbenchError(f"{path}: {' '.join(str(error).split())[:400]}") from None
    sha256 = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
    found = Description(**{**said, "map": MapForm(**said["map"])}, source=path.resolve(), sha256=sha256)
    (low, high), depth = found.map.range, found.map.kind == "depth"
    check_options(
        f"{path}: ",
        ("strength", found.strength, found.strength != "f_number" or found.factor is not None,
         "radius or K, or besides it the 'factor' by which radius = factor / N"),
        ("map.range", [low, high], (0 if depth else low - 1) < low < high, "two numbers that rise, of depth above 0"),
    )  # fmt: skip
    names = ["python", "manifest", "outputs"]
    if found.calls == "picture":
        names += ["name", "image", "output", *FOCUS[found.focus]]
        names += [key for key, kind in (("map", found.map.kind), ("strength", found.strength)) if kind != "none"]
    version = [] if isinstance(found.version, str) else found.version
    for words, known in ((found.command, names), (version, ["python"]), ([found.output], ["outputs", "name"])):
        for name in set(_PLACE.findall(" ".join(words))) - set(known):
            raise BokehbenchError(f"{path}: {{{name}}} is not known there; {nearest(name, known)}.")
    return found
