"""``fit``, ``validate``, ``test``, ``predict``: LightningCLI with short names, quick configurations and stages."""

import errno
import logging
import os
import shlex
import warnings
from argparse import ArgumentError, Namespace
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, ClassVar

import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import Callback, LearningRateMonitor
from pytorch_lightning.cli import LightningCLI
from pytorch_lightning.plugins.environments import SLURMEnvironment

from bokehbench import callbacks
from bokehbench.cluster.in_order import alone
from bokehbench.commands import shares
from bokehbench.commands.arguments import prepare, take
from bokehbench.commands.loggers import finish_wandb, in_words, ready
from bokehbench.commands.options import engaged_by, workers
from bokehbench.commands.trainer_options import check_trainer
from bokehbench.data import DATA
from bokehbench.data.base import BokehDataModule
from bokehbench.errors import BokehbenchError
from bokehbench.files import REMEDY
from bokehbench.metrics.matched import MatchedStrength
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.stages import check_recipe
from bokehbench.names import refuse_values
from bokehbench.ranks import is_first
from bokehbench.refusals import refusal, refused, unparsed
from bokehbench.stopping import Stopped
from bokehbench.trainer import StagedTrainer

#: Of a place that cannot be written to.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
#: What every run has, in this order: those that send files away after those that write them.
OWN_CALLBACKS: tuple[type[Callback], ...] = (
    callbacks.StageProgressBar, callbacks.StepProgress, callbacks.StageCheckpoints, callbacks.ScoreTable,
    callbacks.PictureWriter, callbacks.FitSummary, LearningRateMonitor, callbacks.GradientNorm, callbacks.Throughput,
    callbacks.MediaPanels, callbacks.WandbRun,
)  # fmt: skip


class BokehCLI(LightningCLI):
    """LightningCLI for our methods and data sets; see :mod:`bokehbench.commands.arguments` for what is typed."""

    #: What was typed, and the same made ready, for errors.
    argv: ClassVar[list[str]] = []
    words: ClassVar[list[str]] = []

    def _parse_ckpt_path(self) -> None:
        """Nothing: the checkpoint's settings were put below what was typed, where they belong."""

    def _prepare_subcommand_kwargs(self, subcommand: str) -> dict[str, Any]:
        """Our table in place of Lightning's."""
        kwargs = super()._prepare_subcommand_kwargs(subcommand)
        return {**kwargs, "verbose": False} if subcommand == "test" else kwargs

    def before_instantiate_classes(self) -> None:
        """Refuse what can be told from the words alone."""
        check_trainer(self._get(self.config, "trainer", default={}))
        for group, known in (("model", MODELS), ("data", DATA)):
            if chosen := self._get(self.config, group):
                given = vars(chosen.get("init_args") or Namespace())
                refuse_values(known.recorded(chosen.class_path, f"--{group}"), given, f"--{group}.")
        for name, value in vars(self._get(self.config, "model").get("init_args") or Namespace()).items():
            if hasattr(value, "decay_at"):
                check_recipe(value, f"--model.{name}.")

    def instantiate_classes(self) -> None:
        """As Lightning; what a constructor refuses is a sentence that names the options."""
        try:
            super().instantiate_classes()
        except Exception as error:
            said = in_words(error)
            raise (BokehbenchError(said) if said else refused(error, typed(self.words))) from error

    def _prepare_subcommand_parser(self, klass: type, subcommand: str, **kwargs: Any) -> Any:
        """With ``--untrained`` for the verbs that need weights."""
        parser = super()._prepare_subcommand_parser(klass, subcommand, **kwargs)
        if subcommand != "fit":
            parser.add_argument("--untrained", action="store_true", help="run random weights, too; no board ranks them")
        if subcommand == "predict":
            workers(parser)
        if subcommand == "test":
            parser.add_argument("--matched", type=MatchedStrength | None, help="search each picture's best aperture")
            parser.add_argument("--control", action="store_true", help="measure whether it does what it is told")
        return parser

    def before_test(self) -> None:
        """Refuse random weights unless they are asked for."""
        assert isinstance(self.model, BokehModel)
        if not (self._get(self.config, "untrained") or self._get(self.config, "ckpt_path")):
            self.model.refuse_untrained()
        self.model.matched = self._get(self.config_init, "matched")
        if self.model.matched and self._get(self.config, "control"):
            raise BokehbenchError("--control measures what a method makes of what it is told: leave out --matched.")

    before_validate = before_predict = before_test

    def _run_subcommand(self, subcommand: str) -> None:
        """As Lightning; ``predict`` by the workers that are asked for, and where its pictures are."""
        if subcommand != "predict":
            super()._run_subcommand(subcommand)
            return
        every = self.trainer.callbacks  # type: ignore[attr-defined]
        writer = next(each for each in every if isinstance(each, callbacks.PictureWriter))
        writer.setup(self.trainer, self.model, subcommand)
        with engaged_by(Namespace(**{each: self._get(self.config, each) for each in ("scheduler", "workers")})):
            if alone():
                super()._run_subcommand(subcommand)
            else:
                self.before_predict()
                shares.predict(self, opened, self.argv, writer.place)
        if self.trainer.is_global_zero:
            print(f"Pictures: {writer.output or writer.place}")

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Add what every run has: a folder of its own, progress, checkpoints, tables."""
        config = {**self._get(self.config_init, "trainer", default={}), **kwargs}
        root = config["default_root_dir"] = str(config.get("default_root_dir") or "runs")
        if config.get("logger") is not False:
            settings = self._get(self.config, "trainer", default={}).get("logger")
            name = MODELS.name_of(type(self.model))
            config["logger"] = ready(config.get("logger"), settings, root, name, str(self.subcommand))
        if SLURMEnvironment.detect() and not config.get("plugins"):
            # Lightning's own requeueing starts all stages from one checkpoint
            config["plugins"] = [SLURMEnvironment(auto_requeue=False)]
        off = {
            callbacks.StageProgressBar: config.get("enable_progress_bar") is False,
            callbacks.StageCheckpoints: config.get("enable_checkpointing") is False,
            LearningRateMonitor: not config["logger"],
        }
        given = list(config.get("callbacks") or [])
        missing = [make for make in OWN_CALLBACKS if not any(isinstance(callback, make) for callback in given)]
        config["callbacks"] = given + [make() for make in missing if not off.get(make)]
        return self._instantiate_trainer(config, [])


class OpenedCLI(BokehCLI):
    """The same, opened and not run."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Nothing."""


