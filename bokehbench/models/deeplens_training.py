"""What DeepLens' stages train and minimise."""

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.batch import Batch, known, require
from bokehbench.depth import focus_on_another_map
from bokehbench.errors import BokehbenchError
from bokehbench.losses import disparity_and_saliency_loss, disparity_loss, mean_absolute_error, normalised_loss
from bokehbench.models.base import BokehModel
from bokehbench.models.random_crop import random_crop
from bokehbench.models.stages import Stage
from bokehbench.nets.deeplens import DeepLensNet, halve, resample
from bokehbench.optics import minmax, signed_defocus


class DeepLensTraining(BokehModel):
    """The stages ``depth`` (Eq. 1), ``rendering`` (Eq. 6) and ``joint`` (both, Sec. 5.5)."""

    net: DeepLensNet
    max_radius: float

    def without_depth(self, stages: Sequence[Stage]) -> list[Stage]:
        """Those that train no depth network and use none; BokehbenchError where others were asked for."""
        left = [stage for stage in stages if stage.name == "rendering"]
        asked = [name for name in self._names or () if name in {stage.name for stage in stages} - {"rendering"}]
        if asked or any(map(self.predicts, left)):
            what = f"stages [{asked[0]}] trains" if asked else "training_disparity predicted uses"
            raise BokehbenchError(f"--model.{what} a depth network: leave out --model.depth_network false.")
        return left

    def to_keep(self) -> BokehModel:
        """As the base: without a depth network that was never trained."""
        if self.uses.disparity == "needed" or self.provenance.trained("depth"):
            return self
        own = {"stages": None, "weights": None, "backbone_pretrained": False, "depth_network": False}
        kept = type(self)(**{**self.hparams, **own})
        state = {name: value for name, value in self.state_dict().items() if name in kept.state_dict()}
        kept.load_state_dict(state)
        kept.provenance = replace(self.provenance, architecture=kept.architecture_arguments)
        return kept.eval()

    def begin_training(self) -> None:
        """As the base; refuses to predict depth on crops, and to train jointly what was never trained."""
        names = [stage.name for stage in self.stages]
        crops = [stage.name for stage in self.stages if self.predicts(stage) and stage.recipe.view == "crop"]
        if crops:
            option = f"{crops[0]}.view crop" if crops[0] == "joint" else "training_disparity predicted"
            raise BokehbenchError(
                f"--model.{option}: depth, its range and its focus are those of whole pictures: "
                f"give --model.{crops[0]}.view resize with their size, and that of crops by --model.rendering_crop."
            )
        fresh = [name for name in ("depth", "rendering") if not (name in names or self.provenance.trained(name))]
        if "joint" in names and fresh:
            raise BokehbenchError(
                f"DeepLens' stage 'joint' goes on from trained parts, and '{fresh[0]}' was not trained: give a "
                "checkpoint of both with --model.weights, or train it in the same run."
            )
        super().begin_training()

    def predicts(self, stage: Stage) -> bool:
        """Whether ``stage`` renders with the depth network's disparity."""
        return stage.name == "joint" or (
            stage.name == "rendering" and self.hparams["training_disparity"] == "predicted"
        )

    def stage_modules(self, stage: Stage) -> list[nn.Module]:
        """The depth network, what renders, or both; no stage with targets has saliency pictures for the second head."""
        if stage.name == "depth":
            return [self.net.depth]
        joint = self.net.depth.named_children() if stage.name == "joint" else ()
        return [*(part for name, part in joint if name != "segmentation"), *self.net.rendering_networks()]

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """Eq. 1, the two terms of Eq. 6, or these and Eq. 1's first."""
        if stage.name == "depth":
            return self.depth_losses(batch)
        disparity, focus = self.disparity_and_focus(stage, batch)
        terms = self.rendering_losses(batch, disparity, focus)
        if stage.name != "joint":
            return terms
        true, has = true_disparity(batch)
        error = disparity_loss(disparity, disparity if true is None else minmax(true), has)
        return {**terms, "disparity": self.hparams["joint_depth_weight"] * error}

    def depth_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 1: min-max normalised disparity, and saliency of the images that have a mask."""
        true, has = true_disparity(batch)
        if true is None and "mask" not in batch:
            require(batch, ("disparity",), "DeepLens, stage 'depth'")
        side = self.net.depth_size
        image = batch["image"]
        if image.shape[-2:] != (side, side):
            image = F.interpolate(image, (side, side), mode="bilinear", antialias=True)
        predicted, logits = self.net.depth.forward_with_segmentation(image)
        size = tuple(predicted.shape[-2:])
        zeros = torch.zeros_like(predicted)
        return disparity_and_saliency_loss(
            minmax(predicted),
            zeros if true is None else minmax(resample(true, size)),
            has,
            logits,
            resample(batch["mask"], size) if "mask" in batch else zeros,
            known(batch, "mask"),
            self.hparams["saliency_weight"],
        )

    def rendering_losses(self, batch: Batch, disparity: Tensor, focus: Tensor) -> dict[str, Tensor]:
        """Eq. 6: N(L, L*) + N(H, H*), and one more N for every further upsampling step that is trained.

        Args:
            batch: with ``image``, ``bokeh`` and ``aperture``.
            disparity: B 1 H W in [0, 1], what is rendered with.
            focus: B, a value of it.
        """
        picture, target, aperture = batch["image"], batch["bokeh"], batch["aperture"]
        if side := self.hparams["rendering_crop"]:
            picture, target, disparity = random_crop([picture, target, disparity], side)
        steps: int = self.hparams["trained_upsamplings"]
        # Blur too large for the levels that are trained is first made smaller, with the picture (ours)
        while float(aperture.max()) > 2**steps * self.max_radius * 1.01 and min(picture.shape[-2:]) >= 32 * 2**steps:
            picture, target, disparity = halve(picture), halve(target), halve(disparity)
            aperture = aperture / 2
        levels, targets = [picture], [target]
        for _ in range(steps):
            levels, targets, disparity = [halve(levels[0]), *levels], [halve(targets[0]), *targets], halve(disparity)
        results = self.net(levels, self.signed_disparity(disparity, focus, aperture / 2**steps))
        low, *high = map(self._photometric, results, targets)
        return {"low": self.hparams["low_weight"] * low, "high": self.hparams["high_weight"] * sum(high)}

    def signed_disparity(self, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
        """D~ = (D - d_f) a in [-1, 1], a = aperture / R_max (section 3.2.2).

        Args:
            disparity: B 1 H W in [0, 1].
            focus: B.
            aperture: B, in pixels of ``disparity``'s level; beyond R_max nothing was trained, so a <= 1.
        """
        return signed_defocus(disparity, focus, (aperture / self.max_radius).clamp(0, 1))

    def disparity_and_focus(self, stage: Stage, batch: Batch) -> tuple[Tensor, Tensor]:
        """What ``stage`` renders with: disparity, B 1 H W, and what is in focus there, B.

        A predicted map is the depth network's of whole pictures, with gradient where ``stage`` trains that; what the
        batch's focus lies on in the true map is in focus in it.
        """
        source, focus = self.hparams["training_disparity"], batch["focus"]
        true, _ = true_disparity(batch)
        if not self.predicts(stage):
            return (true if source == "clean" and true is not None else batch["disparity"]), focus
        disparity = self.net.predict_disparity(batch["image"])
        if stage.name != "joint":
            disparity = disparity.detach()
        return disparity, focus if true is None else focus_on_another_map(disparity, true, focus)

    def _photometric(self, prediction: Tensor, target: Tensor) -> Tensor:
        if self.hparams["loss"] == "l1":
            return mean_absolute_error(prediction, target)
        through = self.hparams["loss_through_weights"]
        return normalised_loss(prediction, target, detach=not through, alpha=self.hparams["loss_alpha"])

    def validation_scores(self, batch: Batch) -> dict[str, Tensor]:
        """Rendering scores; while depth trains, the depth error after the 5-knot spline (section 5.1)."""
        name = self.stage.name if self.stage else None
        if name == "depth":
            require(batch, ("disparity",), "DeepLens, validation of stage 'depth'")
            return self.depth_scores(batch)
        scores = super().validation_scores(batch)
        return scores | self.depth_scores(batch) if name == "joint" else scores


def true_disparity(batch: Batch) -> tuple[Tensor | None, Tensor]:
    """What depth is learned from: the uncorrupted map where there is one, B 1 H W, and which pictures have it, B."""
    key = "true_disparity" if "true_disparity" in batch else "disparity"
    return batch.get("true_disparity", batch.get("disparity")), known(batch, key)
