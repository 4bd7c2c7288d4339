"""D2F, "Defocus to Focus" (Luo et al., Information Fusion 89, 2023, arXiv 2306.04506): hallucinate, render, fuse."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from kornia.losses import inverse_depth_smoothness_loss
from torch import Tensor, nn

from bokehbench.batch import Batch, known, require
from bokehbench.errors import BokehbenchError, check_options, within
from bokehbench.metrics.lpips import SMALLEST, lpips
from bokehbench.metrics.rank_correlation import rank_correlation
from bokehbench.metrics.sample import Sample
from bokehbench.metrics.ssim import ssim
from bokehbench.models.base import BokehModel
from bokehbench.models.exported import Exported
from bokehbench.models.published import Published
from bokehbench.models.random_crop import random_crop
from bokehbench.models.rendering import Prepared, Rendering, in_words
from bokehbench.models.renders import Focus, PerPicture
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.models.uses import Uses
from bokehbench.nets.d2f import D2FNet
from bokehbench.nets.d2f.d2f_net import halved, resize, shrinking
from bokehbench.nets.d2f.defocus import BACKBONE, HeadActivation
from bokehbench.nets.d2f.fusion import FusionMode, fuse, initial_mask
from bokehbench.nets.d2f.poisson import initial_mask_loss, initial_mask_weight, poisson_gradient_loss, range_penalty
from bokehbench.nets.d2f.radiance import RadianceMode
from bokehbench.nets.d2f.renderer import DiskEdge, KernelSet, defocus_of
from bokehbench.optics import circle_of_confusion, fixed, per_image
from bokehbench.weights.d2f import load_official

#: ``alpha_schedule: rising`` starts here and arrives after this share of the stage (5 of 40 epochs).
SOFTEST, RISING_SHARE = 20.0, 5 / 40


class D2F(BokehModel):
    """Two stages: ``rendering`` (defocus, radiance and layers, from the target alone), ``fusion`` (the mask network).

    No training code is published; what is the paper's, the release's and ours is told in docs/models/d2f.md.

    Args:
        defocus_scale: factor on the hallucinated defocus in all rendering, 0 = sharp, 1 = as learned.
        kernel_set: 15 layers as released, or the 17 or 6 of earlier versions.
        disk_edge: ``soft`` as released, or ``hard``.
        radiance: ``full``, ``learned`` (no highlight branch), ``highlight`` (that branch alone) or ``off``.
        mask: what fuses original and rendering: ``refined`` by the mask network, ``initial`` by the thresholded
            defocus map, ``none`` = the upsampled rendering alone. Without ``refined`` there is no stage ``fusion``.
        sharpness: alpha of the layer masks.
        alpha_schedule: ``rising`` trains with 20 at first, ``sharpness`` after an eighth of the stage.
        head_activation: ``clamp`` or ``sigmoid`` keep the defocus in the layers' range; ``none`` as released.
        backbone: timm's name of the encoder.
        backbone_pretrained: start the encoder from ImageNet weights (downloads them).
        channels: width of the decoder.
        unused_unit: also hold the residual unit of the official file that nothing runs.
        freeze_batch_norm: keep the encoder's running statistics: for pretrained weights and batches below 4.
        encoder_rate: the encoder's learning rate, relative to the stage's.
        ssim_weight: weight of 1 - SSIM beside L1, in both stages.
        lpips_weight: weight of LPIPS (AlexNet) beside them, for ablations: 0 = off, 0.1 is usual; needs its weights.
        smoothness_weight: weight of the edge-aware total variation of the defocus map, for ablations: 0 = off.
        poisson_weight: weight of the gradient-domain term of ``fusion``; 0 leaves it out.
        poisson_form: compare ``gradient`` fields, or their divergence (``laplacian``).
        mask_weight: weight of ``|M - M0|`` when ``fusion`` begins; 0 after a fifth of the stage (2 of 10 epochs).
        range_weight: weight of the penalty on defocus and mask outside their clamps.
        fusion_crop: side of the random crop on which ``fusion`` trains, in pixels; the first part always sees the
            whole picture; 0 = no crop.
        rendering: recipe of the rendering stage.
        fusion: recipe of the fusion stage.
    """

    title = "D2F"
    paper = "Luo et al., Information Fusion 89, 2023, arXiv 2306.04506"
    #: Two PyTorch files, first stage first; unclamped defocus, as they run it.
    authors = {"head_activation": "none"}, load_official
    later = ("lpips_weight", "smoothness_weight")
    published = Published(
        40_433_619,
        {"backbone": BACKBONE, "channels": 256, "head_activation": "none", "sharpness": 100.0, "kernel_set": 15,
         "disk_edge": "soft", "radiance": "full", "mask": "refined"},
        {"backbone": "{}", "channels": "{}"},
        {"backbone_pretrained": True, "defocus_scale": 1.0},  # the inference code; there is no other
    )  # fmt: skip
    uses = Uses(
        focus=False, disparity="ignored",
        note="D2F decides alone what is in focus: a click changes nothing. It obeys the aperture.",
    )  # fmt: skip
    #: It imitates the lens of its training data.
    rendered_with = ()

    def __init__(
        self,
        defocus_scale: float = 1.0,
        kernel_set: KernelSet = 15,
        disk_edge: DiskEdge = "soft",
        radiance: RadianceMode = "full",
        mask: FusionMode = "refined",
        sharpness: float = 100.0,
        alpha_schedule: Literal["constant", "rising"] = "constant",
        head_activation: HeadActivation = "clamp",
        backbone: str = BACKBONE,
        backbone_pretrained: bool = False,
        channels: int = 256,
        unused_unit: bool = False,
        freeze_batch_norm: bool = False,
        encoder_rate: float = 0.1,
        ssim_weight: float = 1.0,
        lpips_weight: float = 0.0,
        smoothness_weight: float = 0.0,
        poisson_weight: float = 1.0,
        poisson_form: Literal["gradient", "laplacian"] = "gradient",
        mask_weight: float = 0.1,
        range_weight: float = 0.01,
        fusion_crop: int = 0,
        rendering: StageRecipe = StageRecipe(
            steps=44_000, batch_size=4, learning_rate=1e-4, decay_at=[0.625, 0.875], view="resize",
            height=1024, width=1536,
        ),
        fusion: StageRecipe = StageRecipe(
            steps=22_000, batch_size=2, learning_rate=1e-4, decay_at=[0.7], view="resize", height=1024, width=1536
        ),
        **training: Any,
    ) -> None:  # fmt: skip
        super().__init__(**training)
        weights = {"ssim_weight": ssim_weight, "lpips_weight": lpips_weight, "smoothness_weight": smoothness_weight,
                   "poisson_weight": poisson_weight, "mask_weight": mask_weight, "range_weight": range_weight,
                   "encoder_rate": encoder_rate}  # fmt: skip
        check_options(
            "--model.",
            within("defocus_scale", defocus_scale, 0, 1000),
            ("sharpness", sharpness, 0 < sharpness <= 1e4, "more than 0, 10000 at most"),
            within("channels", channels, 1, 2048),
            within("fusion_crop", fusion_crop, 0, 16_384, "pixels"),
            *(within(name, weight, 0) for name, weight in weights.items()),
        )
        self.defocus_scale = defocus_scale
        #: Share of the current stage that is done, for what changes during it.
        self.progress = 0.0
        self.net = D2FNet(
            head_activation=head_activation, kernel_set=kernel_set, disk_edge=disk_edge, sharpness=sharpness,
            radiance=radiance, fusion=mask, unused_unit=unused_unit,
            backbone_pretrained=backbone_pretrained and self.starts_fresh,
            freeze_batch_norm=freeze_batch_norm, backbone=backbone, channels=channels,
        )  # fmt: skip
        needs = ("image", "bokeh")
        available = [Stage("rendering", rendering, monitor="val/coarse_psnr", keys=needs, needs=needs)]
        if mask == "refined":
            available.append(Stage("fusion", fusion, monitor="val/psnr", keys=needs, needs=needs))
        self.set_up(*available)

    # Training --------------------------------------------------------------------------------------------------

    def stage_modules(self, stage: Stage) -> list[nn.Module]:
        """Defocus and radiance jointly (one official file holds both), or the mask network."""
        if stage.name == "fusion":
            return [self.net.fusion]
        learned = self.net.radiance.mode in ("full", "learned")
        return [self.net.defocus, self.net.radiance] if learned else [self.net.defocus]

    def begin_stage(self, stage: Stage, resumed: bool = False) -> None:
        """As the base; what never gets a gradient stays frozen, and a mask is not fitted to an untrained rendering."""
        first = stage is self.stages[0]
        if stage.name == "fusion" and first and not (resumed or self.provenance.trained("rendering")):
            raise BokehbenchError(
                "D2F's stage 'fusion' works on a trained first stage: give its checkpoint with --model.weights, or "
                "train both stages."
            )
        if self.hparams["lpips_weight"]:
            blank = torch.zeros(1, 3, SMALLEST, SMALLEST)
            lpips(blank, blank)  # says now, and not inside the first step, that its weights cannot be had
        super().begin_stage(stage, resumed)
        unused = self.net.defocus.refine[3].lateral_unit
        if isinstance(unused, nn.Module):
            unused.requires_grad_(False)

    def parameter_groups(self, stage: Stage) -> list[dict[str, Any]]:
        """As the base, the encoder apart at its lower rate."""
        encoder = {id(p) for p in self.net.defocus.encoder.parameters()}
        rates = {False: stage.recipe.learning_rate, True: stage.recipe.learning_rate * self.hparams["encoder_rate"]}
        groups = [
            {**group, "params": [p for p in group["params"] if (id(p) in encoder) == inside], "lr": rate}
            for group in super().parameter_groups(stage)
            for inside, rate in rates.items()
        ]
        return [group for group in groups if group["params"]]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """As the base, knowing how much of the stage is done."""
        self.progress = batch_idx / max(1.0, float(self.trainer.num_training_batches))
        return super().training_step(batch, batch_idx)

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """L1, SSIM and a penalty on leaving the clamps; in ``fusion`` also the gradient-domain and warm-up terms."""
        return self.rendering_losses(batch) if stage.name == "rendering" else self.fusion_losses(batch)

    def rendering_losses(self, batch: Batch) -> dict[str, Tensor]:
        """The coarse rendering against the target at half size; no depth or defocus labels."""
        half, target = halved(batch["image"]), halved(batch["bokeh"])
        sharpness, weight = self.hparams["sharpness"], self.hparams["smoothness_weight"]
        rising = min(1.0, self.progress / RISING_SHARE) if self.hparams["alpha_schedule"] == "rising" else 1.0
        self.net.renderer.sharpness = SOFTEST + (sharpness - SOFTEST) * rising
        try:
            stage1 = self.net.render_coarse(half)
        finally:
            self.net.renderer.sharpness = sharpness
        outside = range_penalty(stage1["defocus_linear"], 0, self.net.defocus.top)
        terms = {**self.photometric(stage1["coarse"], target), "range": self.hparams["range_weight"] * outside}
        if weight:
            with torch.autocast(half.device.type, enabled=False):
                terms["smoothness"] = weight * inverse_depth_smoothness_loss(stage1["defocus"].float(), half.float())
        return terms

    def fusion_losses(self, batch: Batch) -> dict[str, Tensor]:
        """The fused picture against the target at full size, by the linear mask: a clamp has no gradient outside."""
        image, target = batch["image"], batch["bokeh"]
        with torch.no_grad():
            stage1 = self.net.render_coarse(halved(image))
            size = (image.shape[-2], image.shape[-1])
            defocus, rendering = resize(stage1["defocus"], size), resize(stage1["coarse"], size)
            mask_init = initial_mask(defocus)
        if side := self.hparams["fusion_crop"]:
            pictures = [image, target, defocus, rendering, mask_init]
            image, target, defocus, rendering, mask_init = random_crop(pictures, side)
        mask = self.net.fusion(image, defocus).float()
        fused = fuse(image, rendering, mask)
        gradients = poisson_gradient_loss(fused, image, rendering, mask_init, self.hparams["poisson_form"])
        warm_up = initial_mask_weight(self.progress, start=self.hparams["mask_weight"], over_epochs=0.2)
        return {
            **self.photometric(fused, target),
            "poisson": self.hparams["poisson_weight"] * gradients,
            "initial_mask": warm_up * initial_mask_loss(mask, mask_init),
            "range": self.hparams["range_weight"] * range_penalty(mask),
        }

    def photometric(self, prediction: Tensor, target: Tensor) -> dict[str, Tensor]:
        """L1, 1 - SSIM and, where asked for, LPIPS; in full precision: the variances of SSIM are lost in half."""
        with torch.autocast(prediction.device.type, enabled=False):
            prediction = prediction.float()
            similarity = ssim(prediction, target, window="gaussian").mean()
            terms = {"l1": F.l1_loss(prediction, target), "ssim": self.hparams["ssim_weight"] * (1 - similarity)}
            if weight := self.hparams["lpips_weight"]:
                terms["lpips"] = weight * lpips(prediction, target).mean()
            return terms

    # Validation ------------------------------------------------------------------------------------------------

    def validation_scores(self, batch: Batch) -> dict[str, Tensor]:
        """While ``rendering`` trains, the coarse rendering at half size; defocus against the true one where known."""
        scores: dict[str, Tensor] = {}
        rendering = self.stage is not None and self.stage.name == "rendering"
        true = self.true_defocus(batch)
        if rendering or true is not None:
            stage1 = self.net.render_coarse(halved(batch["image"]))
            if true is not None:
                scores["defocus_rank"] = rank_correlation(stage1["defocus"], true)
            if rendering:
                require(batch, ("bokeh",), "D2F, validation of stage 'rendering'")
                sample = Sample(stage1["coarse"], halved(batch["bokeh"]))
                scores |= self.scores(sample, halved(batch["image"]), prefix="coarse_")
        if not rendering or self.net.fusion_mode != "refined":
            scores |= super().validation_scores(batch)
        return scores

    def true_defocus(self, batch: Batch) -> Tensor | None:
        """|disparity - focus| aperture as a defocus map on D2F's scale, B 1 h w at half size; None where unknown."""
        key = "true_disparity" if "true_disparity" in batch else "disparity"
        if not all(bool(known(batch, name).all()) for name in (key, "focus", "aperture")):
            return None
        blur = circle_of_confusion(batch[key], batch["focus"], batch["aperture"])  # type: ignore[literal-required]
        return defocus_of(halved(blur) / shrinking(batch["image"]), self.hparams["kernel_set"])

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """Input, hallucinated and (where known) true defocus, mask, output, target."""
        out = self.net(batch["image"], self.defocus_scale)
        panels = {
            "input": batch["image"], "hallucinated defocus": out["defocus"], "true defocus": self.true_defocus(batch),
            "mask (bright = sharp)": out["mask"], "output": out["bokeh"], "target": batch.get("bokeh"),
        }  # fmt: skip
        return {title: picture for title, picture in panels.items() if picture is not None}

    # Rendering -------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def refocus(
        self, prepared: Prepared, focus: Focus = None, aperture: PerPicture = None, preview: bool = False
    ) -> Rendering:
        """As :meth:`BokehModel.refocus`, but D2F decides alone what is in focus.

        ``aperture`` is the blur radius in pixels of the photo where the hallucinated defocus is 1, at most 68 (twice
        the largest kernel); None: ``defocus_scale``.
        """
        image = prepared.image
        scale = self.scale_for(image, aperture)
        px = None if aperture is None else self.per_image(aperture, image)
        source = f"own defocus, scale {float(torch.as_tensor(scale).reshape(-1)[0]):.2f}"
        note = in_words(source, None, px, [self.ignored(prepared, focus, aperture)])
        return Rendering(self.net(image, scale)["bokeh"], aperture=px, note=note)

    def scale_for(self, image: Tensor, aperture: PerPicture) -> Tensor | float:
        """Factor on the defocus map (number or B) that gives defocus 1 a radius of ``aperture`` pixels of ``image``."""
        if aperture is None:
            return self.defocus_scale
        return defocus_of(self.per_image(aperture, image) / shrinking(image), self.hparams["kernel_set"])

    def exported(self, size: int, largest_aperture: float) -> Exported:
        """As the base, with the aperture as an input; every layer is computed."""
        net, renderer, kernel_set = self.net, self.net.renderer, self.hparams["kernel_set"]

        def blur(image: Tensor, disparity: None, focus: None, aperture: Tensor) -> Tensor:
            half = halved(image)
            scale = per_image(defocus_of(aperture / shrinking(image), kernel_set), half)
            defocus = (net.defocus(half) * scale).clamp(0.0, renderer.top)
            coarse = fixed.weighted_layers(
                half, defocus, net.radiance(half), radii=renderer.radii, sharpness=renderer.sharpness,
                kernel=renderer.disk_edge,
            )  # fmt: skip
            return net.finish(image, defocus, coarse)["bokeh"]

        return Exported(blur, [net], self.uses, largest_aperture)