def opened(argv: list[str]) -> BokehCLI:
    """What was typed, for a worker of ``predict``: opened, not run; it keeps to itself what has been said."""
    with redirect_stdout(StringIO()):
        return run(argv, OpenedCLI, save_config_callback=None)


def typed(words: list[str], prefix: str = "--") -> list[str]:
    """The options of a command line whose value is behind a dot."""
    names = (word.partition("=")[0] for word in words)
    return [name for name in names if name.startswith(prefix) and "." in name]


def quieten() -> None:
    """Drop the warnings that a user can do nothing about; each line says why."""
    # LightningCLI calls names that jsonargparse will drop in 5, which our upper bound keeps out
    os.environ.setdefault("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    for message in (
        ".*dataloader is not resumable.*",  # ours is: its sampler starts where the checkpoint ended
        ".*module\\(s\\) in eval mode at the start of training.*",  # what a stage does not train is so on purpose
        ".*does not have many workers.*",  # the data module chose them
        ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",  # between Lightning and torch
        ".*exists and is not empty.*",  # a resumed run goes on in its folder
        ".*log_every_n_steps.*",  # short stages of the quick configuration
        ".*LightningCLI's args parameter is intended.*",  # we do pass sys.argv, made ready
        ".*sync_dist=True.*",  # per-epoch means are synchronised
        ".*callbacks used to create the checkpoint.*TrainingClock.*",  # now in the record of provenance
    ):
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)  # which accelerators there are, and advertisements


def main(argv: list[str]) -> int:
    """Run one of Lightning's verbs."""
    run(argv)
    return 0


def run(argv: list[str], kind: type[BokehCLI] = BokehCLI, **options: Any) -> BokehCLI:
    """Run one of Lightning's verbs; the trainer, the method and the data that ran are in what is returned."""
    quieten()
    words, notes = prepare(argv)
    for note in notes if is_first() else ():
        print(note)
    torch.set_float32_matmul_precision("high")  # tensor cores on a GPU; no effect on a CPU
    plain = {"exit_on_error": False}  # a sentence, not two screens of usage
    ours = {"num_sanity_val_steps": 0, "use_distributed_sampler": False, "enable_model_summary": False}
    exit_code, BokehCLI.words, BokehCLI.argv = 1, words, argv
    try:
        ran = kind(
            BokehModel,
            BokehDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            trainer_class=StagedTrainer,
            trainer_defaults=ours,
            save_config_kwargs={"overwrite": True},
            seed_everything_default=0,
            auto_configure_optimizers=False,
            parser_kwargs={"prog": "bokehbench", **plain, **dict.fromkeys(BokehCLI.subcommands(), plain)},
            args=words,
            **options,
        )
        exit_code = 0
    except Stopped as stop:
        if stop.checkpoint is None:
            raise
        again = shlex.join(["bokehbench", *take(argv, ("--checkpoint",))[0], "--checkpoint", str(stop.checkpoint)])
        raise Stopped(stop.number, f"{stop.kept} Go on: {again}") from None
    except ArgumentError as error:
        raise BokehbenchError(f"{unparsed(error)} (`bokehbench {argv[0]} --help` lists the options).") from error
    except BokehbenchError:
        raise
    except Exception as error:
        if said := in_words(error):
            raise BokehbenchError(said) from error
        if isinstance(error, OSError) and error.errno in FULL and not error.filename:  # writing tells none
            place = take(argv, ("--trainer.default_root_dir",))[1] or ["runs"]
            raise BokehbenchError(f"{place[-1]}: {error.strerror}: {REMEDY}.") from error
        if "DataLoader worker" in str(error) or isinstance(error, ConnectionError):
            said = str(error).splitlines()[0].rstrip(".")
            raise BokehbenchError(
                f"A process that loads pictures ended ({said}), as for lack of memory: give a smaller "
                "--data.num_workers (0: none), and go on from the last checkpoint."
            ) from error
        if refusal(error):  # of memory, no option of the trainer's is to blame
            named = typed(words, "--trainer.") if type(error).__name__ == "MisconfigurationException" else []
            raise refused(error, named) from error
        raise
    finally:
        finish_wandb(exit_code)
    return ran
