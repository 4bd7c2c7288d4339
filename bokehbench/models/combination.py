"""Their depth with our renderer, our depth with theirs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bokehbench.batch import Batch
from bokehbench.checkpoints import REPOSITORY
from bokehbench.depth import focus_on_another_map
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.depth_providers import WORDS, CheckpointDepth, open_provider
from bokehbench.models.load import load_model
from bokehbench.models.rendering import Prepared, Rendering
from bokehbench.models.renders import Focus, PerPicture
from bokehbench.models.weights import weights_hash, weights_name
from bokehbench.provenance import UNKNOWN, Origin, Provenance, common_seed


@dataclass(frozen=True)
class Combined(Prepared):
    """As the renderer prepared it: its own ``photo``; ``disparity`` None: the renderer predicted it.

    ``scale`` is B 1 H W, the map that numbers in ``focus`` belong to; None: that which is rendered with.
    """

    photo: Any = None
    scale: Tensor | None = None


class Combination(BokehModel):
    """A depth provider and a renderer; nothing is trained.

    Args:
        depth: ``given`` (the data set's map), ``own`` (the renderer's own depth network), ``checkpoint:PATH`` (that of
            another checkpoint), ``folder:PATH`` or ``folder-depth:PATH`` (maps by file stem, bright = near or far),
            ``transformers:ID`` (a Hugging Face depth network).
        renderer: short name of a method without training, or of one that comes with weights; or a checkpoint, as
            ``--checkpoint`` takes it.

    Raises:
        BokehbenchError: unknown provider or renderer, or a renderer that reads no depth.
    """

    title = "Combination"
    paper = "none: a depth provider and a renderer of others"
    trainable: ClassVar[bool] = False
    stands_alone: ClassVar[bool] = False
    #: No mask: what is in focus is the depth's to say.
    rendered_with = ("disparity", "focus", "aperture")

    def __init__(self, depth: str = "given", renderer: str = "layered") -> None:
        super().__init__()
        self.renderer, renderer_name = open_renderer(renderer)
        self.source, self.provider = depth, open_provider(depth)
        if depth == "own" and self.renderer.uses.disparity != "own":
            raise BokehbenchError(f"--model.depth own: {renderer_name} has no depth network of its own: name another.")
        # Registered, so that device, parameter count and weights' hash are of both
        self.depth_network: nn.Module | None = self.provider.module if self.provider else None
        # What results store: names and hashes in place of the paths that were typed
        depth_name = self.provider.name if self.provider else depth
        self.save_hyperparameters({"depth": depth_name, "renderer": renderer_name})
        self.uses = replace(self.renderer.uses, disparity="needed" if depth == "given" else "own")

    @classmethod
    def put_together(cls, architecture: Mapping[str, Any], find: Callable[[str], Path | None]) -> dict[str, Any]:
        """As the base; BokehbenchError also for maps of a folder or of another library, which no checkpoint holds."""
        depth, renderer = (str(architecture.get(part)) for part in ("depth", "renderer"))
        network = None if depth in WORDS else find(depth)
        if network is None and depth not in WORDS:
            raise BokehbenchError(
                f"Its depth, {depth}, is not of a checkpoint: score the pictures that its test stored, with --outputs."
            )
        if (file := find(renderer)) is None and renderer not in usable_renderers():
            raise BokehbenchError(f"Its renderer, {renderer[:60]}, is neither of a checkpoint nor a method's name.")
        return {"depth": f"checkpoint:{network}" if network else depth, "renderer": str(file or renderer)}

    def first_provenance(self) -> Provenance:
        """Its parts with weights are its origins; their seed, where they have one in common, is its own."""
        origins = []
        if self.renderer.trainable:
            origins.append(Origin("renderer", weights_hash(self.renderer), self.renderer.provenance))
        if isinstance(self.provider, CheckpointDepth):
            origins.append(self.provider.origin)
        elif self.depth_network is not None:
            origins.append(Origin("depth", weights_hash(self.depth_network), Provenance(weights=UNKNOWN)))
        seed = common_seed(origin.provenance for origin in origins)
        return replace(super().first_provenance(), origins=tuple(origins), seed=seed)

    def no_disparity(self, where: str = "") -> BokehbenchError:
        """As the base, naming the option."""
        return BokehbenchError(
            f"--model.depth given: there is no disparity map{where}: give one with --disparity, use a data set that "
            "has it, or name another --model.depth."
        )

    def disparity(self, image: Tensor, names: list[str] | None = None) -> Tensor | None:
        """The depth of this combination, B 1 H W; None where it is the data set's own."""
        if self.provider is not None:
            return self.provider.disparity(image, names)
        return self.renderer.disparity(image, names) if self.source == "own" else None

    @torch.no_grad()
    def prepare(
        self, image: Tensor, disparity: Tensor | None = None, *, scale: Tensor | None = None, **more: Any
    ) -> Combined:
        """As :meth:`BokehModel.prepare`, for the renderer.

        Args:
            image, disparity: as there; ``more``, too.
            scale: B 1 H W in [0, 1], the map that a number in ``focus`` refers to (:func:`focus_on_another_map`); None:
                the one that is rendered with, where a point is always looked up.

        Raises:
            BokehbenchError: no depth for a picture.
        """
        depth = disparity
        if depth is None and self.source == "given":
            raise self.no_disparity()
        if depth is None and self.provider is not None:
            depth = self.provider.disparity(image, more.get("names"))
        photo = self.renderer.prepare(image, depth, **more)
        return Combined(image, depth, disparity is not None, photo=photo, scale=scale)

    @torch.no_grad()
    def refocus(
        self, prepared: Combined, focus: Focus = None, aperture: PerPicture = None, preview: bool = False
    ) -> Rendering:
        """The renderer's, with the focus on the scale of the map that is rendered with."""
        image, seen = prepared.image, prepared.disparity
        if prepared.scale is not None and focus is not None and not isinstance(focus, tuple):
            seen = self.renderer.disparity(image) if seen is None else seen
            if seen is not None:
                focus = focus_on_another_map(seen, prepared.scale, self.per_image(focus, image))
        found = self.renderer.refocus(prepared.photo, focus, aperture, preview)
        source = prepared.source or ("given" if prepared.given else self.hparams["depth"])
        return replace(found, note=f"depth: {source}, renderer: {self.hparams['renderer']}, {found.note}")

    def render_batch(self, batch: Batch) -> Rendering:
        """As the base; stored maps are predicted now where they were not yet: :meth:`render` takes the same time then.

        The cost of other providers is that of :meth:`render`.
        """
        if self.provider is not None and self.provider.stored:
            self.provider.disparity(batch["image"], batch["name"])
        return super().render_batch(batch)

    def given(self, batch: Batch) -> dict[str, Any]:
        """As the base; with another depth the data set's map tells only what its focus lies on."""
        found = super().given(batch)
        if self.source != "given" and "disparity" in found:
            found["scale"] = found.pop("disparity")
        return found

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """With the map that was rendered with, where it is not the data set's."""
        panels = super().panels(batch)
        predicted = self.disparity(batch["image"], batch["name"])
        return panels if predicted is None else {**panels, "depth used (bright = near)": predicted}


