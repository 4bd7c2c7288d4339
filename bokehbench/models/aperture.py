"""Aperture: a depth network taught by shallow depth of field alone (DeepLens' baseline, after Srinivasan 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bokehbench.batch import Batch, known, require
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.losses import mean_absolute_error
from bokehbench.metrics.depth_mae import depth_mae
from bokehbench.models.base import BokehModel, Focus, Strength
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.nets.aperture_net import ApertureNet, Output
from bokehbench.optics import compositional, to_linear, to_srgb


class Aperture(BokehModel):
    """One stage, ``depth``: DeepLens' depth network through the compositional renderer, L1 on the picture.

    No disparity is read in training. The renderer has no weights: what is learned is the disparity that best explains
    the blur, focus and aperture being given.

    Args:
        stages: which to train, None = all.
        weights: checkpoint to start from.
        depth_size: side of the square that the depth network sees, in pixels.
        backbone_pretrained: start its ResNet-50 from ImageNet weights (downloads them).
        output: what makes a disparity of the network's output: ``sigmoid``, on the scale of the data set's focus, or
            ``minmax`` per picture, as in DeepLens.
        step: pixels between the radii of the renderer's disks.
        blur_share: the aperture where none is given: blur radius at a disparity difference of 1, as a share of the
            photo's long side.
        use_given_disparity: render with the disparity that ``render`` is given instead of the network's.
        depth: recipe of the only stage.

    Raises:
        BokehbenchError: an unknown output, a step of 0 or less, a negative share.
    """

    title = "Aperture"
    paper = (
        "the baseline of Wang et al., DeepLens, 2018, arXiv 1810.08100, "
        "after Srinivasan et al., CVPR 2018, arXiv 1711.07933"
    )

    def __init__(
        self,
        stages: list[str] | None = None,
        weights: str | None = None,
        depth_size: int = 320,
        backbone_pretrained: bool = False,
        output: Output = "sigmoid",
        step: float = 1.0,
        blur_share: float = 0.025,
        use_given_disparity: bool = False,
        depth: StageRecipe = StageRecipe(  # noqa: B008 - read only, and the command line shows it as the default
            steps=346_224, batch_size=16, learning_rate=1e-4, weight_decay=5e-4, view="resize", height=320, width=320
        ),
    ) -> None:
        super().__init__()
        if output not in ("sigmoid", "minmax"):
            raise BokehbenchError(f"--model.output {output}: {nearest(output, ('sigmoid', 'minmax'))}.")
        for name, value, right, remedy in (
            ("step", step, step > 0, "more than 0"),
            ("blur_share", blur_share, blur_share >= 0, "0 or more"),
        ):
            if not right:
                raise BokehbenchError(f"--model.{name} {value:g}: give {remedy}.")
        self.save_hyperparameters()
        self.step, self.blur_share, self.use_given_disparity = step, blur_share, use_given_disparity
        self.net = ApertureNet(depth_size, backbone_pretrained and weights is None, output)
        keys = ("image", "bokeh", "focus", "aperture")
        self.set_up([Stage("depth", depth, monitor="val/psnr", keys=keys, needs=keys)], stages, weights)

    # Training --------------------------------------------------------------------------------------------------

    def stage_modules(self, stage: Stage) -> list[nn.Module]:
        """The depth network: there is nothing else."""
        return [self.net]

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """L1 between the picture, rendered with the predicted disparity, and the target, both gamma-encoded."""
        require(batch, stage.needs, "Aperture, stage 'depth'")
        image = batch["image"]
        rendered = self.blur(image, self.net.predict_disparity(image), batch["focus"], batch["aperture"])
        return {"l1": mean_absolute_error(rendered, batch["bokeh"])}

    def blur(self, image: Tensor, disparity: Tensor, focus: Tensor, radius: Tensor) -> Tensor:
        """The compositional renderer in linear light; B 3 H W, gamma-encoded in [0, 1], with gradient to disparity.

        Args:
            image: B 3 H W, gamma-encoded in [0, 1].
            disparity: B 1 H W.
            focus: B, the disparity in focus.
            radius: B, pixels of ``image`` at a disparity difference of 1.
        """
        light = compositional(to_linear(image), disparity, focus, radius, step=self.step)
        return to_srgb(light.clamp(0, 1)).clamp(0, 1)

    def validation_scores(self, batch: Batch) -> dict[str, Tensor]:
        """Rendering scores, and the depth error after the 5-knot spline where the true disparity is known."""
        scores = super().validation_scores(batch)
        if bool(known(batch, "disparity").all()):
            true = batch.get("true_disparity", batch["disparity"])
            with torch.no_grad():
                scores["depth_mae"] = depth_mae(self.net.predict_disparity(batch["image"]), true)
            scores["identity_depth_mae"] = depth_mae(torch.zeros_like(true), true)
        return scores

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """Besides those of every method, the predicted disparity."""
        panels: dict[str, Tensor] = {}
        for title, picture in super().panels(batch).items():
            if title == "output":
                with torch.no_grad():
                    panels["predicted disparity"] = self.net.predict_disparity(batch["image"])
            panels[title] = picture
        return panels

    # Rendering -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def render(
        self,
        image: Tensor,
        *,
        disparity: Tensor | None = None,
        focus: Focus = None,
        aperture: Strength = None,
    ) -> Tensor:
        """As :meth:`BokehModel.render`, but a given disparity is ignored unless ``use_given_disparity`` is set.

        A focus point is looked up in the disparity that is rendered with.
        """
        used = self.used_disparity(image, disparity)
        at = self.focus_disparity(used, focus, image.shape[-2], image.shape[-1])
        return self.blur(image, used, at, self.radius(aperture, image))

    def used_disparity(self, image: Tensor, disparity: Tensor | None) -> Tensor:
        """The disparity that :meth:`render` uses, B 1 H W."""
        given = disparity if self.use_given_disparity else None
        return self.net.predict_disparity(image) if given is None else given

    def radius(self, aperture: Strength, image: Tensor) -> Tensor:
        """Blur radius in pixels of ``image`` at a disparity difference of 1, shape B."""
        return self.per_image(self.blur_share * max(image.shape[-2:]) if aperture is None else aperture, image)

    def describe_rendering(self, image: Tensor, disparity: Tensor | None, focus: Focus, aperture: Strength) -> str:
        """Whose disparity, focus as a disparity, radius in pixels."""
        with torch.no_grad():
            used = self.used_disparity(image, disparity)
        at = self.focus_disparity(used, focus, image.shape[-2], image.shape[-1])
        source = "own disparity" if disparity is None else "own disparity (the given one is ignored)"
        if disparity is not None and self.use_given_disparity:
            source = "given disparity"
        radius = float(self.radius(aperture, image)[0])
        return f"{source}, focus at disparity {float(at[0]):.3f}, aperture {radius:.1f} px"
