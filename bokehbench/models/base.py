"""What every method is to the trainer, the command line and the benchmark."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bokehbench.batch import Batch, known
from bokehbench.checkpoints import read_checkpoint
from bokehbench.errors import BokehbenchError
from bokehbench.losses import total
from bokehbench.metrics.column import NotMeasuredError
from bokehbench.metrics.measurement import Measurement, numbers, sample_of
from bokehbench.metrics.sample import Sample
from bokehbench.models.recorded import Recorded
from bokehbench.models.stages import Stage, StageRecipe, select
from bokehbench.provenance import UNTRAINED

#: One number for all pictures, or B of them; None = the method's default.
PerPicture = Tensor | float | None
#: Where to focus: a disparity, or a point (x, y) in pixels of the photo.
Focus = PerPicture | tuple[float, float]


class BokehModel(Recorded, ABC):
    """Base of every method: stages for training, :meth:`render` for everything else.

    A subclass takes ``stages`` (names to walk, None = those by default), ``weights`` (a checkpoint to start from) and
    one :class:`StageRecipe` per stage as constructor arguments, builds its network, and calls :meth:`set_up`.
    """

    #: How the method is written in tables.
    title: ClassVar[str]
    #: The paper, for docs, tables and citations.
    paper: ClassVar[str]
    #: Whether :meth:`render` refuses a photo without a disparity map.
    needs_disparity: bool = False
    #: What :meth:`render` is given of a batch besides the picture, where the batch has it.
    rendered_with: ClassVar[tuple[str, ...]] = ("disparity", "focus", "aperture")
    #: The default aperture as a share of the photo's long side, see :meth:`default_aperture`.
    aperture_share: float = 0.025

    def set_up(self, available: list[Stage], names: list[str] | None, weights: str | None) -> None:
        """To be called at the end of a subclass' constructor: choose stages, load starting weights."""
        self.available, self.stages = available, select(available, names)
        if weights is not None:
            self.take_weights(read_checkpoint(Path(weights)), weights)

    # What a method must say ------------------------------------------------------------------------------------

    def stage_modules(self, stage: Stage) -> list[nn.Module]:
        """The modules that ``stage`` trains; all others are frozen and in evaluation mode meanwhile."""
        raise NotImplementedError(f"{type(self).__name__} has stages and must say what they train")

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """Weighted loss terms of one training batch; their sum is minimised."""
        raise NotImplementedError(f"{type(self).__name__} has stages and must say what they minimise")

    @abstractmethod
    def render(
        self, image: Tensor, *, disparity: Tensor | None = None, focus: Focus = None, aperture: PerPicture = None
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

    @staticmethod
    def per_image(value: Tensor | float, image: Tensor) -> Tensor:
        """A number or B values as B values on the device of ``image``."""
        return torch.as_tensor(value, dtype=torch.float32, device=image.device).reshape(-1).expand(len(image))

    @classmethod
    def focus_disparity(cls, disparity: Tensor, focus: Focus, shape: Sequence[int]) -> Tensor:
        """The disparity in focus, shape B.

        Args:
            disparity: B 1 h w, of the photo at any size.
            focus: as :meth:`render`; a point is looked up at one pixel, as in the papers; None = the centre.
            shape: of the photo that a point's coordinates refer to, ending with height and width.

        Raises:
            BokehbenchError: the point lies outside the photo.
        """
        height, width = shape[-2:]
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

    def default_aperture(self, image: Tensor) -> float:
        """The aperture of :meth:`render` where none is given, in pixels of ``image``."""
        return self.aperture_share * max(image.shape[-2:])

    def aperture_of(self, image: Tensor, aperture: PerPicture) -> Tensor:
        """The aperture given or the default one, B values in pixels of ``image``."""
        return self.per_image(self.default_aperture(image) if aperture is None else aperture, image)

    def no_disparity(self, where: str = "", remedy: str = "") -> BokehbenchError:
        """The error of a photo without a disparity map; ``where`` and ``remedy`` add to the sentence."""
        return BokehbenchError(
            f"{type(self).__name__} has no depth network of its own and was given no disparity map{where}: "
            f"give one with --disparity, or use a data set that has it{remedy}."
        )

    def describe_rendering(self, image: Tensor, disparity: Tensor | None, focus: Focus, aperture: PerPicture) -> str:
        """What :meth:`render` used for these arguments, in words: override where the method has more to say."""
        px = f"aperture {self.aperture_of(image, aperture)[0]:.1f} px"
        with torch.no_grad():
            used = self.used_disparity(image, disparity)
        if used is None:
            return f"no disparity, {px}"
        source = "given disparity" if used is disparity else "own disparity"
        ignored = " (the given one is ignored)" if disparity is not None and used is not disparity else ""
        return f"{source}{ignored}, focus at disparity {self.focus_disparity(used, focus, image.shape)[0]:.3f}, {px}"

    def used_disparity(self, image: Tensor, disparity: Tensor | None) -> Tensor | None:
        """The disparity that :meth:`render` uses where it is given ``disparity``, B 1 H W; None: none."""
        return disparity

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
        groups = [{"params": kernels, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}]
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

    def sample(self, batch: Batch) -> Sample:
        """A batch, rendered, as it is measured."""
        return sample_of(self.render_batch(batch), batch, partial(self.own_disparity, batch))

    @staticmethod
    def scores(
        sample: Sample, image: Tensor, measurement: Measurement | None = None, prefix: str = "", strict: bool = True
    ) -> dict[str, Tensor]:
        """Per-image values (shape B each) of an output and, as ``identity_...``, of the input ``image`` in its place.

        Args:
            sample: the output beside its target.
            image: B 3 H W of the same size.
            measurement: what is scored; None = PSNR and SSIM under the default protocol.
            prefix: of the columns' names.
            strict: raise where pictures are too small for a column; else leave it out.
        """
        measured = (measurement or Measurement.named(("psnr", "ssim"))).of
        found = {prefix: measured(sample, strict), f"identity_{prefix}": measured(sample.instead(image), strict)}
        return {f"{name}{column}": value for name, each in found.items() for column, value in numbers(each).items()}

    def rendering_scores(self, batch: Batch, sample: Sample) -> dict[str, Tensor]:
        """What ``test`` and, of stages that render, validation report."""
        return self.scores(sample, batch["image"])

    def depth_scores(self, batch: Batch) -> dict[str, Tensor]:
        """``depth_mae`` of the method's own disparity and, as ``identity_...``, of a flat map; {} without the truth."""
        image, measurement = batch["image"], Measurement.named(("depth_mae",))
        maps = {"": partial(self.own_disparity, batch), "identity_": partial(torch.zeros_like, image[:, :1])}
        found = {name: numbers(measurement.of(sample_of(image, batch, each))) for name, each in maps.items()}
        return {f"{name}{column}": value for name, each in found.items() for column, value in each.items()}

    def predicted_disparity(self, batch: Batch) -> Tensor | None:
        """What the method itself takes for the disparity, B 1 H W; None where it only uses what it is given."""
        predict = getattr(getattr(self, "net", None), "predict_disparity", None)
        return None if predict is None else predict(batch["image"])

    def own_disparity(self, batch: Batch) -> Tensor:
        """:meth:`predicted_disparity` for a column; NotMeasuredError where there is none."""
        learns_depth = "depth" in [stage.name for stage in self.available]
        at_it = self.stage is not None and self.stage.name == "depth"
        measurable = at_it or self.provenance.weights == UNTRAINED or self.provenance.trained("depth")
        if learns_depth and not measurable:
            raise NotMeasuredError("its depth network was not trained")
        found = self.predicted_disparity(batch)
        if found is None:
            raise NotMeasuredError("no depth network")
        return found

    def render_batch(self, batch: Batch) -> Tensor:
        """:meth:`render` with what the batch has of :attr:`rendered_with`."""
        return self.render(batch["image"], **self.given(batch))

    def given(self, batch: Batch) -> dict[str, Any]:
        """What the batch has, for all of its pictures, of :attr:`rendered_with`."""
        return {key: value for key, value in batch.items() if key in self.rendered_with and known(batch, key).all()}

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """Titled pictures (B 3 H W or B 1 H W) of a validation batch, to look at; more where a method has more."""
        output = self.render_batch(batch)
        known_maps = {"input": batch["image"], "disparity (bright = near)": batch.get("disparity")}
        panels = {**known_maps, "output": output, "target": batch.get("bokeh")}
        return {title: picture for title, picture in panels.items() if picture is not None}

    def validation_scores(self, batch: Batch) -> dict[str, Tensor]:
        """Per-image values logged as ``val/...``; a stage that trains no rendering overrides this."""
        return self.rendering_scores(batch, self.sample(batch))

    def _log_means(self, step: str, scores: dict[str, Tensor]) -> None:
        for name, values in scores.items():
            self.log(f"{step}/{name}", values.mean(), batch_size=len(values), on_epoch=True, sync_dist=True)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the mean over pictures of each per-image score."""
        self._log_means("val", self.validation_scores(batch))

    def test_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Scores per picture, for the table and the CSV."""
        sample = self.sample(batch)
        scores = self.rendering_scores(batch, sample)
        self._log_means("test", scores)
        return {"name": batch["name"], "output": sample.output, "sample": sample, "scores": scores}

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Renderings, for the picture writer."""
        return {"name": batch["name"], "output": self.render_batch(batch)}
