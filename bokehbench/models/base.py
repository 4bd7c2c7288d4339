"""What every method is to the trainer, the command line and the benchmark."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn

from bokehbench.batch import Batch, known
from bokehbench.errors import BokehbenchError
from bokehbench.losses import total
from bokehbench.metrics.psnr import psnr
from bokehbench.metrics.ssim import ssim
from bokehbench.metrics.to_8bit import to_8bit
from bokehbench.models.stages import Stage, StageRecipe, select
from bokehbench.models.weights import load_weights

#: Where to focus: a disparity (number or B), a point (x, y) in pixels of the photo, or None = the method's default.
Focus = Tensor | float | tuple[float, float] | None
#: Blur radius in pixels of the photo at a disparity difference of 1 (number or B), or None = the method's default.
Strength = Tensor | float | None


class BokehModel(LightningModule, ABC):
    """Base of every method: stages for training, :meth:`render` for everything else.

    A subclass takes ``stages`` (names to walk, None = all), ``weights`` (a checkpoint to start from) and one
    :class:`StageRecipe` per stage as constructor arguments, builds its network, and calls :meth:`set_up`.
    """

    #: How the method is written in tables.
    title: ClassVar[str]
    #: The paper, for docs, tables and citations.
    paper: ClassVar[str]
    #: False for baselines, which have no stages and no weights.
    trainable: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.available: list[Stage] = []
        self.stages: list[Stage] = []
        self.stage: Stage | None = None

    def set_up(self, available: list[Stage], names: list[str] | None, weights: str | None) -> None:
        """To be called at the end of a subclass' constructor: choose stages, load starting weights."""
        self.available, self.stages = available, select(available, names)
        if weights is not None:
            load_weights(self, Path(weights))

    # What a method must say ------------------------------------------------------------------------------------

    @abstractmethod
    def stage_modules(self, stage: Stage) -> list[nn.Module]:
        """The modules that ``stage`` trains; all others are frozen and in evaluation mode meanwhile."""

    @abstractmethod
    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """Weighted loss terms of one training batch; their sum is minimised."""

    @abstractmethod
    def render(
        self,
        image: Tensor,
        *,
        disparity: Tensor | None = None,
        focus: Focus = None,
        aperture: Strength = None,
    ) -> Tensor:
        """Shallow depth of field: the one inference call of test, predict, render, score and report.

        Args:
            image: B 3 H W in [0, 1], any H and W.
            disparity: B 1 H W in [0, 1], 1 = nearest, or None: the method's own.
            focus: disparity in focus (B or a number), or a point (x, y) of the photo; None: the method's default.
            aperture: blur radius in pixels of ``image`` at a disparity difference of 1, B or a number; None: default.

        Returns:
            B 3 H W in [0, 1].
        """

    @property
    def needs_disparity(self) -> bool:
        """Whether :meth:`render` refuses a photo without a disparity map."""
        return False

    @staticmethod
    def per_image(value: Tensor | float, image: Tensor) -> Tensor:
        """A number or B values as B values on the device of ``image``."""
        return torch.as_tensor(value, dtype=torch.float32, device=image.device).reshape(-1).expand(len(image))

    @classmethod
    def focus_disparity(cls, disparity: Tensor, focus: Focus, height: int, width: int) -> Tensor:
        """The disparity in focus, shape B.

        Args:
            disparity: B 1 h w, of the photo at any size.
            focus: as :meth:`render`; a point is looked up at one pixel, as in the papers; None = the centre.
            height, width: of the photo that a point's coordinates refer to.

        Raises:
            BokehbenchError: the point lies outside the photo.
        """
        if focus is None:
            focus = (width / 2, height / 2)
        if not isinstance(focus, tuple):
            return cls.per_image(focus, disparity)
        x, y = focus
        if not (0 <= x <= width and 0 <= y <= height):
            raise BokehbenchError(f"The focus point {x:g},{y:g} is outside the photo of {width} x {height} pixels.")
        rows, columns = disparity.shape[-2:]
        row, column = min(int(y * rows / height), rows - 1), min(int(x * columns / width), columns - 1)
        return disparity[:, 0, row, column]

    def describe_rendering(self, image: Tensor, disparity: Tensor | None, focus: Focus, aperture: Strength) -> str:
        """What :meth:`render` used for these arguments, for people: override where the method has more to say."""
        return f"focus {'default' if focus is None else focus}, aperture {'default' if aperture is None else aperture}"

    @classmethod
    def official(cls) -> tuple[dict[str, Any], Callable[..., dict[str, Tensor]]]:
        """Constructor arguments under which the authors' weights are exact, and the reader of their files.

        The reader takes one or more paths and returns the state dict of ``net``.

        Raises:
            BokehbenchError: no weights were published, or no reader exists.
        """
        raise BokehbenchError(f"{cls.title} has no importer for published weights.")

    def inference_modules(self) -> list[nn.Module]:
        """What :meth:`render` uses: a result counts their parameters; override where training needs more."""
        return [self]

    # Stages ----------------------------------------------------------------------------------------------------

    def begin_stage(self, stage: Stage, resumed: bool = False) -> None:
        """Freeze what ``stage`` does not train; the trainer calls this before each stage's fit.

        A method that hands weights over from the stage before, or refuses to start without it, overrides this; with
        ``resumed`` the weights come from a checkpoint of this very stage and must not be touched.
        """
        self.stage = stage
        self.requires_grad_(False)
        for module in self.stage_modules(stage):
            module.requires_grad_(True)
        self.train(self.training)

    def train(self, mode: bool = True) -> BokehModel:
        """Training mode for what the current stage trains, evaluation mode for the rest (normalisation statistics)."""
        super().train(mode)
        if mode and self.stage is not None:
            for child in self.children():
                child.eval()
            for module in self.stage_modules(self.stage):
                module.train()
        return self

    def parameter_groups(self, stage: Stage) -> list[dict[str, Any]]:
        """Optimiser groups of ``stage``: weight decay on convolution kernels only; override for other rates."""
        recipe = stage.recipe
        trained = [p for p in self.parameters() if p.requires_grad]
        kernels = [p for p in trained if p.ndim >= 2]
        rest = [p for p in trained if p.ndim < 2]
        groups = [
            {"params": kernels, "weight_decay": recipe.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        return [group for group in groups if group["params"]]

    def configure_optimizers(self) -> Any:
        """Adam over the current stage's parameters, fresh for every stage."""
        assert self.stage is not None, "the trainer calls begin_stage first"
        recipe: StageRecipe = self.stage.recipe
        optimiser = torch.optim.Adam(self.parameter_groups(self.stage), lr=recipe.learning_rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, recipe.rate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def configure_gradient_clipping(self, optimizer: Any, *args: Any, **kwargs: Any) -> None:
        """The stage's own bound on the gradient norm, unless the trainer was given one."""
        if self.trainer.gradient_clip_val is not None:
            super().configure_gradient_clipping(optimizer, *args, **kwargs)
        elif self.stage is not None and self.stage.recipe.clip > 0:
            self.clip_gradients(optimizer, self.stage.recipe.clip, "norm")

    # Training, validation, test --------------------------------------------------------------------------------

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Make the randomness of a step (dropout) depend on the step alone, so that a resumed run is the same run."""
        torch.manual_seed(1_000_003 * self.trainer.current_epoch + batch_idx)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Loss of the current stage."""
        assert self.stage is not None
        terms = self.losses(self.stage, batch)
        loss = total(terms)
        name, size = self.stage.name, len(batch["image"])
        self.log(f"{name}/loss", loss, prog_bar=True, batch_size=size)
        self.log_dict({f"{name}/{term}": value for term, value in terms.items()}, batch_size=size)
        return loss

    def score(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Render a batch and score it as our default protocol does: 8-bit RGB, native size, no crop.

        Returns:
            The rendering, and per-image values (shape B each) of the method and of doing nothing (``identity``).
        """
        output = self.render_batch(batch)
        scores: dict[str, Tensor] = {}
        if bool(known(batch, "bokeh").all()):
            target = to_8bit(batch["bokeh"])
            for name, picture in (("", output), ("identity_", batch["image"])):
                rounded = to_8bit(picture)
                scores[f"{name}psnr"] = psnr(rounded, target)
                scores[f"{name}ssim"] = ssim(rounded, target)
        return output, scores

    def render_batch(self, batch: Batch) -> Tensor:
        """:meth:`render` with the disparity, focus and aperture that the batch has."""
        given = {key: batch[key] for key in ("disparity", "focus", "aperture") if bool(known(batch, key).all())}
        return self.render(batch["image"], **given)

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """Titled pictures (B 3 H W or B 1 H W) of a validation batch, for people; more where a method has more."""
        panels = {"input": batch["image"]}
        if "disparity" in batch:
            panels["disparity (bright = near)"] = batch["disparity"]
        panels["output"] = self.render_batch(batch)
        if "bokeh" in batch:
            panels["target"] = batch["bokeh"]
        return panels

    def validation_scores(self, batch: Batch) -> dict[str, Tensor]:
        """Per-image values logged as ``val/...``; a stage that trains no rendering overrides this."""
        return self.score(batch)[1]

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the mean over pictures of each per-image score."""
        scores = self.validation_scores(batch)
        self.log_dict(
            {f"val/{name}": value.mean() for name, value in scores.items()},
            batch_size=len(batch["image"]),
            on_epoch=True,
            sync_dist=True,
            prog_bar=False,
        )

    def test_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Scores per picture, for the table and the CSV."""
        output, scores = self.score(batch)
        self.log_dict(
            {f"test/{name}": value.mean() for name, value in scores.items()},
            batch_size=len(batch["image"]),
            on_epoch=True,
            sync_dist=True,
        )
        return {"name": batch["name"], "output": output, "scores": scores}

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Renderings, for the picture writer."""
        return {"name": batch["name"], "output": self.render_batch(batch)}

    # Checkpoints -----------------------------------------------------------------------------------------------

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Every checkpoint knows its method, its stage and the stages of its run (primitives only: safe to load)."""
        hyperparameters = checkpoint.get("hyper_parameters", {})
        checkpoint["hyper_parameters"] = {k: asdict(v) if is_dataclass(v) else v for k, v in hyperparameters.items()}  # type: ignore[arg-type]
        checkpoint["bokehbench"] = {
            "model": type(self).__name__,
            "stages": [stage.name for stage in self.stages],
            "stage": self.stage.name if self.stage else None,
        }
