"""What is published of a method's network and training, and how the names of other networks tell what they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Published:
    """The configuration that a paper, or its authors' code, has.

    Attributes:
        parameters: of its network, those that rendering needs.
        arguments: of the method's ``architecture``, those that make it -> their values.
        name_parts: of these, the ones whose change makes it a network of another size -> how a name tells them.
        training: how it was trained, setting of a configuration -> value: ``STAGE.FIELD`` of a recipe (``*.FIELD`` =
            of every stage), with the field ``data`` for the stage's data set; ``data.OPTION``; ``precision``; any
            other argument of the method. Only what paper, code or checkpoint tell: what is not known is not there.
    """

    parameters: int
    arguments: Mapping[str, Any]
    name_parts: Mapping[str, str] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    def network(self, architecture: Mapping[str, Any]) -> dict[str, Any]:
        """What tells a network of these arguments from the published one, as results store it.

        Returns:
            ``name`` (what follows the method's; empty for a network of the published size), ``differs`` (argument ->
            its value and the published one), ``published_parameters``.
        """
        differs = {
            key: [architecture[key], value]
            for key, value in self.arguments.items()
            if key in architecture and architecture[key] != value
        }
        parts = [form.format(differs[key][0]) for key, form in self.name_parts.items() if key in differs]
        name = "-".join(part.replace("resnet", "R") for part in parts)
        return {"name": name, "differs": differs, "published_parameters": self.parameters}

    def values(self, setting: str) -> list[Any]:
        """What is published of a setting, as :attr:`training` spells it: its one value; [] where nothing is."""
        known = {**self.training, **self.arguments}
        _, dot, key = setting.partition(".")
        return [known[spelling] for spelling in (setting, f"*{dot}{key}") if spelling in known][:1]
