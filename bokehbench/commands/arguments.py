"""Command-line words made ready for LightningCLI: short and former names, default configuration, order.

The precedence, weakest first: the method's quick configuration (only without ``--config``), configuration files, the
architecture and recipes stored in ``--checkpoint`` (formerly ``--ckpt_path``), and what was typed.
"""

import inspect
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

import yaml

from bokehbench import experiments
from bokehbench.checkpoints import read_checkpoint
from bokehbench.commands.loggers import complete_settings, complete_words
from bokehbench.data import DATA
from bokehbench.errors import BokehbenchError
from bokehbench.metrics.columns import find_column
from bokehbench.models import MODELS
from bokehbench.models.load import stored_arguments
from bokehbench.names import class_name, current, spelt_today

KNOWN: dict[str, Mapping[str, type]] = {"model": MODELS, "data": DATA}


def prepare(argv: list[str]) -> tuple[list[str], list[str]]:
    """Turn ``[verb, words...]`` into LightningCLI's arguments, and notes for the user.

    Raises:
        BokehbenchError: unknown method or data set, or a configuration or checkpoint of another method.
    """
    verb, words = argv[0], argv[1:]
    words, models = take(words, ("--model",))
    words, data = take(words, ("--data",))
    words, configs = take(words, ("--config", "-c"))
    words, checkpoints = take(words, ("--checkpoint",))
    words, columns = take(words, ("--columns",)) if verb == "test" else (words, [])
    model = class_name(models[-1], MODELS, "model") if models else None
    dataset = class_name(data[-1], DATA, "data") if data else None
    notes: list[str] = []
    files = [experiments.find(name) for name in configs]
    settings = [experiments.read(path) for path in files]
    checkpoint = read_checkpoint(Path(checkpoints[-1])) if checkpoints else None

    for path, content in zip(files, settings, strict=True):
        model = agree(model, class_path(content, "model"), f"--model says {model}, but {path}")
    if checkpoint is not None:
        trained = checkpoint.get("bokehbench", {}).get("model")
        model = agree(model, trained, f"--model or --config says {model}, but {checkpoints[-1]}")
    asks_for_help = any(word.split(".")[0] in ("-h", "--help") or word.endswith(".help") for word in words)
    if model is None and not asks_for_help:
        raise BokehbenchError(f"Which method? Give --model ({', '.join(sorted(MODELS))}).")
    if not files and model is not None:
        short = model.lower()
        quick = experiments.quick(short)
        settings.append(experiments.read(quick))
        if verb == "fit" and MODELS[short].trainable:
            paper = f"The paper's: --config {short}_synthetic"
            notes.append(f"Quick configuration {quick.name} (minutes on a laptop). {paper}")
        if verb in ("validate", "test") and dataset is None:
            notes.append("No --data and no --config: the synthetic scenes of the quick configuration.")
    if checkpoint is not None:
        kind = MODELS.get(str(model).lower())
        arguments = stored_arguments(checkpoint, kind) if kind else checkpoint.get("hyper_parameters", {})
        settings.append({"model": {"class_path": model, "init_args": arguments}})
    words = _in_order(verb, [*words, *score_table(columns)], settings, model, dataset)
    if checkpoints:
        words += ["--ckpt_path", checkpoints[-1]]
    return words, notes


def _in_order(
    verb: str, words: list[str], settings: list[dict[str, Any]], model: str | None, dataset: str | None
) -> list[str]:
    """Names before their options, and no settings of a data set or method that was replaced."""
    front = [verb]
    of_files = [found for content in settings if (found := class_path(content, "data"))]
    data_set = dataset or next(reversed(of_files), None)
    used = {"model": parameters_of("model", model), "data": parameters_of("data", data_set)}
    for content in settings:
        content = complete_settings(dict(content))
        if dataset is not None and class_path(content, "data") not in (None, dataset):
            content.pop("data")
        for key in ("model", "data"):
            if name := class_path(content, key):
                value = dict(content[key]) if isinstance(content[key], dict) else {}
                if isinstance(value.get("init_args"), dict):
                    value["init_args"] = spelt_today(value["init_args"], parameters_of(key, name))
                content[key] = {**value, "class_path": full_path(key, name)}
        front += ["--config", yaml.safe_dump(content)]
    for key, name in (("model", model), ("data", dataset)):
        if name is not None:
            front += [f"--{key}", full_path(key, name)]
    return front + complete_words([spelt(word, used) for word in words])


def score_table(columns: list[str]) -> list[str]:
    """``--columns psnr_border,toy`` of ``test``, to be in its table; an unknown column is a BokehbenchError."""
    names = [find_column(name.strip()).name for each in columns for name in each.split(",") if name.strip()]
    table = "--trainer.callbacks+=bokehbench.callbacks.ScoreTable"
    return [table, f"--trainer.callbacks.columns=[{', '.join(names)}]"] if names else []


def parameters_of(key: str, name: str | None) -> Container[str]:
    """Options of one of our methods (``key`` is "model") or data sets ("data"); empty for classes of others."""
    kind = KNOWN[key].get(name.lower()) if name else None
    return inspect.signature(kind).parameters if kind else ()


def spelt(word: str, used: Mapping[str, Container[str]]) -> str:
    """``--model.OLD``, ``--data.OLD=V`` and ``--data.init_args.OLD`` under the present name; ``used``: its options."""
    option, equals, value = word.partition("=")
    key, dot, rest = option.removeprefix("--").partition(".")
    *inner, name = rest.split(".")
    if not (option.startswith("--") and dot and key in used and inner in ([], ["init_args"])):
        return word
    return f"--{'.'.join([key, *inner, current(name, used[key])])}{equals}{value}"


def take(words: list[str], options: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Split off the values of exactly these options, ``--x v`` or ``--x=v``; BokehbenchError without a value."""
    rest, values, following = [], [], iter(words)
    for word in following:
        name, equals, value = word.partition("=")
        if name not in options:
            rest.append(word)
        elif equals:
            values.append(value)
        elif (typed := next(following, None)) is not None:
            values.append(typed)
        else:
            raise BokehbenchError(f"{word} needs a value.")
    return rest, values


def full_path(key: str, name: str) -> str:
    """``EBB`` -> ``bokehbench.data.EBB``: jsonargparse knows a bare name only of classes already imported."""
    return name if "." in name else f"bokehbench.{'models' if key == 'model' else 'data'}.{name}"


def class_path(content: dict[str, Any], key: str) -> str | None:
    """Class name in a configuration's ``model`` or ``data``, or None."""
    value = content.get(key)
    value = value.get("class_path") if isinstance(value, dict) else value
    return class_name(str(value), KNOWN[key], key) if value else None


def agree(ours: str | None, theirs: str | None, who: str) -> str | None:
    """The one name that both sides give; BokehbenchError where they differ: no method gets arguments of another."""
    if ours and theirs and ours != theirs:
        raise BokehbenchError(f"{who} is of {theirs}: give the same method in both.")
    return ours or theirs
