"""Command-line words made ready for LightningCLI: short and former names, default configuration, order.

The precedence, weakest first: the method's quick configuration (only without ``--config``), configuration files, the
architecture and recipes stored in ``--checkpoint`` (formerly ``--ckpt_path``), and what was typed. Verbs that are not
Lightning's open a method with :func:`open_model`.
"""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

import torch
import yaml

from bokehbench import experiments
from bokehbench.checkpoints import located, newest_whole, read_checkpoint
from bokehbench.commands.loggers import complete_settings, complete_words
from bokehbench.data import DATA
from bokehbench.errors import BokehbenchError
from bokehbench.method import Method, open_method, refuse_unknown
from bokehbench.metrics.columns import find_column
from bokehbench.models import MODELS
from bokehbench.models.base import BokehModel
from bokehbench.models.load import method_of, shipped, stored_arguments
from bokehbench.names import current, options_of, spelt_today
from bokehbench.photo_depth import NO_MAP, OTHER_DEPTH
from bokehbench.provenance import Provenance
from bokehbench.refusals import unparsed
from bokehbench.registry import Classes, class_path

#: Of ``--depth``, and of ``--checkpoint`` of verbs that open a method.
DEPTH_HELP = (
    "for photos without a disparity map: transformers:ID, folder:PATH, checkpoint:PATH, own (the method's own depth "
    "network), none; default: its own if it was trained on photographs, else Depth Anything V2 Small, fetched once"
)
WEIGHTS_HELP = (
    "file, folder or USER/REPO on the Hugging Face Hub; default: weights that come with --model, else of its newest run"
)
KNOWN: dict[str, Classes[Any]] = {"model": MODELS, "data": DATA}


def prepare(argv: list[str]) -> tuple[list[str], list[str]]:
    """Turn ``[verb, words...]`` into LightningCLI's arguments, and notes for the user; BokehbenchError where it cannot.

    That is for an unknown method or data set, or a configuration or checkpoint of another method.
    """
    verb, words = argv[0], argv[1:]
    words, models = take(words, ("--model",))
    words, data = take(words, ("--data",))
    words, configs = take(words, ("--config", "-c"))
    words, checkpoints = take(words, ("--checkpoint",))
    words, columns = take(words, ("--columns",)) if verb == "test" else (words, [])
    words = ["--matched={}" if verb == "test" and word == "--matched" else word for word in words]
    words, depth = take(words, ("--depth",)) if verb == "predict" else (words, [])
    if depth and depth[-1] != NO_MAP:  # the data set's own maps are used where none is asked for
        renderer = (checkpoints or models)[-1:]
        words += [f"--model.depth={depth[-1]}", *(f"--model.renderer={each}" for each in renderer)]
        models, checkpoints = [OTHER_DEPTH], []
    model = MODELS.typed(models[-1]) if models else None
    control = verb == "test" and "--control" in words
    dataset = DATA.typed(data[-1]) if data else DATA["Control"] if control else None
    notes: list[str] = []
    settings = [experiments.configuration(name) for name in configs]
    place = located(checkpoints[-1]) if checkpoints else None
    checkpoint = None
    if place is not None:
        place, checkpoint = _opened(place, verb, notes)

    for name, content in zip(configs, settings, strict=True):
        model = agree(model, chosen(content, "model", name), "--model", name)
    if checkpoint is not None and "model" in checkpoint.get("bokehbench", {}):
        model = agree(model, method_of(checkpoint, checkpoints[-1]), "--model or --config", checkpoints[-1])
    asks_for_help = any(word.split(".")[0] in ("-h", "--help") or word.endswith(".help") for word in words)
    if model is None and not asks_for_help:
        raise BokehbenchError(f"Which method? Give --model ({MODELS.choices}).")
    if not configs and model is not None:
        short = MODELS.name_of(model)
        quick = experiments.quick(short)
        settings.append(experiments.configuration(quick))
        if verb == "fit" and model.trainable:
            papers = f"{short}_synthetic" in experiments.names()  # not of a method of others
            more = f"The paper's: --config {short}_synthetic" if papers else "Steps and sizes are the method's own."
            notes.append(f"Quick configuration {quick} (minutes on a laptop). {more}")
        if verb in ("validate", "test") and dataset is None:
            notes.append("No --data and no --config: the synthetic scenes of the quick configuration.")
    started = (
        "--untrained" in words
        or any(re.match(r"--model\.(init_args\.)?weights\b", word) for word in words)
        or any(map(_starts, settings))
    )
    if verb != "fit" and model is not None and not (place or started or asks_for_help):
        place = model.pretrained
        checkpoint = read_checkpoint(place) if place else None
        if checkpoint is not None:
            notes.append(f"{model.title}: {shipped(model, Provenance.of_checkpoint(checkpoint, str(place)))}.")
    if checkpoint is not None and model is not None:
        stored = stored_arguments(checkpoint, model, str(place))
        settings.append({"model": {"class_path": MODELS.written(model), "init_args": stored}})
    sweeps = [f"--trainer.callbacks+={DATA['Control'].recorder}"] if control else []
    words = _in_order(verb, [*sweeps, *words, *score_table(columns)], settings, model, dataset)
    if place is not None:  # a fit goes on from it, others need its weights only
        words += ["--ckpt_path", str(place)] if verb == "fit" else [f"--model.weights={place}"]
    return words, notes


