"""pix2pix (Isola, Zhu, Zhou, Efros, CVPR 2017, arXiv 1611.07004), fed with focus and aperture."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from bokehbench.batch import Batch
from bokehbench.errors import BokehbenchError, check_options, within
from bokehbench.models.base import BokehModel
from bokehbench.models.published import Published
from bokehbench.models.rendering import Prepared, Rendering
from bokehbench.models.renders import Focus
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.models.uses import Uses
from bokehbench.nets.pix2pix import SMALLEST, Discriminator, Generator

BETAS = (0.5, 0.999)
"""Adam's, of both networks (section 3.3)."""


class Pix2Pix(BokehModel):
    """One stage, ``translation``: generator and discriminator, trained together.

    The generator's input is the photo and two constant maps: the disparity in focus, and the aperture over
    ``max_radius``. DeepLens (Wang et al. 2018, section 5.2) compares with such a network; what exactly theirs saw was
    not published, a disparity map among it or not.

    Args:
        width: channels of the first layer of both networks; the paper has 64.
        levels: halvings of the generator; the paper has 8.
        norm: ``instance``, which the paper's batch norm is at its batch size of 1, or ``batch``.
        dropout: share dropped in the three inner decoder levels, while training only (the paper: at test, too).
        disparity_input: give the generator the disparity map as one channel more.
        max_radius: aperture, in pixels of the photo, that is fed as 1; also the default of ``render``.
        default_focus: disparity in focus where ``render`` is told neither focus nor disparity; 1 = the nearest.
        l1_weight: lambda of the L1 term, for pictures in [-1, 1].
        adversarial_weight: of the term that the discriminator gives the generator; 0 = L1 alone.
        translation: recipe of the only stage.
    """

    title = "pix2pix"
    paper = "Isola, Zhu, Zhou, Efros, CVPR 2017, arXiv 1611.07004"
    without_disparity = ", or train with --model.disparity_input false"
    published = Published(
        54_416_579,
        {"width": 64, "levels": 8, "dropout": 0.5, "l1_weight": 100.0, "adversarial_weight": 1.0},
        {"width": "w{}", "levels": "l{}"},
        # Sections 3.3 and 6.2; batch norm with a batch of 1, and a picture's own statistics at test, is instance norm
        {"norm": "instance", "*.batch_size": 1, "*.learning_rate": 2e-4, "*.view": "crop", "*.height": 256,
         "*.width": 256},
    )  # fmt: skip

    def __init__(
        self,
        width: int = 64,
        levels: int = 8,
        norm: Literal["instance", "batch"] = "instance",
        dropout: float = 0.5,
        disparity_input: bool = False,
        max_radius: float = 16.0,
        default_focus: float = 1.0,
        l1_weight: float = 100.0,
        adversarial_weight: float = 1.0,
        translation: StageRecipe = StageRecipe(
            steps=200_000, batch_size=1, learning_rate=2e-4, decay_at=[], view="crop", height=256, width=256
        ),
        **training: Any,
    ) -> None:
        super().__init__(**training)
        check_options(
            "--model.",
            within("width", width, 1, 1024),
            within("levels", levels, 1, 12),
            ("max_radius", max_radius, 0 < max_radius <= 1000, "more than 0 pixels, 1000 at most"),
            within("l1_weight", l1_weight, 0),
            within("adversarial_weight", adversarial_weight, 0),
            ("default_focus", default_focus, 0 <= default_focus <= 1, "a disparity from 0 to 1"),
            ("dropout", dropout, 0 <= dropout < 1, "a share from 0 to below 1"),
        )
        self.disparity_input = disparity_input
        if not disparity_input:
            note = "This pix2pix has no depth: give a disparity map to choose the focus by a click."
            self.uses = Uses(disparity="optional", note=note)
        self.max_radius = max_radius
        inputs = 6 if disparity_input else 5
        self.net = Generator(inputs, width, levels, norm, dropout)
        self.discriminator = Discriminator(inputs, width, norm)
        needs = ("image", "bokeh", "focus", "aperture", *(["disparity"] if disparity_input else []))
        self.set_up(Stage("translation", translation, keys=needs, needs=needs))

    # Training --------------------------------------------------------------------------------------------------

    def inference_modules(self) -> list[nn.Module]:
        """The generator alone."""
        return [self.net]

    def parameter_groups(self, stage: Stage) -> list[dict[str, Any]]:
        """The base's groups with the paper's momentum."""
        return [{**group, "betas": BETAS} for group in super().parameter_groups(stage)]

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """``l1`` and ``adversarial`` of the generator (Eq. 4), ``discriminator``: half of Eq. 1, negated.

        One sum is minimised by one Adam. The generator meets a copy of the discriminator that learns nothing, the
        discriminator a picture without gradient: each gets its own gradients, as from two optimisers in the same
        step. The papers' update the discriminator first; here both start from the same weights (ours).
        """
        if min(batch["image"].shape[-2:]) < SMALLEST:
            raise BokehbenchError(
                f"pix2pix's discriminator needs pictures of {SMALLEST} px or more: give a larger "
                "--model.translation.height and .width, with --model.translation.view crop or resize."
            )
        x = self.network_input(batch["image"], batch["focus"], batch["aperture"], batch.get("disparity"))
        target, output = 2 * batch["bokeh"] - 1, self.net(x)
        real, fake = self.discriminator(x, target), self.discriminator(x, output.detach())
        terms = {"l1": self.hparams["l1_weight"] * F.l1_loss(output, target)}
        if weight := self.hparams["adversarial_weight"]:
            terms["adversarial"] = weight * towards(self.judged(x, output), real=True)
        terms["discriminator"] = (towards(real, real=True) + towards(fake, real=False)) / 2
        return terms

    def judged(self, x: Tensor, output: Tensor) -> Tensor:
        """The discriminator's logits with gradients for ``output`` alone; its running statistics stay as they are."""
        net = self.discriminator
        weights = {name: value.detach() for name, value in net.named_parameters()}
        statistics = {name: value.clone() for name, value in net.named_buffers()}
        logits: Tensor = functional_call(net, {**weights, **statistics}, (x, output))
        return logits

    def network_input(self, image: Tensor, focus: Tensor, aperture: Tensor, disparity: Tensor | None) -> Tensor:
        """B 5 H W, or B 6 H W with a disparity map: all from [0, 1] to [-1, 1], but aperture / max.

        Args:
            image: B 3 H W in [0, 1].
            focus: B, disparity in focus.
            aperture: B, in pixels of ``image``.
            disparity: B 1 H W, used with ``disparity_input`` only.

        Raises:
            BokehbenchError: the network was built for a disparity map, and there is none.
        """
        size = (len(image), 1, *image.shape[-2:])
        maps = [2 * image - 1]
        maps += [value.view(-1, 1, 1, 1).expand(size) for value in (2 * focus - 1, aperture / self.max_radius)]
        if self.disparity_input:
            if disparity is None:
                raise self.no_disparity()
            maps.append(2 * disparity - 1)
        return torch.cat(maps, 1)

    # Rendering -------------------------------------------------------------------------------------------------

    def focus_of(self, image: Tensor, disparity: Tensor | None, focus: Focus) -> Tensor:
        """The disparity in focus, B: without a focus that at the centre of the map, else ``default_focus``.

        Raises:
            BokehbenchError: a point (x, y) without a map to look it up in.
        """
        if disparity is not None:
            return self.focus_disparity(disparity, focus, image.shape)
        if isinstance(focus, tuple):
            raise BokehbenchError(
                "pix2pix has no depth network to look up the focus point in: give a disparity map with --disparity, or "
                "the disparity in focus as one number."
            )
        return self.per_image(self.hparams["default_focus"] if focus is None else focus, image)

    def default_aperture(self, image: Tensor) -> float:
        """The largest trained."""
        return self.max_radius

    def blur(self, image: Tensor, disparity: Tensor | None, focus: Tensor, aperture: Tensor) -> Tensor:
        """The generator's picture, without dropout."""
        x = self.network_input(image, focus, aperture, disparity)
        return ((self.net(x).float() + 1) / 2).clamp(0, 1)

    def source_of(self, prepared: Prepared) -> str:
        """A map that the network does not see still tells the focus."""
        unseen = prepared.disparity is not None and not self.disparity_input
        return super().source_of(prepared) + (" for the focus alone" if unseen else "")

    def remark(self, rendering: Rendering) -> str:
        """That an aperture was not trained."""
        beyond = rendering.aperture is not None and bool(rendering.aperture[0] > self.max_radius)
        return f"trained for {self.max_radius:g} px at most" if beyond else ""


def towards(logits: Tensor, *, real: bool) -> Tensor:
    """Cross-entropy of the discriminator's logits against "real" or "fake", mean over patches."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))
