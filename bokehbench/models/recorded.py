"""A module that knows where its weights come from, and writes it into every checkpoint."""

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from pytorch_lightning import LightningModule
from torch import Tensor

from bokehbench.checkpoints import newest
from bokehbench.errors import BokehbenchError
from bokehbench.machine import device_in_words
from bokehbench.models.published import Published
from bokehbench.models.stages import Stage, StageRecipe
from bokehbench.models.weights import load_state, not_finite, refuse_state, weights_hash
from bokehbench.names import options_of
from bokehbench.provenance import STARTING, UNKNOWN, UNTRAINED, Origin, Provenance, code_of, data_settings
from bokehbench.registry import OURS, class_path


class Recorded(LightningModule):
    """The part of a method that keeps :attr:`provenance`; ``hparams`` holds all constructor arguments."""

    #: False for methods that have no stages, such as the baselines.
    trainable: ClassVar[bool] = True
    #: True: it runs a command that its arguments name, so no checkpoint and no result may make one.
    of_command: ClassVar[bool] = False
    #: Constructor arguments that say what the method is: its network, its losses, how it renders. Where a class does
    #: not name them: all but recipes of stages and those of :data:`bokehbench.provenance.STARTING`.
    architecture: ClassVar[tuple[str, ...]] = ()
    #: Those of them that came after the first results, and are named only where not at their default: older results
    #: keep their identity.
    later: ClassVar[tuple[str, ...]] = ()
    #: The published network; None where nothing is published.
    published: ClassVar[Published | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "architecture" not in vars(cls):
            others = {name for name, one in options_of(cls).items() if isinstance(one.default, StageRecipe)}
            cls.architecture = tuple(name for name in options_of(cls) if name not in {*others, *STARTING})

    def __init__(self) -> None:
        super().__init__()
        self.save_hyperparameters()
        #: What tables and results call it.
        self.label = type(self).__name__
        #: The stages that there are, those of a run, and the one that is trained.
        self.available: list[Stage] = []
        self.stages: list[Stage] = []
        self.stage: Stage | None = None
        self._provenance: Provenance | None = None
        #: Of weights that are about to be loaded.
        self._coming: Provenance | None = None
        self._training_since: float | None = None

    @property
    def architecture_arguments(self) -> dict[str, Any]:
        """What :attr:`architecture` names, as given, without those of :attr:`later` that are at their default."""
        defaults = {name: each.default for name, each in options_of(type(self)).items()}
        given = {name: self.hparams[name] for name in self.architecture}
        return {name: value for name, value in given.items() if name not in self.later or value != defaults[name]}

    @classmethod
    def network(cls, architecture: Mapping[str, Any]) -> dict[str, Any]:
        """:meth:`Published.network` of these arguments; empty where nothing is published."""
        return cls.published.network(architecture) if cls.published else {}

    @property
    def provenance(self) -> Provenance:
        """Where the weights come from that the method has now."""
        return self._provenance or self.first_provenance()

    @provenance.setter
    def provenance(self, record: Provenance) -> None:
        self._provenance = record

    def first_provenance(self) -> Provenance:
        """The record of the method as it was constructed."""
        weights, path = UNTRAINED if self.trainable else "", class_path(type(self))
        # Whose code it is: of ours only once it trains, of others at once, or nobody would know where to get it
        code = {} if path.startswith(f"{OURS}.") else code_of(type(self))
        return Provenance(path, weights, self.architecture_arguments, **code)

    def take_weights(self, content: Mapping[str, Any], source: str) -> None:
        """Load a checkpoint's weights and provenance; BokehbenchError, naming ``source``, where they do not fit."""
        self._coming = Provenance.of_checkpoint(content, source)
        load_state(self, content["state_dict"], source)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """As torch's; weights that come without a record are of unknown origin."""
        loaded = super().load_state_dict(*args, **kwargs)
        if self.trainable:
            self._provenance = self._coming or replace(self.first_provenance(), weights=UNKNOWN)
        self._coming = None
        return loaded

    def refuse_untrained(self) -> None:
        """Raise BokehbenchError where a method that learns has the random weights of its constructor."""
        if self.provenance.weights == UNTRAINED:
            raise BokehbenchError(
                f"{self.label} has random weights, which say nothing of it: give --checkpoint (weights, in a "
                "configuration); --untrained runs it all the same, and no board ranks it."
            )

    def begin_training(self) -> None:
        """Begin a new record: the weights as they are become the origin of those to come."""
        before = self.provenance
        fresh = before.weights == UNTRAINED
        self.provenance = replace(
            self.first_provenance(),
            weights=before.weights if fresh else "",
            origins=() if fresh else (Origin("start", weights_hash(self), before),),
        )

    def failed(self, what: str, remedy: str = "") -> BokehbenchError:
        """The error of a training that cannot go on: ``what`` of the method went wrong, in words; what to do."""
        trainer = self._trainer
        step = 0 if trainer is None else trainer.fit_loop.epoch_loop.batch_idx
        folders = [each.checkpoints for each in getattr(trainer, "callbacks", []) if hasattr(each, "checkpoints")]
        kept = newest(Path(folders[0]), "*.ckpt") if folders else None
        name = self.stage.name if self.stage is not None else "this stage"
        remedy = remedy or (
            f"go on from it with a lower learning rate, --model.{name}.clip 1 or a longer --model.{name}.warmup_steps"
        )
        return BokehbenchError(
            f"{type(self).__name__}'s {what} at {name}, step {step}; the "
            f"last good checkpoint is {kept or 'not there yet'}: {remedy}."
        )

    def on_train_start(self) -> None:
        """Start the clock of a stage; it goes on where the stages before it, or a resumed run, ended.

        Raises:
            BokehbenchError: the state of the optimiser that was resumed is not of these weights, or not finite.
        """
        states = [each.state.items() for each in getattr(self._trainer, "optimizers", ())]
        for weights, value in [(weights, each) for state in states for weights, of in state for each in of.values()]:
            if isinstance(value, Tensor) and (value.shape not in (weights.shape, ()) or not value.isfinite().all()):
                raise BokehbenchError(
                    "The checkpoint's state of the optimiser is broken: start from its weights with --model.weights."
                )
        if not self.provenance.distribution:
            self.provenance = replace(self.provenance, method=class_path(type(self)), **code_of(type(self)))
        self._training_since = time.monotonic() - self.provenance.seconds

    def on_train_end(self) -> None:
        """Stop the clock, and keep the record of the stage."""
        self._record_training()
        self._training_since = None

    def _record_training(self) -> None:
        """Bring the record up to this moment of a training; at any other time it stays."""
        if self.stage is None or self._training_since is None:
            return
        before, trainer = self.provenance, self.trainer
        seed = os.environ.get("PL_GLOBAL_SEED", "")  # what Lightning's seed_everything was last given in this process
        batches = trainer.fit_loop.epoch_loop.batch_progress.current.ready
        stage = {**asdict(self.stage.recipe), "steps_done": batches // trainer.accumulate_grad_batches}
        self.provenance = replace(
            before,
            weights="",
            stages={**before.stages, self.stage.name: stage},
            seed=int(seed) if before.seed is None and seed.isdigit() else before.seed,
            data=before.data or data_settings(trainer.datamodule),  # type: ignore[attr-defined]
            seconds=time.monotonic() - self._training_since,
            device=device_in_words(self.device, trainer.world_size),
        )

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Weights that Lightning is about to load bring their provenance with them."""
        refuse_state(self, checkpoint["state_dict"], "the checkpoint")
        self._coming = Provenance.of_checkpoint(checkpoint, "The checkpoint")

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Every checkpoint knows its method, stage, run and provenance (primitives only: safe to load).

        Raises:
            BokehbenchError: the training has made weights NaN or infinite: the checkpoint before stays.
        """
        if self._training_since is not None and (broken := not_finite(checkpoint.get("state_dict", {}))):
            raise self.failed(f"weights ({broken[0]}) became NaN or infinite")
        self._record_training()
        hyperparameters = checkpoint.get("hyper_parameters", {})
        checkpoint["hyper_parameters"] = {k: asdict(v) if is_dataclass(v) else v for k, v in hyperparameters.items()}  # type: ignore[arg-type]
        checkpoint["bokehbench"] = {
            "model": type(self).__name__,
            "stages": [stage.name for stage in self.stages],
            "stage": self.stage.name if self.stage else None,
            "provenance": self.provenance.to_plain(),
        }