def _opened(place: Path, verb: str, notes: list[str]) -> tuple[Path, dict[str, Any]]:
    """A checkpoint and its content; of a fit whose ``last.ckpt`` is broken the newest whole one beside it."""
    try:
        return place, read_checkpoint(place)
    except BokehbenchError as error:
        whole = newest_whole(place.parent, "*.ckpt") if verb == "fit" and place.name == "last.ckpt" else None
        if whole is None:
            raise
        notes.append(f"{error} The newest whole checkpoint beside it is used: {whole}.")
        return whole, read_checkpoint(whole)


def _starts(content: Mapping[str, Any]) -> bool:
    """Whether a configuration says which weights a method starts from."""
    model = content.get("model")
    return isinstance(model, dict) and "weights" in {**model, **(model.get("init_args") or {})}


def _in_order(
    verb: str, words: list[str], settings: list[dict[str, Any]], model: type | None, dataset: type | None
) -> list[str]:
    """Names before their options, and no settings of a data set or method that was replaced."""
    front = [verb]
    of_files = [found for content in settings if (found := chosen(content, "data"))]
    data_set = dataset or next(reversed(of_files), None)
    used = {"model": parameters_of(model), "data": parameters_of(data_set)}
    for content in settings:
        content = complete_settings(dict(content))
        if dataset is not None and chosen(content, "data") not in (None, dataset):
            content.pop("data")
        for key in ("model", "data"):
            if kind := chosen(content, key):
                value = dict(content[key]) if isinstance(content[key], dict) else {}
                if isinstance(value.get("init_args"), dict):
                    value["init_args"] = spelt_today(value["init_args"], parameters_of(kind))
                content[key] = {**value, "class_path": class_path(kind)}
        front += ["--config", yaml.safe_dump(content)]
    for key, kind in (("model", model), ("data", dataset)):
        if kind is not None:
            front += [f"--{key}", class_path(kind)]
    return front + complete_words([spelt(word, used) for word in words])


def score_table(columns: list[str]) -> list[str]:
    """``--columns psnr_border,toy`` of ``test``, to be in its table; an unknown column is a BokehbenchError."""
    names = [find_column(name.strip()).name for each in columns for name in each.split(",") if name.strip()]
    table = "--trainer.callbacks+=bokehbench.callbacks.ScoreTable"
    return [table, f"--trainer.callbacks.columns=[{', '.join(names)}]"] if names else []


def parameters_of(kind: type | None) -> Container[str]:
    """Options of a method or a data set; empty where there is none."""
    return options_of(kind) if kind else ()


