"""What BokehMe's stages train and minimise; ours, since nothing of its training was released."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.batch import Batch
from bokehbench.errors import BokehbenchError
from bokehbench.models.base import BokehModel
from bokehbench.models.stages import Stage
from bokehbench.nets.bokehme import BokehMeNet
from bokehbench.nets.bokehme.bokeh_me_net import classically, mask
from bokehbench.nets.bokehme.passes import UNIT, Passes
from bokehbench.nets.bokehme.residual_net import resized
from bokehbench.optics import dilated_defocus, signed_defocus


class BokehMeTraining(BokehModel):
    """The stages ``rendering`` (ARNet) and ``upsampling`` (IUNet)."""

    net: BokehMeNet
    gamma: float
    step: float | None

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
