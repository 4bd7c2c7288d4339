"""BokehMe (Peng et al., CVPR 2022, arXiv 2206.12614): a classical renderer, and networks where that is wrong."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from bokehbench.batch import Batch
from bokehbench.errors import BokehbenchError, check_options, within
from bokehbench.metrics.measurement import sample_of
from bokehbench.models.bokehme_training import BokehMeTraining
from bokehbench.models.exported import Exported
from bokehbench.models.published import Published
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.nets.bokehme import BokehMeNet, Fused
from bokehbench.optics import signed_defocus
from bokehbench.provenance import UNTRAINED
from bokehbench.weights.bokehme import load_official

RECIPE = StageRecipe(steps=100_000, batch_size=8, learning_rate=1e-4, decay_at=[], height=256, width=256)
#: Where pictures are brighter than this, the highlight option makes them brighter still (code).
BRIGHT = 220 / 255
TARGETS = ("closer", "measured", "geometric")


class BokehMe(BokehMeTraining):
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

    def fused(self, image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Iterator[Fused]:
        """Each picture's classical and neural rendering and error map, one by one; arguments as of :meth:`blur`."""
        defocus = signed_defocus(disparity, focus, aperture)
        if self.hparams["highlights"]:
            image = brightened(image, disparity - focus.view(-1, 1, 1, 1), self.hparams["highlight_gain"])
        # One by one: the largest radius of a picture decides its sizes
        for picture, radius in zip(image, defocus, strict=True):
            yield self.net(picture[None], radius[None], self.gamma, self.step, self.refines)

    def validation_scores(self, batch: Batch) -> dict[str, Tensor]:
        """As the base, and those of the classical and of the neural picture alone: fused must beat both."""
        parts = list(self.fused(batch["image"], batch["disparity"], batch["focus"], batch["aperture"]))
        fused = torch.cat([part.image for part in parts])
        sample = sample_of(fused, batch, partial(self.own_disparity, batch))
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
            parts = list(self.fused(batch["image"], batch["disparity"], batch["focus"], batch["aperture"]))
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