def spelt(word: str, used: Mapping[str, Container[str]]) -> str:
    """``--model.OLD``, ``--data.OLD=V`` and ``--data.init_args.OLD`` under the present name; ``used``: its options."""
    found = re.fullmatch(r"(--(\w+)\.(?:init_args\.)?)([^.=]+)(=.*)?", word, re.DOTALL)
    if not found or found[2] not in used:
        return word
    return f"{found[1]}{current(found[3], used[found[2]])}{found[4] or ''}"


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


def chosen(content: dict[str, Any], key: str, source: object = "") -> Any:
    """The class in a configuration's ``model`` or ``data``, or None; the file was typed, so its class is imported.

    Raises:
        BokehbenchError: there is no such class; ``source`` is the file.
    """
    value = content.get(key)
    value = value.get("class_path") if isinstance(value, dict) else value
    return KNOWN[key].typed(str(value), f"{source}, {key}:" if source else "") if value else None


def agree(ours: Any, theirs: Any, option: str, file: object) -> Any:
    """The one class that both sides give; BokehbenchError where they differ: no method gets arguments of another."""
    if ours and theirs and ours is not theirs:
        said, found = MODELS.written(ours), MODELS.written(theirs)
        raise BokehbenchError(f"{option} says {said}, but {file} is of {found}: give the same method in both.")
    return ours or theirs


def open_model(options: Namespace) -> Method:
    """The method that ``--model``, ``--checkpoint``, ``--device``, ``settings`` and, where it is, ``--depth`` say.

    Without ``--device`` it is on a GPU where there is one.

    Raises:
        BokehbenchError: unknown names or settings, no checkpoint, or one of another method.
    """
    kind = MODELS.typed(options.model) if options.model else None
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    depth = getattr(options, "depth", None)
    return open_method(kind, options.checkpoint, lambda kind: settings(options.settings, kind), device, depth)


def add_depth(parser: ArgumentParser) -> None:
    """Add ``--depth`` to a verb that renders photos."""
    parser.add_argument("--depth", help=DEPTH_HELP)


def settings(words: list[str], kind: type[BokehModel]) -> dict[str, Any]:
    """``--model.KEY=VALUE`` as constructor arguments of a method, types checked as ``test`` does; old names are known.

    Raises:
        BokehbenchError: the method has no such setting, or the value is none of its values.
    """
    parameters = options_of(kind)
    parts = (word.removeprefix("--model.").partition("=") for word in words)
    found = {current(key, parameters): value for key, _, value in parts}
    refuse_unknown(kind, found, "--model.")
    if not found:
        return {}
    import jsonargparse  # slow to load, and most photos are rendered as the method comes

    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "model", skip=set(parameters) - set(found))
    try:
        parsed = parser.parse_args([f"--model.{key}={value}" for key, value in found.items()])
    except jsonargparse.ArgumentError as error:
        help = f"`bokehbench test --model {MODELS.name_of(kind)} --help` lists them"
        raise BokehbenchError(f"{unparsed(error)} ({help}).") from error
    return {key: parsed.model[key] for key in found}


def with_settings(parser: ArgumentParser, words: list[str]) -> Namespace:
    """What a verb that opens a method was given: its own options, ``model``, ``device`` and ``settings``.

    ``--model.KEY VALUE`` and ``--model.KEY=VALUE`` become ``settings``, as the latter; BokehbenchError without a value.
    """
    parser.add_argument("--model", help=f"{MODELS.choices}; default: what the checkpoint holds")
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ...; default: a GPU where there is one")
    parser.epilog = "--model.KEY VALUE sets an option of the method: `bokehbench test --model NAME --help` lists them."
    found = []
    for option in dict.fromkeys(word.partition("=")[0] for word in words if word.startswith("--model.")):
        words, values = take(words, (option,))
        found += [f"{option}={value}" for value in values]
    return parser.parse_args(words, Namespace(settings=found))
