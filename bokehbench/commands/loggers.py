"""Loggers made ready: ``--trainer.logger WandbLogger`` or ``TensorBoardLogger`` alone is enough."""

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger, WandbLogger
from pytorch_lightning.utilities.rank_zero import rank_zero_only

from bokehbench.errors import BokehbenchError
from bokehbench.ranks import is_first

#: The project at W&B where none is given.
PROJECT = "bokehbench"
#: What a logger's ``save_dir`` says where none was given.
NOWHERE = "."
#: Loggers of Lightning's that do not start without a ``save_dir``.
NEEDY = ("CSVLogger", "TensorBoardLogger")
OPTIONS = ("--trainer.logger", "--trainer.logger+")


class _Numbered:
    """Part of a logger that makes its ``version_N`` as it chooses it: two runs that begin together share none."""

    root_dir: str

    def _get_next_version(self) -> int:
        return int(_new_folder(Path(self.root_dir), None).name.rpartition("_")[2])


class CSVRun(_Numbered, CSVLogger):
    """Lightning's, in a folder of its own."""


class TensorBoardRun(_Numbered, TensorBoardLogger):
    """Lightning's, in a folder of its own."""


def complete_words(words: list[str]) -> list[str]:
    """Typed words with the ``save_dir`` that some loggers demand, which :func:`ready` replaces.

    Raises:
        BokehbenchError: TensorBoard is asked for and is not there.
    """
    out: list[str] = []
    pending = False
    for word in words:
        out.append(word)
        option, equals, value = word.partition("=")
        if pending or (option in OPTIONS and equals):
            name = _checked(word if pending else value)
            if name in NEEDY:
                out.append(f"--trainer.logger.save_dir={NOWHERE}")
        pending = option in OPTIONS and not equals
    return out


def complete_settings(content: dict[str, Any]) -> dict[str, Any]:
    """The same for a configuration file's content."""
    trainer = content.get("trainer")
    logger = trainer.get("logger") if isinstance(trainer, Mapping) else None
    if not isinstance(logger, str | dict | list):
        return content
    several = [_completed(each) for each in (logger if isinstance(logger, list) else [logger])]
    return {**content, "trainer": {**trainer, "logger": several if isinstance(logger, list) else several[0]}}  # type: ignore[dict-item]


def _completed(logger: Any) -> Any:
    logger = {"class_path": logger} if isinstance(logger, str) else logger
    if isinstance(logger, dict) and _checked(str(logger.get("class_path"))) in NEEDY:
        return {**logger, "init_args": {"save_dir": NOWHERE, **(logger.get("init_args") or {})}}
    return logger


def _checked(name: str) -> str:
    short = name.rsplit(".", 1)[-1]
    if short == "TensorBoardLogger" and not (find_spec("tensorboard") or find_spec("tensorboardX")):
        raise BokehbenchError(
            "--trainer.logger TensorBoardLogger: TensorBoard is not installed; `pip install tensorboard` brings it."
        )
    return short


def ready(loggers: Any, settings: Any, root: str | Path, model: str, verb: str) -> list[Logger]:
    """The run's loggers, each writing below ``root/model``, in one folder of this run.

    Args:
        loggers: what the trainer was given: None or True (a :class:`CSVLogger`), one, or several.
        settings: what they were made from: one namespace with ``init_args``, or several.
        root: the trainer's ``default_root_dir``.
        model: the method's short name.
        verb: W&B's job type.
    """
    if loggers in (None, True):
        return [CSVRun(save_dir=root, name=model)]
    several = list(loggers) if isinstance(loggers, list | tuple) else [loggers]
    asked = settings if isinstance(settings, list) else [settings]
    made: list[Logger] = []
    for logger, each in zip(several, asked, strict=True):
        given = each.as_dict() if hasattr(each, "as_dict") else dict(each or {})
        arguments = {**(given.get("init_args") or {}), **(given.get("dict_kwargs") or {})}
        if isinstance(logger, WandbLogger):
            first = made[0].log_dir if made and isinstance(made[0], CSVLogger | TensorBoardLogger) else None
            logger = _wandb(arguments, Path(root), model, verb, first)
        elif isinstance(logger, CSVLogger | TensorBoardLogger) and str(arguments.get("save_dir")) == NOWHERE:
            name = arguments.get("name")
            own = model if name in (None, "lightning_logs") else name
            kind = CSVRun if isinstance(logger, CSVLogger) else TensorBoardRun
            logger = kind(**{**arguments, "save_dir": str(root), "name": own})
        made.append(logger)
    return made


def _wandb(arguments: dict[str, Any], root: Path, model: str, verb: str, folder: str | None) -> WandbLogger:
    given = {key: value for key, value in arguments.items() if value is not None}
    save_dir = given.pop("save_dir", NOWHERE)
    save_dir = given.pop("dir", save_dir) if str(save_dir) == NOWHERE else save_dir
    place = root if str(save_dir) == NOWHERE else Path(save_dir)
    own = given.get("version") or given.get("id") or os.environ.get("WANDB_RUN_ID")
    given.setdefault("project", os.environ.get("WANDB_PROJECT", PROJECT))
    given.setdefault("job_type", os.environ.get("WANDB_JOB_TYPE", verb))
    if given.pop("offline", False):  # Lightning would set WANDB_MODE for all that this process does later
        given["mode"] = "offline"
    if "tags" not in given and "WANDB_TAGS" not in os.environ:
        given["tags"] = [model]
    return WandbLogger(**given, save_dir=folder or str(_new_folder(place / model, own)))


def _new_folder(place: Path, own: str | None) -> Path:
    """``place/version_N``, made here so that two agents that begin together do not share it, or ``place/own``.

    Only the first process makes it: Lightning tells the others.
    """
    numbered = (place / f"version_{number}" for number in count())
    folder = place / own if own is not None else next(each for each in numbered if not each.exists())
    if is_first() and getattr(rank_zero_only, "rank", 0) in (None, 0):
        try:
            folder.mkdir(parents=True, exist_ok=own is not None)
        except FileExistsError:
            return _new_folder(place, own)
        except OSError as error:
            raise BokehbenchError(
                f"{folder} could not be made ({error.strerror}): choose another --trainer.default_root_dir."
            ) from error
    return folder


def in_words(error: Exception) -> str | None:
    """What W&B refused, as a sentence; None for errors of others."""
    if not type(error).__module__.startswith("wandb.errors"):
        return None
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return f"Weights & Biases: {said} --trainer.logger.mode=offline needs no account and no network."


def finish_wandb(exit_code: int) -> None:
    """End W&B's run, if one is open, so that a next one in this process is a run of its own."""
    wandb = sys.modules.get("wandb")
    if wandb is not None and wandb.run is not None:
        wandb.finish(exit_code=exit_code)
