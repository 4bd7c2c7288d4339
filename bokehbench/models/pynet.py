"""PyNET for bokeh (Ignatov, Patel, Timofte, CVPR workshops 2020, arXiv 2006.05698): seven levels, coarse to fine."""

from dataclasses import asdict, replace
from functools import partial
from itertools import islice
from math import ceil
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bokehbench.batch import Batch, known, require
from bokehbench.errors import BokehbenchError, check_options, within
from bokehbench.losses import pynet_coarse_loss, pynet_finest_loss, total
from bokehbench.metrics.measurement import Measurement
from bokehbench.metrics.protocols import find_protocol
from bokehbench.metrics.sample import Sample
from bokehbench.models.base import BokehModel
from bokehbench.models.collapse import CollapseGuard
from bokehbench.models.exported import Exported
from bokehbench.models.published import Published
from bokehbench.models.pynet_handover import start_level
from bokehbench.models.rendering import Rendering
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.models.uses import Uses
from bokehbench.nets.pynet import LEVELS, PyNETNet, crop, pad
from bokehbench.nets.pynet.pictures import MULTIPLE, even, fitted, network_input, reduced, rounded
from bokehbench.optics.padding import mirror, window
from bokehbench.perceptual import VGGDistance, load_vgg
from bokehbench.weights.pynet import load_official

#: The authors' evaluation without its contrast stretching, which moves PSNR by -0.76 dB (docs/models/pynet.md).
AUTHORS = replace(find_protocol("pynet"), stretch_target=False)

#: Level -> steps and batch size of the authors' README; the code's default is a batch of 50 at every level.
SCHEDULE = {
    7: (5_000, 50), 6: (5_000, 50), 5: (20_000, 40), 4: (20_000, 14), 3: (30_000, 9), 2: (80_000, 9), 1: (100_000, 5),
}  # fmt: skip
#: Level -> the authors' recipe: Adam without decay, warm-up, weight decay or clipping; windows of 512 px at half size.
RECIPES = {
    level: StageRecipe(steps, batch_size, learning_rate=5e-5, decay_at=[], view="crop", height=1024, width=1024)
    for level, (steps, batch_size) in SCHEDULE.items()
}


