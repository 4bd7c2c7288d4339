"""``bokehbench benchmark``: run a suite of experiments and compare them on a board."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bokehbench import experiments
from bokehbench.board.identity import slug
from bokehbench.cluster.connection import Workers
from bokehbench.commands.options import board_data, whole
from bokehbench.commands.options import workers as add_workers
from bokehbench.errors import BokehbenchError, nearest
from bokehbench.stopping import goes_on
from bokehbench.suite.collection import read_collection
from bokehbench.suite.runner import Runner
from bokehbench.suite.side_by_side import SideBySide
from bokehbench.suite.suite import Suite, read_suite
from bokehbench.suite.suite_table import SuiteTable, shown_columns

#: Options that are passed on: to every fit and test, and behind ``--fit.`` and ``--test.`` to these alone.
PASSED_ON = ("--trainer.", "--data.")
#: What one verb alone may get besides.
OF_ONE_VERB = ("--fit.data=", "--fit.model.", "--fit.seed_everything=", "--test.model.")
#: Options that a line of a collection gives itself.
OF_ONE_SUITE = ("only", "board", "data", "replace_config")


def main(argv: list[str]) -> int:
    """Run what is not done yet; returns 1 where an experiment failed."""
    options, extra = arguments(argv[1:])
    path = experiments.find(options.suite, "suite")
    if not (lines := read_collection(path)):
        return run(runner_of(options, extra), options)
    if refused := [name for name in OF_ONE_SUITE if getattr(options, name)]:
        raise BokehbenchError(
            f"--{refused[0].replace('_', '-')} belongs to one suite, and {path} is a collection: write it there, "
            "behind the suite's name, or run that suite alone."
        )
    suites = [runner_of(*of_line(line, options, extra)) for line in lines]  # what is wrong is said before anything runs
    asked = {name: about for each in suites for name, about in each.suite.inputs.items()}
    inputs(asked, options.input)
    statuses = []
    for line, each in zip(lines, suites, strict=True):
        print(f"\n{' '.join(line)}", flush=True)
        statuses.append(run(each, options))
    return max(statuses)


def of_line(
    line: tuple[str, ...], options: argparse.Namespace, extra: list[str]
) -> tuple[argparse.Namespace, list[str]]:
    """Options of a suite in a collection, its own and the command's; its work and the fits of all are in FOLDER."""
    own, more = arguments([*line, "--folder", str(folder_of(options) / slug("-".join(line)))])
    asked = read_suite(experiments.find(own.suite, "suite")).inputs
    given = [word for word in options.input if word.partition("=")[0] in asked]
    shared = {"fits": options.fits or folder_of(options) / "fits", "input": [*own.input, *given],
              "pictures": own.pictures or options.pictures}  # fmt: skip
    return argparse.Namespace(**{**vars(own), **shared}), [*more, *extra]


def folder_of(options: argparse.Namespace) -> Path:
    """Where the work goes."""
    named = experiments.find(options.suite, "suite").stem
    return Path(options.folder or Path("runs") / "suites" / named).resolve()


def runner_of(options: argparse.Namespace, extra: list[str]) -> Runner:
    """The runner of a suite; BokehbenchError where an option does not fit it."""
    suite = read_suite(experiments.find(options.suite, "suite"))
    if options.board:
        if suite.board not in (None, options.board):  # what is published is of the pictures that the suite names
            bare = tuple(replace(experiment, published={}) for experiment in suite.experiments)
            suite = replace(suite, experiments=bare)
        suite = replace(suite, board=options.board, data={})
    suite = with_configurations(suite, options.replace_config)
    known = [experiment.name for experiment in suite.experiments]
    only = tuple(options.only.split(",")) if options.only else None
    for name in only or ():
        if name not in known:
            raise BokehbenchError(f"--only: the suite has no experiment '{name}'; {nearest(name, known)}.")
    runner = Runner(
        suite,
        folder_of(options),
        tuple(word for word in extra if word.startswith(PASSED_ON)),
        passed_on("--fit.", extra),
        passed_on("--test.", extra),
        only,
        options.fits.resolve() if options.fits else None,
        options.pictures,
        inputs(suite.inputs, options.input),
    )
    shown_columns(suite, runner.board)  # a wrong one is refused now, not after hours
    return runner


