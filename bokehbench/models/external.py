"""A method that is a command of somebody else, described in a file (docs/external_methods.md)."""

from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

from bokehbench.batch import Batch
from bokehbench.errors import BokehbenchError
from bokehbench.external.description import read_description
from bokehbench.external.exchange import render, reported_version
from bokehbench.models.base import BokehModel
from bokehbench.models.rendering import Rendering
from bokehbench.models.uses import Uses
from bokehbench.provenance import Provenance
from bokehbench.registry import class_path


class External(BokehModel):
    """A command; nothing is trained, and nothing of it runs in this process.

    Args:
        description: YAML file that says what the command is, what it reads and what it obeys.
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
        self.title, self.paper, self.version = said.title, said.paper, reported_version(said)  # type: ignore[misc]
        self.label = f"{said.title} (external)"
        # What results store: no path of this machine
        self.save_hyperparameters({"description": {"sha256": said.sha256, "version": self.version}})
        self.provenance = Provenance(
            class_path(type(self)), "", self.architecture_arguments, licence=said.licence.get("weights", ""),
            data={"told": said.training_data} if said.training_data else {}, distribution=said.code or said.title,
            version=self.version,
        )  # fmt: skip
        read = said.map.kind != "none" or said.focus != "none"
        self.uses = Uses(said.focus != "none", said.strength != "none", "needed" if read else "ignored")

    def blur(self, image: Tensor, disparity: Any, focus: Any, aperture: Any) -> Tensor:
        """The command's pictures, B 3 H W in [0, 1]."""
        known = [image.new_zeros(len(image)) if each is None else each for each in (focus, aperture)]
        return render(self.description, image, image[:, :1] if disparity is None else disparity, *known)

    def render_batch(self, batch: Batch) -> Rendering:
        """As the base; a failure names the pictures of the data set."""
        try:
            return super().render_batch(batch)
        except BokehbenchError as error:
            raise BokehbenchError(f"{', '.join(batch['name'])}: {error}") from error