class PyNET(CollapseGuard, BokehModel):
    """Seven stages, ``level_7`` (1/64 of the photo's size) to ``level_1`` (its size); nothing is ever frozen.

    A level starts from the level above it, of the same run or of ``weights``, and is refused otherwise.

    Args:
        width: channels per branch at level 3; 32 is the paper's.
        depth_input: give the network the disparity map as 4th channel, as in the paper.
        head_init: start of fresh levels: ``copy`` (ours) begins level 3 as the photo, and levels 2 and 1 where the
            coarser level ended; ``official`` is the authors', known to leave level 1 flat grey.
        start_anywhere: start at any level without the weights of the one before.
        checkpointing: keep less in memory while training (about half) at 0.8 of the speed.
        margin: mirrored pixels (even, at half size) around a photo that ``render`` feeds; the authors have 0.
        perceptual: VGG-19 of level 1's loss: ``torchvision``, a file (bokehbench/perceptual.py says which), or
            ``none``. The original weights enter as published, 0.1 times the distance.
        perceptual_share: share of level 1's loss that torchvision's VGG term begins with (docs/models/pynet.md).
        collapse_after: steps of a level after which a flat output stops the run (a saturated one or NaN always does).
        official_evaluation: add the authors' scores to ``test``: 32 px border cut, TensorFlow's SSIM and MS-SSIM.
        level_7, level_6, level_5, level_4, level_3, level_2, level_1: recipes of the levels.
    """

    title = "PyNET"
    paper = "Ignatov, Patel, Timofte, CVPR workshops 2020, arXiv 2006.05698"
    published = Published(
        47_551_791,
        {"width": 32, "depth_input": True, "margin": 0, "perceptual": "imagenet-vgg-verydeep-19.mat"},
        {"width": "w{}", "depth_input": "no-depth"},
        {"head_init": "official", "precision": "32-true", "*.data": "EBB",
         **{f"level_{level}.{key}": value for level in RECIPES for key, value in asdict(RECIPES[level]).items()}},
    )  # fmt: skip
    #: A TensorFlow checkpoint; no mirrored margin, as in their test.
    authors = {"margin": 0, "head_init": "official"}, load_official
    without_disparity = ", or train with --model.depth_input false"
    finest: Tensor
    perceptual_weight: Tensor

    def __init__(
        self,
        width: int = 32,
        depth_input: bool = True,
        head_init: Literal["copy", "official"] = "copy",
        start_anywhere: bool = False,
        checkpointing: bool = False,
        margin: int = 16,
        perceptual: str = "torchvision",
        perceptual_share: float = 0.15,
        collapse_after: int = 1000,
        official_evaluation: bool = False,
        level_7: StageRecipe = RECIPES[7],
        level_6: StageRecipe = RECIPES[6],
        level_5: StageRecipe = RECIPES[5],
        level_4: StageRecipe = RECIPES[4],
        level_3: StageRecipe = RECIPES[3],
        level_2: StageRecipe = replace(RECIPES[2], warmup_steps=500),
        level_1: StageRecipe = replace(RECIPES[1], warmup_steps=500),
        **training: Any,
    ) -> None:
        super().__init__(**training)
        check_options(
            "--model.",
            within("width", width, 1, 1024),
            ("margin", margin, 0 <= margin <= 4096 and margin % 2 == 0, "an even number of pixels, 0 to 4096"),
            within("collapse_after", collapse_after, 0),
            ("perceptual_share", perceptual_share, 0 < perceptual_share < 1, "a share between 0 and 1"),
        )
        self.depth_input = depth_input
        self.uses = Uses(
            False, False, "needed" if depth_input else "ignored",
            note="PyNET has the look of its training pairs: neither focus nor aperture can be chosen.",
        )  # fmt: skip
        self.collapse_after = collapse_after
        self.net = PyNETNet(width, depth_input, head_init, checkpointing)
        # In the state, so that every checkpoint renders with the level that it was trained for
        self.register_buffer("finest", torch.tensor(1))
        self.register_buffer("perceptual_weight", torch.tensor(0.0))  # 0 = not measured yet
        self._vgg: list[VGGDistance] = []  # in a list: neither trained, nor saved, nor moved with the rest
        self._fresh_level = False
        self.start_score: float | None = None
        needs = ("image", "bokeh")
        keys = (*needs, "disparity") if depth_input else needs
        recipes = (level_7, level_6, level_5, level_4, level_3, level_2, level_1)
        available = [
            Stage(f"level_{level}", recipe, "val/psnr", quarter_turns=True, window_step=2, keys=keys, needs=needs)
            for level, recipe in zip(LEVELS, recipes, strict=True)
        ]
        self.set_up(*available)
        #: The finest level that the weights were trained for, None where they are fresh.
        self.trained_to: int | None = None if self.starts_fresh else int(self.finest)

    # Stages ----------------------------------------------------------------------------------------------------

    def stage_modules(self, stage: Stage) -> list[nn.Module]:
        """Encoder, all coarser bodies, this level and its head: the authors freeze nothing."""
        return self.net.level_modules(level_of(stage))

    def begin_stage(self, stage: Stage, resumed: bool = False) -> None:
        """Start a level from the one above it.

        Raises:
            BokehbenchError: that one was not trained; or the VGG weights of level 1 cannot be had.
        """
        level = level_of(stage)
        if self.hparams["perceptual"] != "none" and not self._vgg and self.stages[-1].name == "level_1":
            self._vgg.append(load_vgg(self.hparams["perceptual"]))  # now, and not after a week of coarser levels
        if not resumed:
            if level < 7 and self.trained_to not in (level + 1, level) and not self.hparams["start_anywhere"]:
                have = "fresh" if self.trained_to is None else f"those of level_{self.trained_to}"
                raise BokehbenchError(
                    f"PyNET's level_{level} starts from the weights of level_{level + 1}, and these are {have}: give "
                    f"--model.weights RUN/checkpoints/level_{level + 1}.ckpt, or --model.start_anywhere true."
                )
            if self.trained_to != level:
                start_level(self.net, level)
        self._fresh_level, self._seen, self.start_score = not resumed, None, None
        self.trained_to = level
        self.finest.fill_(level)
        super().begin_stage(stage, resumed)

    def on_train_start(self) -> None:
        """Score level 1 as it starts: it must go on where level 2 ended (``full_psnr`` of level 2)."""
        super().on_train_start()
        data = getattr(self.trainer, "datamodule", None)
        if not self._fresh_level or int(self.finest) != 1 or data is None or not self.trainer.limit_val_batches:
            return
        limit, loader = self.trainer.limit_val_batches, data.val_dataloader()
        count = limit if isinstance(limit, int) else ceil((limit or 1.0) * len(loader))
        self.eval()
        with torch.no_grad():
            batches = (self.trainer.strategy.batch_to_device(batch) for batch in islice(loader, count))
            scores = [self.rendering_scores(batch, self.sample(batch)) for batch in batches]
            values = [each.get("psnr", torch.tensor(torch.nan)).mean() for each in scores]
        self.train()
        self.start_score = float(torch.stack(values).mean()) if values else None

    # Training --------------------------------------------------------------------------------------------------

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """100 L1 at levels 7 to 2; 10 L1 + 10 (1 - SSIM) + the VGG term at level 1."""
        level = level_of(stage)
        x, target = self.pair(batch, level)
        output = self.net(x, level)
        self.watch(output, target, partial(self.net, x[:1], level))
        if level > 1:
            return pynet_coarse_loss(output.float(), target)
        terms = pynet_finest_loss(output, target)
        if self._vgg:
            distance: Tensor = self._vgg[0].to(output.device)(output, target)
            terms["vgg"] = self._vgg_weight(distance, terms) * distance
        return terms

    def _vgg_weight(self, distance: Tensor, terms: dict[str, Tensor]) -> Tensor:
        """0.1 with the original weights; otherwise what gives the term its share of the first batch's loss."""
        if float(self.perceptual_weight) == 0:
            share = self.hparams["perceptual_share"]
            weight = share / (1 - share) * total(terms).detach() / distance.detach().clamp_min(1e-12)
            if self._vgg[0].caffe:
                weight = torch.full_like(weight, 0.1)
            elif self._trainer is not None:
                weight = self._trainer.strategy.reduce(weight, reduce_op="mean")
            self.perceptual_weight.copy_(weight)
        return self.perceptual_weight

    def pair(self, batch: Batch, level: int) -> tuple[Tensor, Tensor]:
        """Network input and target of a level; pictures are cropped (or mirrored out) to sizes that fit."""
        if self.depth_input and not bool(known(batch, "disparity").all()):
            raise self.no_disparity(f" ({', '.join(batch['name'][:3])})")
        x = network_input(fitted(batch["image"]), fitted(batch["disparity"]) if self.depth_input else None)
        return x, reduced(fitted(batch["bokeh"]), 2 ** (level - 1))

    # Validation and test ---------------------------------------------------------------------------------------

    def validation_scores(self, batch: Batch) -> dict[str, Tensor]:
        """Scores of the level's own output at its own size; at level 1 those of the rendering, as in ``test``.

        ``full_psnr`` of level 2 is that of its output enlarged to the photo's size, and ``start_psnr`` of level 1 what
        it began with: the two show the hand-over.
        """
        level = level_of(self.stage) if self.stage else int(self.finest)
        if level == 1:
            scores = self.rendering_scores(batch, self.sample(batch))
            if self.start_score is not None and scores:
                scores["start_psnr"] = torch.full_like(scores["psnr"], self.start_score)
            return scores
        require(batch, ("bokeh",), f"PyNET, validation of level_{level}")
        x, target = self.pair(batch, level)
        sample = Sample(rounded(self.net(x, level).float()), target)
        scores = self.scores(sample, reduced(fitted(batch["image"]), 2 ** (level - 1)))
        if level == 2:
            whole = self.rendering_scores(batch, self.sample(batch))
            scores |= {"full_psnr": whole["psnr"], "identity_full_psnr": whole["identity_psnr"]}
        return scores

    def rendering_scores(self, batch: Batch, sample: Sample) -> dict[str, Tensor]:
        """The default protocol's scores, and the authors' where ``official_evaluation`` asks for them."""
        scores = super().rendering_scores(batch, sample)
        if self.hparams["official_evaluation"]:
            scores |= self.scores(sample, batch["image"], Measurement.of_protocol(AUTHORS), "official_")
        return scores

    # Rendering -------------------------------------------------------------------------------------------------

    def blur(self, image: Tensor, disparity: Tensor | None, focus: None, aperture: None) -> Tensor:
        """As :meth:`BokehModel.blur`; focus and aperture are those of the training pairs.

        The photo is padded with its mirror image. Weights trained down to a coarser level than 1 give that level's
        output, enlarged.
        """
        full = even(image)
        x = network_input(full, None if disparity is None else even(disparity))
        padded, offset = pad(x, self.hparams["margin"])
        level = int(self.finest)
        output = self.net(padded, level).float()
        if level > 1:
            height, width = padded.shape[-2:]  # bilinear, as the hand-over to level 1 copies it
            output = F.interpolate(output, (2 * height, 2 * width), mode="bilinear", align_corners=False)
        output = crop(output, offset, (x.shape[-2], x.shape[-1]))
        return output[..., : image.shape[-2], : image.shape[-1]].clamp(0, 1)

    def remark(self, rendering: Rendering) -> str:
        """The level, where it is not the finest."""
        level = int(self.finest)
        coarse = f"trained down to level_{level} only: its output, enlarged {2 ** (level - 1)} times"
        return coarse if level > 1 else ""

    def exported(self, size: int, largest_aperture: float) -> Exported:
        """As the base, with the level that the weights were trained for."""
        level, beyond = int(self.finest), 2 * self.hparams["margin"] + MULTIPLE - 1

        def blur(image: Tensor, disparity: Tensor | None, focus: None, aperture: None) -> Tensor:
            x = network_input(even(image), None if disparity is None else even(disparity))
            sizes = [torch.sym_max(2, (side + beyond) // MULTIPLE) * MULTIPLE for side in x.shape[-2:]]
            before = [(total - side) // 4 * 2 for total, side in zip(sizes, x.shape[-2:], strict=True)]
            output = self.net(mirror(x, *before, *sizes), level)
            if level > 1:
                output = F.interpolate(output, [2 * side for side in sizes], mode="bilinear", align_corners=False)
            return window(output, *(2 * at for at in before), *image.shape[-2:])

        # One value in about 200,000 of the half-size photo lies between two of 8 bits, and may be rounded either way
        return Exported(blur, [self.net], self.uses, largest_aperture, strays=1e-3, level=f"{level}")


def level_of(stage: Stage) -> int:
    """``level_3`` -> 3."""
    return int(stage.name.removeprefix("level_"))
