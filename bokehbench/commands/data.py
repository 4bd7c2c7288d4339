"""``bokehbench data describe|check|preview|depth|fit-aperture``: look at a data set before training on it."""

from pathlib import Path
from typing import Any

from jsonargparse import ArgumentError, ArgumentParser
from jsonargparse.typing import restricted_number_type

from bokehbench.commands.arguments import parameters_of, spelt, take
from bokehbench.commands.options import refuse_unknown_action
from bokehbench.counted import counted
from bokehbench.data import DATA
from bokehbench.data.base import SPLITS, BokehDataModule
from bokehbench.data.rendering import Renderer
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.machine import usable_device
from bokehbench.photo_depth import NETWORK
from bokehbench.refusals import unparsed
from bokehbench.registry import class_path

DEFAULT = "syntheticdof"

#: Of pictures, and of pixels along one side.
COUNT = restricted_number_type("from_1_to_10000", int, [(">=", 1), ("<=", 10_000)], join="and")


def main(argv: list[str]) -> int:
    """Run one action; ``argv`` may start with the verb ``data`` itself.

    Returns 0, or 1 where ``check`` found problems.

    Raises:
        BokehbenchError: an unknown action or data set, or a data set that is not there.
    """
    argv = argv if argv[:1] == ["data"] else ["data", *argv]
    refuse_unknown_action(argv, ACTIONS)
    rest, names = take(argv[1:], ("--data",))
    kind = DATA.typed(names[-1] if names else DEFAULT)
    path, used = class_path(kind), {"data": parameters_of(kind)}
    rest = [f"{word}={path}" if word == "--data.help" else spelt(word, used) for word in rest]
    if rest and rest[0] in ACTIONS:  # the class must come before its options
        rest[1:1] = ["--data", path]
    try:
        arguments = _parser().parse_args(rest)
    except ArgumentError as error:
        raise BokehbenchError(f"{unparsed(error)} (`bokehbench data ACTION --help` lists the options).") from error
    action, options = arguments.action, arguments[arguments.action]
    data = kind(**options.data.init_args)
    return ACTIONS[action](data, options) or 0


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="bokehbench data", exit_on_error=False, description=f"Data sets: {DATA.choices}.")
    actions = parser.add_subcommands(dest="action")
    for action, run in ACTIONS.items():
        options = ArgumentParser(description=run.__doc__, exit_on_error=False)
        options.add_subclass_arguments(BokehDataModule, "data", help=f"{DATA.choices}; default {DEFAULT}")
        if action == "check":
            options.add_argument("--deep", action="store_true", help="decode every file, not only its header")
        if action == "preview":
            options.add_argument("-o", "--output", type=str, default="preview.png", help="picture to write")
            options.add_argument("--split", type=str, default=None, help="train, val, test or predict")
            options.add_argument("--count", type=COUNT, default=4, help="number of pictures")
            options.add_argument("--width", type=COUNT, default=320, help="pixels per picture")
        if action == "depth":
            options.add_argument("--depth", type=str, default=f"transformers:{NETWORK}", help="what predicts the maps")
            options.add_argument("--device", type=str, default="cpu", help="cpu, cuda, ...")
        if action == "fit-aperture":
            options.add_argument("--height", type=COUNT, default=512, help="pictures are reduced to this height")
            options.add_argument("--count", type=COUNT, default=50, help="number of training pairs")
            options.add_argument("--renderer", type=Renderer, default="layered", help="layered, scatter or raytraced")
        actions.add_subcommand(action, options, help=run.__doc__)
    return parser


def _describe(data: BokehDataModule, options: Any) -> None:
    """Counts, sizes, keys and notes of every split."""
    from bokehbench.data.describe import describe

    print(describe(data))
    _refuse_nothing(data)


def _check(data: BokehDataModule, options: Any) -> int:
    """List corrupt, unpaired and mismatched files; exit status 1 if there are any."""
    problems = data.check(deep=options.deep)
    for line in (*problems, *(f"note: {note}" for note in data.notes)):
        print(line)
    if problems:
        print(f"{counted(len(problems), 'problem')} found.")
        return 1
    _refuse_nothing(data)
    counts = ", ".join(f"{len(p)} {split}" for split in SPLITS if (p := data.pictures(split)) is not None)
    how = "every file was decoded" if options.deep else "headers only; --deep decodes every file"
    print(f"No problems found: {counts} ({how}).")
    return 0


def _refuse_nothing(data: BokehDataModule) -> None:
    """Raise BokehbenchError for a data set without a picture."""
    if not any(data.pictures(split) for split in SPLITS):
        raise BokehbenchError(f"{type(data).__name__} in {data.root} has no pictures: check --data.root.")


def _preview(data: BokehDataModule, options: Any) -> None:
    """Write a contact sheet: image, target, disparity, mask."""
    from bokehbench.data.preview import write_preview

    splits = [options.split] if options.split else SPLITS
    if options.split and options.split not in SPLITS:
        raise BokehbenchError(f"--split: there is no split '{options.split}'; {nearest(options.split, SPLITS)}.")
    for split in splits:
        pictures = data.pictures(split)
        if pictures is not None and len(pictures):
            names = write_preview(options.output, pictures, options.count, options.width)
            print(f"{Path(options.output).resolve()}: {split} pictures {', '.join(names)}")
            return
    raise BokehbenchError(f"{type(data).__name__} has no {options.split or ''} pictures to show.")


def _depth(data: BokehDataModule, options: Any) -> int:
    """Write a disparity map for every photo that lacks one, where the data set reads it; status 1 if any failed."""
    from bokehbench.depth import write_maps
    from bokehbench.models.depth_providers import open_provider

    usable_device(options.device)
    places = data.map_places()
    if not places:
        raise BokehbenchError(f"{type(data).__name__} in {data.root} has no photos.")
    provider = open_provider(options.depth, "--depth", ())
    assert provider is not None, "there are no words besides providers"
    written, problems = write_maps(provider, places, options.device)
    folders = ", ".join(sorted({str(place.parent) for place in places.values()}))
    there = len(places) - written - len(problems)
    print(f"{counted(written, 'map')} of {provider.name} in {folders}, {there} that were there stay.")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def _fit(data: BokehDataModule, options: Any) -> None:
    """Find the aperture under which the reference renderer explains the training targets best."""
    from bokehbench.data.fit_aperture import fit_aperture

    pictures = data.pictures("train")
    if pictures is None:
        raise BokehbenchError(f"{type(data).__name__} has no training pictures.")
    fit = fit_aperture(pictures, options.height, options.count, renderer=options.renderer)
    print("aperture (px in a picture 1024 high)   mean squared error")
    for aperture, error in fit.tried:
        print(f"{aperture:36.2f}   {error:.6f}{'  <- best' if aperture == fit.aperture_at_1024 else ''}")
    print(f"Use it with --data.aperture_at_1024 {fit.aperture_at_1024:.1f}")


ACTIONS = {"describe": _describe, "check": _check, "preview": _preview, "depth": _depth, "fit-aperture": _fit}
