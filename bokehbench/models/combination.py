"""Their depth with our renderer, our depth with theirs."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from bokehbench import depth as providers
from bokehbench.batch import Batch
from bokehbench.depth import DepthProvider, focus_on_another_map
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel, Focus, PerPicture
from bokehbench.models.checkpoint_depth import CheckpointDepth
from bokehbench.models.load import load_model
from bokehbench.models.weights import weights_hash
from bokehbench.provenance import UNKNOWN, Origin, Provenance, common_seed

#: Methods that read no depth map: no depth can be combined with them.
WITHOUT_DEPTH = ("d2f", "pynet", "combination")


class Combination(BokehModel):
    """A depth provider and a renderer; nothing is trained.

    Args:
        depth: ``given`` (the data set's map), ``own`` (the renderer's own depth network), ``checkpoint:PATH`` (that of
            another checkpoint), ``folder:PATH`` or ``folder-depth:PATH`` (maps by file stem, bright = near or far),
            ``transformers:ID`` (a Hugging Face depth network).
        renderer: short name of a method without training, or path of a checkpoint.

    Raises:
        BokehbenchError: unknown provider or renderer, or a renderer that reads no depth.
    """

    title = "Combination"
    paper = "none: a depth provider and a renderer of others"
    trainable: ClassVar[bool] = False
    by_itself: ClassVar[bool] = False
    architecture: ClassVar[tuple[str, ...]] = ("depth", "renderer")

    def __init__(self, depth: str = "given", renderer: str = "layered") -> None:
        super().__init__()
        self.renderer, renderer_name = open_renderer(renderer)
        if hasattr(self.renderer, "use_given_disparity"):  # Aperture looks away from a given map by default
            setattr(self.renderer, "use_given_disparity", depth != "own")  # noqa: B010 - not of every method
        self.source, self.provider, self.needs_disparity = depth, open_provider(depth), depth == "given"
        if depth == "own" and not self.renderer.trainable:
            raise BokehbenchError(f"--model.depth own: {renderer_name} has no depth network of its own: name another.")
        # Registered, so that device, parameter count and weights' hash are of both
        self.depth_network: nn.Module | None = self.provider.module if self.provider else None
        # What results store: names and hashes in place of the paths that were typed
        depth_name = self.provider.name if self.provider else depth
        self.save_hyperparameters({"depth": depth_name, "renderer": renderer_name})
        self._used: tuple[Tensor | None, Focus] = (None, None)

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

    def render_batch(self, batch: Batch) -> Tensor:
        """With the names that stored maps are found by."""
        if self.provider is not None and self.provider.stored:
            # Predicted now where it was not yet, so that :meth:`render` takes the same time in every run
            self.provider.disparity(batch["image"], batch["name"])
        return self.render(batch["image"], names=batch["name"], **self.given(batch))

    def render(
        self,
        image: Tensor,
        *,
        disparity: Tensor | None = None,
        focus: Focus = None,
        aperture: PerPicture = None,
        names: list[str] | None = None,
    ) -> Tensor:
        """As :meth:`BokehModel.render`.

        Args:
            image, aperture: as there.
            disparity: the data set's map: what ``given`` renders with, and for the others only what a number in
                ``focus`` refers to (:func:`focus_on_another_map`).
            focus: as there; a point is looked up in the map that is rendered with.
            names: B file stems, for stored maps.

        Raises:
            BokehbenchError: no depth for a picture.
        """
        depth, focus = self.depth_and_focus(image, disparity, focus, names)
        self._used = (depth, focus)
        return self.renderer.render(image, disparity=depth, focus=focus, aperture=aperture)

    def depth_and_focus(
        self, image: Tensor, disparity: Tensor | None, focus: Focus, names: list[str] | None
    ) -> tuple[Tensor | None, Focus]:
        """The map to render with (None: the renderer predicts it), and the focus on its scale."""
        if self.source == "given":
            if disparity is None:
                raise BokehbenchError(
                    "--model.depth given: there is no disparity map: give one with --disparity, use a data set that "
                    "has it, or name another --model.depth."
                )
            return disparity, focus
        depth = self.provider.disparity(image, names) if self.provider else None
        if disparity is None or focus is None or isinstance(focus, tuple):
            return depth, focus
        seen = self.renderer.predicted_disparity({"image": image}) if depth is None else depth
        if seen is None:
            return depth, focus
        return depth, focus_on_another_map(seen, disparity, self.per_image(focus, image), alike=True)

    def predicted_disparity(self, batch: Batch) -> Tensor | None:
        """The depth of this combination, B 1 H W, for ``depth_mae``; None where it is the data set's own."""
        if self.provider is not None:
            return self.provider.disparity(batch["image"], batch["name"])
        return self.renderer.predicted_disparity(batch) if self.source == "own" else None

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """With the map that was rendered with, where it is not the data set's."""
        panels = super().panels(batch)
        predicted = self.predicted_disparity(batch)
        return panels if predicted is None else {**panels, "depth used (bright = near)": predicted}

    def describe_rendering(self, image: Tensor, disparity: Tensor | None, focus: Focus, aperture: PerPicture) -> str:
        """Depth, renderer, and what the renderer says."""
        depth, at = self._used
        said = self.renderer.describe_rendering(image, depth, at, aperture)
        return f"depth: {self.hparams['depth']}, renderer: {self.hparams['renderer']}, {said}"


def open_renderer(spec: str) -> tuple[BokehModel, str]:
    """A method without training by its short name, or a checkpoint's; and its name without a path.

    Raises:
        BokehbenchError: neither, or it reads no depth.
    """
    usable = [name for name, kind in MODELS.loaded().items() if not kind.trainable and name not in WITHOUT_DEPTH]
    if spec.lower() in usable:
        return MODELS[spec.lower()]().eval(), spec.lower()
    path = Path(spec).expanduser()
    if not path.is_file():
        raise BokehbenchError(
            f"--model.renderer {spec} is neither a checkpoint nor a renderer without weights (of a method with weights "
            f"give its checkpoint's path); {nearest(spec, usable)}."
        )
    model = load_model(path)
    if type(model).__name__.lower() in WITHOUT_DEPTH or not getattr(model, "disparity_input", True):
        raise BokehbenchError(f"--model.renderer {spec}: {type(model).__name__} takes no depth map: give another.")
    return model, f"{type(model).__name__} {weights_hash(model)[:8]}"


def open_provider(spec: str) -> DepthProvider | None:
    """The provider of ``--model.depth``, None for ``given`` and ``own``; BokehbenchError where there is no such."""
    if spec in ("given", "own"):
        return None
    kind, _, what = spec.partition(":")
    found = CheckpointDepth(Path(what).expanduser()) if kind == "checkpoint" and what else providers.find(spec)
    if found is None:
        forms = ("given", "own", "checkpoint:PATH", *(f"{kind}:..." for kind in providers.KINDS))
        raise BokehbenchError(f"--model.depth {spec}: there is no such provider; {nearest(spec, forms)}.")
    return found
