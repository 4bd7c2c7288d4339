"""DeepLens (Wang et al., SIGGRAPH Asia 2018, arXiv 1810.08100): depth, lens blur, guided upsampling."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from bokehbench.counted import counted
from bokehbench.errors import BokehbenchError, check_options, within
from bokehbench.losses import LARGEST_ALPHA
from bokehbench.models.deeplens_training import DeepLensTraining
from bokehbench.models.exported import Exported
from bokehbench.models.published import Published
from bokehbench.models.rendering import Prepared, Rendering, in_words
from bokehbench.models.renders import Focus, PerPicture
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.models.uses import Uses
from bokehbench.nets.deeplens import DeepLensNet, area_resize, halve
from bokehbench.nets.deeplens.pyramid import area_product
from bokehbench.weights.deeplens import load_official

#: Of the rendering stage; those of the others differ in steps, view and rate.
RECIPE = StageRecipe(steps=199_950, batch_size=16, learning_rate=1e-4, weight_decay=5e-4)


@dataclass(frozen=True)
class Halved:
    """A photo as it is rendered at one number of halvings.

    ``pyramid`` holds the photo, coarsest level first (with official numerics the finest is at most 1280 px long);
    ``disparity`` and ``features`` belong to the coarsest.
    """

    pyramid: list[Tensor]
    disparity: Tensor
    features: Tensor


@dataclass(frozen=True)
class PreparedLevels(Prepared):
    """By the number of halvings, what the networks made of a photo; ``disparity`` is the given one alone."""

    halved: dict[int, Halved] = field(default_factory=dict)


class DeepLens(DeepLensTraining):
    """Two stages, each trainable alone: ``depth`` (Eq. 1) and ``rendering`` (lens blur and upsampling, Eq. 6).

    A third, ``joint``, trains all networks through the rendering; the paper found it to hurt (Sec. 5.5).

    Args:
        channels: feature channels per colour of the lens blur; the release has 31, Fig. 12 sweeps 4 to 64.
        upsampling_channels: feature channels per colour of the upsampling; the release has 32.
        two_map: upsample by Eq. 3 alone (photo and upsampled result), without learned features.
        numerics: ``modern``, or ``official`` for the authors' weights (legacy bilinear, BGR, 8-bit step).
        depth_size: side of the square that the depth network sees, in pixels.
        backbone_pretrained: start the depth network's ResNet-50 from ImageNet weights (downloads them).
        max_radius: largest trained blur radius, in pixels of the coarsest level (the paper's R_max; 8 is inferred).
        loss: ``normalised`` (Eq. 5) or ``l1``, which the paper compares with.
        loss_through_weights: let gradient flow through the weights of Eq. 5 (unknown in the paper).
        loss_alpha: exponent of Eq. 4's weights, 0 to 6 (1 is inferred); with gradient through them 0, or 1 to 6.
        low_weight, high_weight: weights of Eq. 6's terms, of the lens blur and of upsampling (the paper names none).
        trained_upsamplings: upsampling steps that a training step takes, each with its term in Eq. 6, so that a picture
            of several levels stays sharp; 1 is the paper's.
        training_disparity: what the rendering stage is given: the data set's (``given``: corrupted, where the data
            set corrupts), the true one (``clean``), or the depth network's (``predicted``), which sees the whole
            picture: Table 3.
        rendering_crop: side in pixels of the windows that rendering is trained on, drawn after the disparity was
            predicted; 0 = all that the stage's view shows.
        saliency_weight: lambda of Eq. 1 (ours: 1).
        joint_depth_weight: weight of Eq. 1's disparity term in the joint stage (ours: 1).
        segmentation_head: have the second head of the depth network, which only training uses.
        depth_network: have a depth network; False: every photo needs a disparity map, and rendering alone is trained.
        feature_start: learned features begin as random filters (the authors'), or each as a blurred picture (ours).
        upsampling: ``learned``; ``bicubic`` or ``guided`` (filter) with the lens blur of any checkpoint.
        depth: recipe of the depth stage.
        rendering: recipe of the rendering stage.
        joint: recipe of the joint stage (ours).
    """

    title = "DeepLens"
    paper = "Wang et al., ACM Transactions on Graphics 37 (6), 2018, arXiv 1810.08100"
    #: A TensorFlow checkpoint, under their own numerics.
    authors = {"numerics": "official", "segmentation_head": False}, load_official
    later = (
        "loss_alpha", "low_weight", "high_weight", "trained_upsamplings", "rendering_crop", "joint_depth_weight",
        "depth_network", "feature_start",
    )  # fmt: skip
    uses = Uses(disparity="own", preview=True)
    pretrained = Path(__file__).parents[1] / "pretrained" / "deeplens"
    published = Published(
        11_502_800,
        {"channels": 31, "upsampling_channels": 32, "two_map": False, "upsampling": "learned", "depth_size": 320,
         "depth_network": True},
        {"channels": "c{}", "upsampling_channels": "u{}", "two_map": "two-map", "upsampling": "{}"},
        # Steps: of the checkpoints that the code names. Weight decay: collected by the code's layers; that the trainer,
        # which was never released, added it is inferred. The rest: sections 3.1, 3.2.4 and 4.2, numerics: the code.
        {"numerics": "official", "backbone_pretrained": True, "segmentation_head": True, "loss": "normalised",
         "training_disparity": "given", "trained_upsamplings": 1, "feature_start": "random",
         "depth.steps": 346_224, "rendering.steps": 199_950, "*.weight_decay": 5e-4,
         "depth.data": "IPhoneDepth", "rendering.data": "SyntheticDoF", "data.train_samples": 18_000,
         "data.test_samples": 500, "data.disparity_input": "corrupted", "data.focus_on": "random"},
    )  # fmt: skip

    def __init__(
        self,
        channels: int = 31,
        upsampling_channels: int = 32,
        two_map: bool = False,
        numerics: Literal["modern", "official"] = "modern",
        depth_size: int = 320,
        backbone_pretrained: bool = False,
        max_radius: float = 8.0,
        loss: Literal["normalised", "l1"] = "normalised",
        loss_through_weights: bool = False,
        loss_alpha: float = 1.0,
        low_weight: float = 1.0,
        high_weight: float = 1.0,
        trained_upsamplings: int = 1,
        training_disparity: Literal["given", "clean", "predicted"] = "given",
        rendering_crop: int = 0,
        saliency_weight: float = 1.0,
        joint_depth_weight: float = 1.0,
        segmentation_head: bool = True,
        depth_network: bool = True,
        feature_start: Literal["random", "blurred"] = "random",
        upsampling: Literal["learned", "bicubic", "guided"] = "learned",
        depth: StageRecipe = replace(RECIPE, steps=346_224, view="resize"),
        rendering: StageRecipe = RECIPE,
        joint: StageRecipe = replace(RECIPE, steps=20_000, learning_rate=1e-5, view="resize"),
        **training: Any,
    ) -> None:
        super().__init__(**training)
        exponent = 0 <= loss_alpha <= LARGEST_ALPHA and not (loss_through_weights and 0 < loss_alpha < 1)
        span = f"0, or 1 to {LARGEST_ALPHA}" if loss_through_weights else f"0 to {LARGEST_ALPHA}"
        check_options(
            "--model.",
            ("loss_alpha", loss_alpha, exponent, span),
            within("channels", channels, 1, 1024),
            within("upsampling_channels", upsampling_channels, 1, 1024),
            within("depth_size", depth_size, 32, 4096, "pixels"),
            within("max_radius", max_radius, 0.1, 1000, "pixels"),
            within("rendering_crop", rendering_crop, 0, 16_384, "pixels"),
            within("saliency_weight", saliency_weight, 0),
            within("low_weight", low_weight, 0),
            within("high_weight", high_weight, 0),
            ("high_weight", high_weight, low_weight + high_weight > 0, "more than 0, where low_weight is 0"),
            within("trained_upsamplings", trained_upsamplings, 1, 8),
            within("joint_depth_weight", joint_depth_weight, 0),
        )
        self.max_radius = max_radius
        self.net = DeepLensNet(
            channels=channels, upsampling_channels=upsampling_channels, two_map=two_map, numerics=numerics,
            backbone_pretrained=backbone_pretrained and self.starts_fresh, depth_size=depth_size,
            segmentation_head=segmentation_head, upsampling=upsampling, depth_network=depth_network,
            feature_start=feature_start,
        )  # fmt: skip
        if not depth_network:
            self.uses = replace(type(self).uses, disparity="needed")
        maps, pair = ("image", "disparity"), ("image", "bokeh", "focus", "aperture")
        supervision, rendered = (*maps, "true_disparity", "mask"), (*pair, "disparity", "true_disparity")
        needs = pair if training_disparity == "predicted" else (*pair, "disparity")
        stages = (
            Stage("depth", depth, "val/depth_mae", "min", keys=supervision, needs=maps, complete=False),
            Stage("rendering", rendering, keys=rendered, needs=needs),
            Stage("joint", joint, keys=rendered, needs=pair, by_default=False),
        )
        self.set_up(*(stages if depth_network else self.without_depth(stages)))

    # Rendering -------------------------------------------------------------------------------------------------

    def levels(self, height: int, width: int, aperture: float | None) -> int:
        """How often a photo is halved: until its long side is below 640 px and the blur within R_max (ours)."""
        count = 0
        while max(height, width) >> count >= 640:
            count += 1
        if aperture is not None:
            while aperture / 2**count > self.max_radius * 1.01 and min(height, width) >> (count + 1) >= 32:
                count += 1
        return count

    def disparity(self, image: Tensor, names: list[str] | None = None) -> Tensor | None:
        """The depth network's, B 1 H W, of whole pictures; None where there is none."""
        return self.net.predict_disparity(image) if self.uses.disparity == "own" else None

    def prepare(self, image: Tensor, disparity: Tensor | None = None, **more: Any) -> PreparedLevels:
        """As :meth:`BokehModel.prepare`; depth and features are computed when :meth:`refocus` first needs them.

        How often a photo is halved depends on the aperture; what was computed for the last two numbers of halvings is
        kept in what is returned.
        """
        if disparity is None and self.uses.disparity == "needed":
            raise self.no_disparity()
        return PreparedLevels(image, disparity, given=disparity is not None)

    @torch.no_grad()
    def refocus(
        self, prepared: PreparedLevels, focus: Focus = None, aperture: PerPicture = None, preview: bool = False
    ) -> Rendering:
        """As :meth:`BokehModel.refocus`: what changes with focus and aperture.

        Args:
            prepared: from :meth:`prepare`.
            focus: as :meth:`render`; None = the disparity at the centre.
            aperture: as :meth:`render`; None = the largest trained, without halvings for its sake.
            preview: stop at the coarsest level, and give the picture at its size.
        """
        size = (prepared.image.shape[-2], prepared.image.shape[-1])
        halved = self.halved(prepared, float(aperture.max()) if isinstance(aperture, Tensor) else aperture)
        coarsest = halved.pyramid[0]
        in_focus = self.focus_disparity(halved.disparity, focus, size)
        shrunk = max(size) / max(coarsest.shape[-2:])
        widest = self.per_image(self.max_radius, coarsest)
        here = widest if aperture is None else self.per_image(aperture, coarsest) / shrunk
        signed = self.signed_disparity(halved.disparity, in_focus, here)
        result = self.net.lens_blur(coarsest, signed, features=halved.features)
        for low, high in zip(halved.pyramid[:-1], halved.pyramid[1:], strict=True) if not preview else ():
            result = self.net.upsample(low, result, signed, high)
            signed = self.net.numerics.resize(signed, (high.shape[-2], high.shape[-1]))
        if result.shape[-2:] != size and not preview:
            result = self.net.numerics.resize(result, size)
        px = torch.minimum(here, widest) * shrunk
        note = in_words(self.source_of(prepared), in_focus, px, [counted(len(halved.pyramid), "level")])
        shown = (result.shape[-2], result.shape[-1])
        disparity = F.interpolate(halved.disparity, shown, mode="bilinear", align_corners=False)
        return Rendering(result.clamp_(0, 1), disparity, in_focus, px, note)

    def halved(self, prepared: PreparedLevels, aperture: float | None) -> Halved:
        """What the networks make of a photo that is rendered with ``aperture``, from ``prepared`` or else computed."""
        image, kept = prepared.image, prepared.halved
        official = self.net.numerics.official
        count = 0 if official else self.levels(image.shape[-2], image.shape[-1], aperture)
        if count not in kept:
            pyramid = self.net.pyramid(image) if official else [image]
            for _ in range(count):
                pyramid.insert(0, halve(pyramid[0]))
            coarsest = pyramid[0]
            size = (coarsest.shape[-2], coarsest.shape[-1])
            given = prepared.disparity
            used = self.net.predict_disparity(coarsest) if given is None else area_resize(given, size)
            while len(kept) > 1:  # features are large
                kept.pop(next(iter(kept)))
            kept[count] = Halved(pyramid, used, self.net.features(coarsest))
        return kept[count]

    def exported(self, size: int, largest_aperture: float) -> Exported:
        """As the base: lens blur and upsampling, with the halvings of ``size``; the depth map is an input."""
        if self.net.numerics.official or self.net.upsampling == "guided":
            raise BokehbenchError(
                f"{self.label} cannot be exported with --model.numerics official or --model.upsampling guided: its "
                "number of levels, or the system that it solves, depends on the photo."
            )
        halvings = self.levels(size, size, largest_aperture)

        def blur(image: Tensor, disparity: Tensor, focus: Tensor, aperture: Tensor) -> Tensor:
            pyramid = [image]
            for _ in range(halvings):
                pyramid.insert(0, area_product(pyramid[0], [side // 2 for side in pyramid[0].shape[-2:]]))
            small = pyramid[0].shape[-2:]
            here: Any = aperture / (torch.sym_max(*image.shape[-2:]) / torch.sym_max(*small))
            return self.net(pyramid, self.signed_disparity(area_product(disparity, small), focus, here))[-1]

        parts = self.net.rendering_networks()
        return Exported(blur, parts, self.uses, largest_aperture, size=f"{size}", levels=f"{halvings + 1}")