def usable_renderers() -> dict[str, type[BokehModel]]:
    """Short name -> method that renders without a checkpoint of one's own."""
    kinds = {name: kind for name, kind in MODELS.loaded().items() if kind.stands_alone}
    return {name: kind for name, kind in kinds.items() if kind.pretrained or not kind.trainable}


def open_renderer(spec: str) -> tuple[BokehModel, str]:
    """A method by its short name, without training or with the weights that come with it, or a checkpoint's.

    Returns:
        It, and its name without a path.

    Raises:
        BokehbenchError: neither, or it reads no depth.
    """
    usable = usable_renderers()
    kind = usable.get(spec.lower())
    if kind is not None and kind.pretrained is None:
        model, name = kind().eval(), spec.lower()
    elif kind is not None or Path(spec).expanduser().exists() or REPOSITORY.fullmatch(spec):
        model = load_model(kind.pretrained if kind and kind.pretrained else spec)
        name = weights_name(model)
    else:
        raise BokehbenchError(
            f"--model.renderer {spec} is neither a checkpoint nor a renderer that needs none (of a method with weights "
            f"of your own give its checkpoint's path); {nearest(spec, usable)}."
        )
    if model.uses.disparity in ("ignored", "optional"):
        raise BokehbenchError(f"--model.renderer {spec}: {type(model).__name__} takes no depth map: give another.")
    return model, name
