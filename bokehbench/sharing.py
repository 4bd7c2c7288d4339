"""Weights as a folder in the form of the Hugging Face Hub: ``model.safetensors``, ``config.json``, a model card."""

from __future__ import annotations

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelCardData, ModelHubMixin
from torch import Tensor

from bokehbench.board.card import card_text
from bokehbench.checkpoints import CARD, CONFIG, WEIGHTS, fetched, sha256_of, write_tensors
from bokehbench.errors import BokehbenchError
from bokehbench.files import new_folder, write_text
from bokehbench.models.base import BokehModel
from bokehbench.models.load import load_model
from bokehbench.models.weights import state_hash
from bokehbench.registry import class_path


class Weights(
    ModelHubMixin, library_name="bokehbench", pipeline_tag="image-to-image", tags=["bokeh", "depth-of-field"]
):
    """A method's weights, to be saved, pushed and loaded as ``huggingface_hub`` does it.

    Args:
        model: the method; parts that were never trained may be left out (:meth:`BokehModel.to_keep`).
        half: store floating point numbers with 16 bits; they are read as 32.
        licence: of the weights, such as ``cc-by-4.0``; empty: what their record says.

    Raises:
        BokehbenchError: a method that has no weights of its own, or values that 16 bits cannot hold.
    """

    def __init__(self, model: BokehModel, half: bool = False, licence: str = "") -> None:
        if not model.trainable or model.of_command:
            raise BokehbenchError(f"{model.label} has no weights of its own to save.")
        self.model, self.half, self.licence = model.to_keep(), half, licence

    @cached_property
    def state(self) -> dict[str, Tensor]:
        """The tensors as they are stored, on the CPU; none shares its memory with another."""
        found = {name: value.detach().cpu().contiguous().clone() for name, value in self.model.state_dict().items()}
        if not self.half:
            return found
        halved = {name: value.half() if value.is_floating_point() else value for name, value in found.items()}
        if lost := [name for name, value in halved.items() if not value.isfinite().equal(found[name].isfinite())]:
            raise BokehbenchError(f"{lost[0]} has values that half precision cannot hold: save without half.")
        return halved

    @cached_property
    def config(self) -> dict[str, Any]:
        """Content of ``config.json``, as it is read again, without the hash of the file beside it."""
        content: dict[str, Any] = {"hyper_parameters": dict(self.model.hparams)}
        self.model.on_save_checkpoint(content)
        provenance = content["bokehbench"]["provenance"]
        read = {name: value.float() if value.is_floating_point() else value for name, value in self.state.items()}
        told = {
            "method": class_path(type(self.model)),
            "arguments": {k: v for k, v in content["hyper_parameters"].items() if k not in ("stages", "weights")},
            "stages": content["bokehbench"]["stages"],
            "provenance": {**provenance, "licence": self.licence or provenance["licence"]},
            "half": self.half,
            "weights_hash": state_hash(read),
        }
        return dict(json.loads(json.dumps(told, sort_keys=True, default=str)))

    def save_pretrained(self, save_directory: str | Path, **more: Any) -> str | None:
        """As the hub's: write the folder, whole or not at all.

        Raises:
            BokehbenchError: there is something else of that name, or the place cannot be written to.
        """
        place = Path(save_directory)
        strange = {path.name for path in place.iterdir()} - {WEIGHTS, CONFIG, CARD} if place.is_dir() else set()
        if strange or place.is_file():
            held = f"holds {sorted(strange)[0]}" if strange else "is a file"
            raise BokehbenchError(f"{place} {held}, which is no part of a folder of weights: give another name.")
        with new_folder(place) as draft:
            return super().save_pretrained(draft, **more)

    def _save_pretrained(self, save_directory: Path) -> None:
        write_tensors(self.state, save_directory / WEIGHTS)
        told = {**self.config, "sha256": sha256_of(save_directory / WEIGHTS)}
        write_text(save_directory / CONFIG, json.dumps(told, indent=1, sort_keys=True) + "\n")

    @classmethod
    def _from_pretrained(cls, *, model_id: str, revision: str | None, **more: Any) -> Weights:
        options = {key: more[key] for key in ("cache_dir", "force_download", "local_files_only", "token")}
        return cls(load_model(model_id if Path(model_id).is_dir() else fetched(model_id, revision, **options)))

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """The hub's head, and what is known of training and scores; written again whenever weights are saved."""
        licence = self.config["provenance"]["licence"]
        known = re.fullmatch(r"[a-z0-9.+-]+", licence)  # as the hub spells them
        named = {"license": licence} if known else {"license": "other", "license_name": licence}
        head = ModelCardData(**{**self._hub_mixin_info.model_card_data.to_dict(), **(named if licence else {})})
        needs_map = self.model.uses.disparity == "needed"
        text = card_text(self.model.title, self.model.paper, needs_map, self.config)
        return ModelCard(f"---\n{head.to_yaml()}\n---\n\n{text}")
