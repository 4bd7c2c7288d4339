"""A method that is a command of somebody else, described in a file (docs/external_methods.md)."""

import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from bokehbench.external.command import run
from bokehbench.external.description import read_description
from bokehbench.external.exchange import render
from bokehbench.models.base import BokehModel
from bokehbench.models.uses import Uses
from bokehbench.provenance import Provenance
from bokehbench.registry import class_path


class External(BokehModel):
    """A command; nothing is trained, and nothing of it runs in this process.

    Args:
        description: YAML file that says what the command is, what it reads and what it obeys.

    Raises:
        BokehbenchError: there is no such file, or it is not right.
    """

    title = "External"
    paper = "none: a command of others"
    trainable: ClassVar[bool] = False
    stands_alone: ClassVar[bool] = False
    of_command: ClassVar[bool] = True
    architecture: ClassVar[tuple[str, ...]] = ("description",)

    def __init__(self, description: str = "") -> None:
        super().__init__()
        said = self.description = read_description(Path(description).expanduser())
        self.title, self.paper = said.title, said.paper  # type: ignore[misc]
        self.save_hyperparameters({"description": said.source.name})
        read = said.map.kind != "none" or said.focus != "none"
        self.uses = Uses(said.focus != "none", said.strength != "none", "needed" if read else "ignored")

    @property
    def label(self) -> str:
        """The title, marked as not ours."""
        return f"{self.title} (external)"

    @cached_property
    def version(self) -> str:
        """What the description says, or the first line that its command prints."""
        said = self.description.version
        if isinstance(said, str):
            return said
        with tempfile.TemporaryDirectory() as work:
            return run(self.description, said, {}, Path(work)).strip().partition("\n")[0]

    @property
    def architecture_arguments(self) -> dict[str, Any]:
        """The hash of what the description says, and the version: no path of this machine."""
        return {"description": {"sha256": self.description.sha256, "version": self.version}}

    def first_provenance(self) -> Provenance:
        """What the description tells of training data, licence and code."""
        said, data = self.description, self.description.training_data
        return Provenance(
            class_path(type(self)), "", self.architecture_arguments, data={"told": data} if data else {},
            licence=said.licence.get("weights", ""), distribution=said.title, version=self.version,
        )  # fmt: skip

    def blur(self, image: Tensor, disparity: Any, focus: Any, aperture: Any) -> Tensor:
        """The command's pictures, B 3 H W in [0, 1]."""
        nothing = image.new_zeros(len(image))
        known = [nothing if each is None else each for each in (focus, aperture)]
        return render(self.description, image, image[:, :1] if disparity is None else disparity, *known)