def run(runner: Runner, options: argparse.Namespace) -> int:
    """Run it and print its table; 1 where an experiment failed."""
    engine = None
    if options.scheduler or options.workers:
        workers = Workers(options.scheduler, options.workers or 1)
        engine = SideBySide(workers, runner.suite.exclusive or options.exclusive)
    outcomes = goes_on(lambda: runner.run(engine))
    table = SuiteTable(runner.suite, outcomes, runner.board)
    table.write(runner.folder)
    print(table.text())
    return 1 if any(outcome.failure for outcome in outcomes) else 0


def arguments(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Options of the verb, and those that fits and tests get; BokehbenchError for one that is neither."""
    parser = argparse.ArgumentParser(
        prog="bokehbench benchmark",
        description=__doc__,
        epilog="--trainer.* and --data.* (written --x=y) go to every fit and test, e.g. --trainer.devices=2; "
        "--fit.X=Y goes to every fit alone, --test.X=Y to every test alone, e.g. --test.data.root=FOLDER.",
        allow_abbrev=False,
    )
    parser.add_argument("suite", help="file of a suite, or the name of one in experiments/suites (quick)")
    parser.add_argument("--folder", type=Path, help="where the work goes; default: runs/suites/SUITE")
    parser.add_argument("--fits", type=Path, help="where the fits go: suites that share it share their equal fits")
    whole(parser, "--pictures", 0, default=0, metavar="N", help="write the first N pictures of every test")
    parser.add_argument("--board", help="name or folder of the board, in place of the suite's")
    board_data(parser)
    add_workers(parser)
    help = "it measures time: one step at a time on each machine, on a worker that offers MACHINE=1"
    parser.add_argument("--exclusive", action="store_true", help=help)
    parser.add_argument("--only", help="names of experiments, with commas between; the fits they need come with them")
    parser.add_argument(
        "--input", action="append", default=[], metavar="NAME=PATH",
        help="a file or folder that the suite asks for; experiments that need one that is not given are not run",
    )  # fmt: skip
    parser.add_argument(
        "--replace-config", action="append", default=[], metavar="OLD=NEW",
        help="another configuration in place of one that the suite names, e.g. deeplens_variant=deeplens_synthetic",
    )  # fmt: skip
    options, extra = parser.parse_known_args(words)
    for word in extra:
        inner = "--" + word.removeprefix("--fit.").removeprefix("--test.").removeprefix("--")
        if not inner.startswith(PASSED_ON) and not word.startswith(OF_ONE_VERB):
            raise BokehbenchError(
                f"{word}: benchmark passes on --trainer.X=VALUE and --data.X=VALUE, and behind --fit. or --test. "
                "also those of the model."
            )
        if "=" not in word:
            raise BokehbenchError(f"{word}: write it with its value in one word, {word}=VALUE.")
    return options, extra


def passed_on(prefix: str, extra: list[str]) -> tuple[str, ...]:
    """``--test.data.root=X`` -> ``--data.root=X`` for the prefix ``--test.``."""
    return tuple(f"--{word.removeprefix(prefix)}" for word in extra if word.startswith(prefix))


def inputs(known: Mapping[str, str], given: Sequence[str]) -> dict[str, Path]:
    """The inputs that are given, each NAME=PATH; BokehbenchError for an unknown name or a path that is not there."""
    found = {}
    for word in given:
        name, equals, path = word.partition("=")
        if not equals or name not in known:
            asked = ", ".join(f"{key} ({about})" for key, about in known.items()) or "none"
            raise BokehbenchError(f"--input {word}: give NAME=PATH; the suite asks for: {asked}.")
        found[name] = Path(path).expanduser().resolve()
        if not found[name].exists():
            raise BokehbenchError(f"--input {word}: there is nothing at {found[name]}: correct the path.")
    return found


def with_configurations(suite: Suite, replacements: Sequence[str]) -> Suite:
    """The suite with other configurations, each OLD=NEW; BokehbenchError where the suite does not name OLD."""
    changed = list(suite.experiments)
    named = sorted({experiment.config for experiment in changed if experiment.config})
    for replacement in replacements:
        old, equals, new = replacement.partition("=")
        if not equals or old not in named:
            raise BokehbenchError(
                f"--replace-config {replacement}: give OLD=NEW, where OLD is one of "
                f"{', '.join(named) or 'none in this suite'}."
            )
        changed = [replace(each, config=new) if each.config == old else each for each in changed]
    return replace(suite, experiments=tuple(changed))
