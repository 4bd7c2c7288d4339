"""``bokehbench sweep``: run a sweep of W&B's format here, without W&B."""

import argparse
import sys
from pathlib import Path

import yaml

from bokehbench import experiments
from bokehbench.commands.options import whole
from bokehbench.errors import BokehbenchError
from bokehbench.stopping import goes_on
from bokehbench.sweep.definition import read_sweep, wandb_file
from bokehbench.sweep.local_sweep import LocalSweep
from bokehbench.sweep.storage import Storage
from bokehbench.sweep.trials import best, text


def main(argv: list[str]) -> int:
    """Run what is not done yet; returns 1 where all trials failed."""
    options, extra = arguments(argv[1:])
    path = experiments.find(options.file, "sweep")
    sweep = read_sweep(path)
    if options.print:
        print(yaml.safe_dump(wandb_file(path), sort_keys=False), end="")
        return 0
    folder = options.folder or Path("runs") / "sweeps" / sweep.name
    storage = Storage(options.storage or str(folder / "sweep.db"), options.lost_after)
    if sweep.early:
        print("Early termination works with `wandb agent` only: all trials run to their end.", file=sys.stderr)
    local = LocalSweep(sweep, folder, storage, tuple(extra), options.seed)
    rows = goes_on(lambda: local.run(options.trials))
    print(text(rows, sweep.metric, sweep.goal))
    if failed := sum(row.value is None for row in rows):
        print(f"{failed} of {len(rows)} trials failed; their logs: {folder}/trial-*/fit.log")
    winner = best(rows, sweep.goal)
    if winner is not None:
        print(f"Best: trial {winner.number}, {sweep.metric} {winner.value:.5g}")
        if winner.checkpoint:
            print(f"Next: bokehbench test --checkpoint {winner.checkpoint}")
    print(f"Tables: {folder / 'trials.md'}, {folder / 'trials.csv'}")
    return 0 if winner else 1


def arguments(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Options of the verb, and those that every trial gets; BokehbenchError for one that is neither."""
    parser = argparse.ArgumentParser(
        prog="bokehbench sweep",
        description=__doc__,
        epilog="--model.*, --data.*, --trainer.* (written --x=y), --config and --data go to every trial.",
        allow_abbrev=False,
    )
    parser.add_argument("file", help="a sweep's file, or the name of one in experiments/ (deeplens, methods)")
    parser.add_argument("--print", action="store_true", help="print the file for `wandb sweep`, and run nothing")
    whole(parser, "--trials", 1, default=20, help="end after so many, earlier calls included (20)")
    parser.add_argument(
        "--storage",
        help="file of the study, or URL of a server's: any number of sweeps work on one; default: FOLDER/sweep.db",
    )
    silent = "seconds of silence after which a trial on a server is tried again (120); the same for all sweeps on one"
    whole(parser, "--lost-after", 4, 86_400, default=120, help=silent)
    parser.add_argument("--folder", type=Path, help="where the runs go; default: runs/sweeps/NAME")
    whole(parser, "--seed", 0, 2**32 - 1, default=0, help="of the sampler (0); not with a server's storage")
    options, extra = parser.parse_known_args(words)
    for word in extra:
        name, equals, _ = word.partition("=")
        if not equals or not (name.startswith(("--model.", "--data.", "--trainer.")) or name in ("--config", "--data")):
            raise BokehbenchError(
                f"{word}: sweep passes on --model.X=VALUE, --data.X=VALUE, --trainer.X=VALUE, --config=X and --data=X."
            )
        if name.startswith("--trainer.logger") or name == "--trainer.default_root_dir":
            raise BokehbenchError(f"{word}: a local sweep keeps its own logs; `wandb agent` runs the file with W&B's.")
    return options, extra
