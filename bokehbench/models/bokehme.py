"""BokehMe (Peng et al., CVPR 2022, arXiv 2206.12614): a classical renderer, and networks where that is wrong."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.batch import Batch
from bokehbench.errors import BokehbenchError, check_options, within
from bokehbench.models.base import BokehModel
from bokehbench.models.exported import Exported
from bokehbench.models.published import Published
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.nets.bokehme import BokehMeNet, Fused
from bokehbench.nets.bokehme.bokeh_me_net import classically, mask
from bokehbench.nets.bokehme.passes import UNIT, Passes
from bokehbench.nets.bokehme.residual_net import resized
from bokehbench.optics import dilated_defocus, signed_defocus
from bokehbench.provenance import UNTRAINED
from bokehbench.weights.bokehme import load_official

RECIPE = StageRecipe(steps=100_000, batch_size=8, learning_rate=1e-4, decay_at=[], height=256, width=256)
#: Where pictures are brighter than this, the highlight option makes them brighter still (code).
BRIGHT = 220 / 255
TARGETS = ("closer", "measured", "geometric")


class BokehMe(BokehModel):
    """Two stages: ``rendering`` (ARNet: a small picture and the error map) and ``upsampling`` (IUNet).

    The networks are the released ones; how they were trained was never published, so that losses, stages and counts
    are ours (docs/models/bokehme.md). Pictures are blurred as they are encoded, to the power ``gamma``.

    Args:
        width: channels of ARNet; the release has 128.
        upsampling_width: channels of IUNet; the release has 64.
        gamma: of the light that is blurred, 1 to 5; 2.2 is linear light to 0.02 dB. The authors' weights take any,
            weights of ours the one that they were trained with.
        highlights: brighten what is bright and out of focus before it is blurred (the authors' option).
        highlight_gain: by how much at most, as a share.
        step: px between the radii that the classical renderer computes where some exceed 12 px; 0 = all of them, which
            is exact.
        start: train from ``random`` weights, or from a ``copy`` of the photo and of the coarse picture (ours), which a
            short training can improve on at once.
        error_target: what the error map learns: where ARNet's picture is ``closer`` to the target, pixels weighted by
            the difference; where the classical picture is ``measured`` to be wrong; or where disparity steps are near
            (``geometric``).
        error_threshold: of the measured error, a value in [0, 1].
        error_weight: of the error map's cross-entropy beside L1.
        outside_weight: of L1 where IUNet's picture is not used, beside that where it is.
        rendering: recipe of the first stage.
        upsampling: recipe of the second stage.
    """

    title = "BokehMe"
    paper = "Peng et al., CVPR 2022, arXiv 2206.12614"
    #: Two PyTorch files, ARNet's first; every radius computed, as they do.
    authors = {"step": 0.0}, load_official
    architecture = ("width", "upsampling_width", "gamma")
    published = Published(
        1_163_740,
        {"width": 128, "upsampling_width": 64},
        {"width": "w{}", "upsampling_width": "u{}"},
        # IUNet's optimiser and step count, as its checkpoint keeps them; nothing else of the training was released
        {"highlights": False, "upsampling.learning_rate": 1e-4, "upsampling.decay_at": [],
         "upsampling.weight_decay": 0.0, "upsampling.steps": 1_653_750},
    )  # fmt: skip

    def __init__(
        self,
        width: int = 128,
        upsampling_width: int = 64,
        gamma: float = 2.2,
        highlights: bool = False,
        highlight_gain: float = 0.4,
        step: float = 0.25,
        start: Literal["random", "copy"] = "random",
        error_target: Literal["closer", "measured", "geometric"] = "closer",
        error_threshold: float = 0.02,
        error_weight: float = 0.1,
        outside_weight: float = 0.1,
        rendering: StageRecipe = RECIPE,
        upsampling: StageRecipe = RECIPE,
        **training: Any,
    ) -> None:
        super().__init__(**training)
        check_options(
            "--model.",
            within("width", width, 1, 1024),
            within("upsampling_width", upsampling_width, 1, 1024),
            within("gamma", gamma, 1, 5),
            within("highlight_gain", highlight_gain, 0, 100),
            ("step", step, step == 0 or 0.01 <= step <= 2, "0.01 to 2 pixels, or 0 for all radii"),
            within("error_threshold", error_threshold, 0, 1),
            within("error_weight", error_weight, 0),
            within("outside_weight", outside_weight, 0),
            ("start", start, start in ("random", "copy"), "random or copy"),
            ("error_target", error_target, error_target in TARGETS, ", ".join(TARGETS)),
        )
        self.gamma, self.step = gamma, step or None
        self.net = BokehMeNet(width, upsampling_width, start if self.starts_fresh else "random")
        needs = ("image", "bokeh", "disparity", "focus", "aperture")
        keys = (*needs, "true_disparity")
        self.set_up(
            Stage("rendering", rendering, keys=keys, needs=needs),
            Stage("upsampling", upsampling, keys=needs, needs=needs),
        )

    # Training --------------------------------------------------------------------------------------------------

    def stage_modules(self, stage: Stage) -> list[nn.Module]:
        """One of the two networks."""
        return [self.net.small if stage.name == "rendering" else self.net.upsampling]

    def begin_stage(self, stage: Stage, resumed: bool = False) -> None:
        """As the base; nothing is learned from the small pictures of an untrained network."""
        first = stage is self.stages[0]
        if stage.name == "upsampling" and first and not (resumed or self.provenance.trained("rendering")):
            raise BokehbenchError(
                "BokehMe's stage 'upsampling' works on a trained first stage: give its checkpoint with "
                "--model.weights, or train both stages."
            )
        super().begin_stage(stage, resumed)

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """L1 and cross-entropy of ARNet's outputs, or L1 of IUNet's picture in one of its passes (ours)."""
        defocus = signed_defocus(batch["disparity"], batch["focus"], batch["aperture"])
        height, width = batch["image"].shape[-2:]
        passes = Passes.of(height, width, float(defocus.abs().max()) / UNIT)  # shared by the batch
        return (
            self.small_losses(batch, defocus, passes)
            if stage.name == "rendering"
            else self.pass_losses(batch, defocus, passes)
        )

    def small_losses(self, batch: Batch, defocus: Tensor, passes: Passes) -> dict[str, Tensor]:
        """ARNet's picture and error map at the size at which no radius of the batch exceeds 10 px."""
        image, target = reduced(batch["image"], passes.low), reduced(batch["bokeh"], passes.low)
        defocus = resized(defocus, passes.low) / passes.shrink
        picture, logit = self.net.rendered_small(image, defocus / UNIT, self.plane(image))
        wrong, weight = self.error_map(batch, image, target, defocus, picture.detach())
        error = F.binary_cross_entropy_with_logits(logit, wrong.to(logit), weight)
        return {"l1": F.l1_loss(picture, target), "error": self.hparams["error_weight"] * error}

    @torch.no_grad()
    def error_map(
        self, batch: Batch, image: Tensor, target: Tensor, defocus: Tensor, picture: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Where ARNet's ``picture`` should be taken, B 1 h w bool, and weights of mean 1 (None: all alike)."""
        size, shrink = (image.shape[-2], image.shape[-1]), batch["image"].shape[-1] / image.shape[-1]
        if self.hparams["error_target"] == "geometric":
            true = signed_defocus(batch.get("true_disparity", batch["disparity"]), batch["focus"], batch["aperture"])
            return near_steps(resized(true, size) / shrink), None
        wrong = (classically(image, defocus, self.gamma, self.step) - target).abs()
        if self.hparams["error_target"] == "measured":
            return wrong.amax(1, keepdim=True) > self.hparams["error_threshold"], None
        gain = (wrong - (picture - target).abs()).mean(1, keepdim=True)
        return gain > 0, gain.abs() / gain.abs().mean().clamp(min=1e-8)

    def pass_losses(self, batch: Batch, defocus: Tensor, passes: Passes) -> dict[str, Tensor]:
        """IUNet in a random one of its passes, on the coarse picture that it gets there when rendering."""
        image, units = batch["image"], defocus / UNIT
        dilated = dilated_defocus(defocus).to(image) / UNIT
        chosen = int(torch.randint(len(passes.upsamplings), ()))
        scale, size = passes.upsamplings[chosen]
        with torch.no_grad():
            made = self.net.upsampled(image, units, self.gamma, dilated)
            coarse, _ = self.net.coarse(image, units, self.plane(image), passes)
            for _ in range(chosen):
                coarse, _ = next(made)
        here = self.net.enlarged(resized(image, size), resized(scale * units, size), coarse, self.plane(image))
        error, inside = (here - reduced(batch["bokeh"], size)).abs(), mask(resized(scale * dilated, size))
        return {
            "inside": (error * inside).mean(),
            "outside": self.hparams["outside_weight"] * (error * (1 - inside)).mean(),
        }

    def plane(self, image: Tensor) -> Tensor:
        """(gamma - 1) / 4 for each picture, B."""
        return image.new_full((len(image),), (self.gamma - 1) / 4)

    # Rendering -------------------------------------------------------------------------------------------------

    @property
    def refines(self) -> bool:
        """Whether IUNet enlarges: not while ARNet trains, nor where it alone was trained."""
        if self.stage is not None:
            return self.stage.name == "upsampling"
        return self.provenance.weights == UNTRAINED or self.provenance.trained("upsampling")

    def blur(self, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        """The fused picture."""
        return torch.cat([each.image for each in self.fused(image, disparity, focus, aperture)])

    def fused(self, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> list[Fused]:
        """Each picture's classical and neural rendering and error map; the arguments are those of :meth:`blur`."""
        defocus = signed_defocus(disparity, focus, aperture)
        if self.hparams["highlights"]:
            image = brightened(image, disparity - focus.view(-1, 1, 1, 1), self.hparams["highlight_gain"])
        # One by one: the largest radius of a picture decides its sizes
        return [
            self.net(picture[None], radius[None], self.gamma, self.step, self.refines)
            for picture, radius in zip(image, defocus, strict=True)
        ]

    def validation_scores(self, batch: Batch) -> dict[str, Tensor]:
        """As the base, and those of the classical and of the neural picture alone: fused must beat both."""
        given = (batch["image"], batch["disparity"], batch["focus"], batch["aperture"])
        parts = self.fused(*given)
        sample = self.sample(batch)
        scores = self.rendering_scores(batch, sample)
        for name in ("classical", "neural"):
            alone = sample.instead(torch.cat([getattr(part, name) for part in parts]).clamp(0, 1))
            found = self.scores(alone, batch["image"], prefix=f"{name}_")
            scores |= {key: value for key, value in found.items() if not key.startswith("identity_")}
        return scores

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """As the base, with the two renderings and the error map."""
        panels = super().panels(batch)
        if all(key in batch for key in ("disparity", "focus", "aperture")):
            parts = self.fused(batch["image"], batch["disparity"], batch["focus"], batch["aperture"])
            for title in ("classical", "neural", "error"):
                panels[title] = torch.cat([getattr(part, title) for part in parts]).clamp(0, 1)
        return panels

    def exported(self, size: int, largest_aperture: float) -> Exported:
        """It cannot be: the largest radius of a picture decides how many sizes it is rendered at."""
        raise BokehbenchError(
            f"{self.label} cannot be exported: the largest radius of a photo decides at how many sizes it is rendered. "
            "Its classical renderer can: bokehbench export --model scatter."
        )


def brightened(image: Tensor, from_focus: Tensor, gain: float) -> Tensor:
    """I (1 + gain m1 m2): brighter by ``gain`` at most where it is bright and out of focus; may exceed 1 (code).

    ``image`` B 3 H W in [0, 1]; ``from_focus`` B 1 H W, disparity from the one in focus.
    """
    blurred = torch.tanh(200 * (from_focus.square() - 0.01)).clamp(0, 1)
    return image * (1 + gain * blurred * torch.tanh(10 * (image - BRIGHT)).clamp(0, 1))


def near_steps(defocus: Tensor, least: float = 1.8) -> Tensor:
    """Where the classical renderer is expected to fail: a step of ``least`` px of signed radius within reach, B 1 h w.

    Within about max(R_p, R_q) + 1 px of p, in squares; ours, the rule that fits the one published error map best.
    """
    wrong = torch.zeros_like(defocus, dtype=torch.bool)
    radius = defocus.abs()
    for reach in range(1, int(radius.max()) + 2):
        window = 2 * reach + 1
        near = F.max_pool2d(defocus, window, 1, reach) - defocus > least
        far = defocus + F.max_pool2d(-defocus, window, 1, reach) > least
        covered = F.max_pool2d(radius, window, 1, reach) + 1 >= reach
        wrong |= (near | far) & covered
    return wrong


def reduced(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Mean over the area, B C H W -> B C h w: a target at the size of a pass."""
    return picture if picture.shape[-2:] == size else F.interpolate(picture, size, mode="area")
