"""What every method is to the trainer, the command line and the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from bokehbench.batch import Batch, require, with_holes
from bokehbench.checkpoints import read_checkpoint
from bokehbench.errors import BokehbenchError
from bokehbench.losses import total
from bokehbench.metrics.column import NotMeasuredError
from bokehbench.metrics.matched import COLUMNS as MATCHED
from bokehbench.metrics.matched import MatchedStrength
from bokehbench.metrics.measurement import Measurement, numbers, sample_of
from bokehbench.metrics.sample import Sample
from bokehbench.models.matched import match_strength
from bokehbench.models.renders import Renders
from bokehbench.models.stages import Stage, StageRecipe, select
from bokehbench.models.weights import not_finite
from bokehbench.provenance import UNTRAINED


class BokehModel(Renders):
    """Base of every method: stages for training, :meth:`render` for everything else.

    A subclass says what it :attr:`uses` and how it blurs (:meth:`blur`). One that is trained takes one
    :class:`StageRecipe` per stage as constructor argument, hands ``**training`` on to this class, builds its network,
    calls :meth:`set_up`, and says what its stages minimise (:meth:`losses`).

    Args:
        stages: which to train, None = those by default.
        weights: checkpoint to start from.
    """

    #: How the method is written in tables.
    title: ClassVar[str]
    #: The paper, for docs, tables and citations.
    paper: ClassVar[str]
    #: False: it says nothing until its options are given; left out where a suite asks for all methods.
    stands_alone: ClassVar[bool] = True
    #: Constructor arguments under which the authors' weights are exact, and what makes a state dict of ``net`` of their
    #: files (one or more paths); None: no weights were published, or no reader exists.
    authors: ClassVar[tuple[dict[str, Any], Callable[..., dict[str, Tensor]]] | None] = None
    #: Folder of weights that come with the method's package, used where no others are named; never by ``fit``.
    pretrained: ClassVar[Path | None] = None
    #: Set by a test that searches each picture's best aperture; None: pictures are rendered as told.
    matched: MatchedStrength | None = None

    def __init__(self, stages: list[str] | None = None, weights: str | None = None) -> None:
        super().__init__()
        self._names, self._weights = stages, weights

    @property
    def starts_fresh(self) -> bool:
        """Whether no checkpoint is loaded: only then pretrained parts need to be fetched."""
        return self._weights is None

    def set_up(self, *available: Stage) -> None:
        """To be called at the end of a subclass' constructor: choose stages, load starting weights."""
        self.available, self.stages = list(available), select(list(available), self._names)
        if self._weights is not None:
            self.take_weights(read_checkpoint(Path(self._weights)), self._weights)

    # What a method must say ------------------------------------------------------------------------------------

    def stage_modules(self, stage: Stage) -> list[nn.Module]:
        """The modules that ``stage`` trains, all by default; others are frozen and in evaluation mode meanwhile."""
        return list(self.children())

    def losses(self, stage: Stage, batch: Batch) -> dict[str, Tensor]:
        """Weighted loss terms of one training batch, which has what ``stage`` needs; their sum is minimised."""
        raise NotImplementedError(f"{type(self).__name__} has stages and must say what they minimise")

    @classmethod
    def put_together(cls, architecture: Mapping[str, Any], find: Callable[[str], Path | None]) -> dict[str, Any]:
        """Constructor arguments from those that a result stores; override where they name parts with weights.

        Args:
            architecture: as stored, with names such as ``DeepLens 1a2b3c4d`` in place of paths.
            find: name -> the checkpoint of that part; None: it is not the name of a part with weights.

        Raises:
            BokehbenchError: the checkpoint of a part is not at hand.
        """
        return dict(architecture)

    @classmethod
    def official(cls) -> tuple[dict[str, Any], Callable[..., dict[str, Tensor]]]:
        """:attr:`authors`; BokehbenchError where there are none."""
        if cls.authors is None:
            raise BokehbenchError(f"{cls.title} has no importer for published weights.")
        return cls.authors

    def to_keep(self) -> BokehModel:
        """The method as it is saved for others: override to leave out what was never trained."""
        return self

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
        """Loss of the current stage.

        Raises:
            BokehbenchError: it is NaN or infinite, before it can reach the weights; names a picture that holds NaN.
        """
        assert self.stage is not None
        try:
            if self.stage.complete:
                require(batch, self.stage.needs, f"{type(self).__name__}, stage '{self.stage.name}'")
            terms = self.losses(self.stage, batch)
            loss = total(terms)
            bad = not bool(loss.detach().isfinite())
            if self._trainer is not None:  # all processes stop alike: one that goes on alone would wait for ever
                bad = self._trainer.strategy.reduce_boolean_decision(bad, all=False)
            if bad:
                raise self.failed("loss became NaN or infinite")
        except BokehbenchError as error:
            if where := with_holes(batch):
                raise self.failed(f"batch holds NaN or infinity in {where}", "repair that file and go on") from error
            if broken := not_finite(self.state_dict()):
                raise self.failed(f"weights ({broken[0]}) became NaN or infinite") from error
            raise
        name, size = self.stage.name, len(batch["image"])
        self.log(f"{name}/loss", loss, prog_bar=True, batch_size=size)
        self.log_dict({f"{name}/{term}": value for term, value in terms.items()}, batch_size=size)
        return loss

    def sample(self, batch: Batch) -> Sample:
        """A batch, rendered, as it is measured: as told, or where :attr:`matched` says so, as scores best."""
        if self.matched is None:
            image, tried = self.render_batch(batch).image, None
        else:
            image, tried = match_strength(self, batch, self.matched)
        return replace(sample_of(image, batch, partial(self.own_disparity, batch)), tried=tried)

    @staticmethod
    def scores(
        sample: Sample, image: Tensor, measurement: Measurement | None = None, prefix: str = ""
    ) -> dict[str, Tensor]:
        """Per-image values (shape B each) of an output and, as ``identity_...``, of the input ``image`` in its place.

        Args:
            sample: the output beside its target.
            image: B 3 H W of the same size.
            measurement: what is scored; None = PSNR and SSIM under the default protocol.
            prefix: of the columns' names.

        Returns:
            The columns that can be had; NaN where the pictures are too small for one.
        """
        measured = (measurement or Measurement.named(("psnr", "ssim"))).of
        found = {prefix: measured(sample), f"identity_{prefix}": measured(sample.instead(image))}
        return {f"{n}{column}": v for n, each in found.items() for column, v in numbers(each, len(image)).items()}

    def rendering_scores(self, batch: Batch, sample: Sample) -> dict[str, Tensor]:
        """What ``test`` and, of stages that render, validation report."""
        return self.scores(sample, batch["image"])

    def depth_scores(self, batch: Batch) -> dict[str, Tensor]:
        """``depth_mae`` of the method's own disparity and, as ``identity_...``, of a flat map; {} without the truth."""
        image, measurement = batch["image"], Measurement.named(("depth_mae",))
        maps = {"": partial(self.own_disparity, batch), "identity_": partial(torch.zeros_like, image[:, :1])}
        found = {name: numbers(measurement.of(sample_of(image, batch, each))) for name, each in maps.items()}
        return {f"{name}{column}": value for name, each in found.items() for column, value in each.items()}

    @property
    def depth_left_out(self) -> bool:
        """Whether the method was trained without its stage ``depth``: then :meth:`disparity` says nothing."""
        learns_depth, record = "depth" in [stage.name for stage in self.available], self.provenance
        return learns_depth and record.weights != UNTRAINED and not record.trained("depth")

    def own_disparity(self, batch: Batch) -> Tensor:
        """:meth:`disparity` for a column; NotMeasuredError where there is none."""
        at_it = self.stage is not None and self.stage.name == "depth"
        if self.depth_left_out and not at_it:
            raise NotMeasuredError("its depth network was not trained")
        found = self.disparity(batch["image"], batch.get("name"))
        if found is None:
            raise NotMeasuredError("no depth network")
        return found

    def panels(self, batch: Batch) -> dict[str, Tensor]:
        """Titled pictures (B 3 H W or B 1 H W) of a validation batch, to look at; more where a method has more."""
        output = self.render_batch(batch).image
        known_maps = {"input": batch["image"], "disparity (bright = near)": batch.get("disparity")}
        panels = {**known_maps, "output": output, "target": batch.get("bokeh")}
        return {title: picture for title, picture in panels.items() if picture is not None}

    def validation_scores(self, batch: Batch) -> dict[str, Tensor]:
        """Per-image values logged as ``val/...``; a stage that trains no rendering overrides this."""
        return self.rendering_scores(batch, self.sample(batch))

    def _log_means(self, step: str, scores: dict[str, Tensor]) -> None:
        for name, values in scores.items():
            if len(there := values[~values.isnan()]):  # a picture smaller than a metric's window has no value
                self.log(f"{step}/{name}", there.mean(), batch_size=len(there), on_epoch=True, sync_dist=True)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the mean over pictures of each per-image score."""
        self._log_means("val", self.validation_scores(batch))

    def test_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Scores per picture, for the table and the CSV."""
        sample = self.sample(batch)
        scores = self.rendering_scores(batch, sample)
        if sample.tried is not None:
            scores |= self.scores(sample, batch["image"], Measurement(MATCHED, sample.protocol))
        self._log_means("test", scores)
        return {"name": batch["name"], "output": sample.output, "sample": sample, "scores": scores}

    def predict_step(self, batch: Batch, batch_idx: int) -> dict[str, Any]:
        """Renderings, for the picture writer."""
        return {"name": batch["name"], "output": self.render_batch(batch).image}
