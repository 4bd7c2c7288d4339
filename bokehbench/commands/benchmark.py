"""``bokehbench benchmark``: run a suite of experiments and compare them on a board."""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path

from bokehbench.benchmark import boards
from bokehbench.benchmark.runner import Outcome, Runner
from bokehbench.benchmark.suite import find_suite, read_suite
from bokehbench.errors import BokehbenchError, nearest


def main(argv: list[str]) -> int:
    """Run what is not done yet; returns 1 where an experiment failed, 130 where it was interrupted."""
    options, extra = arguments(argv[1:])
    suite = read_suite(find_suite(options.suite))
    if options.board:
        suite = replace(suite, board=options.board, data={})
    if options.only:
        known = [experiment.name for experiment in suite.experiments]
        for name in options.only.split(","):
            if name not in known:
                raise BokehbenchError(f"--only: the suite has no experiment '{name}'; {nearest(name, known)}.")
        chosen = tuple(e for e in suite.experiments if e.name in options.only.split(","))
        suite = replace(suite, experiments=chosen)
    runner = Runner(suite, (options.folder or Path("runs") / "suites" / suite.name).resolve(), tuple(extra))
    before = signal.signal(signal.SIGTERM, _interrupt)  # a batch system's stop ends the step that runs, too
    try:
        outcomes = runner.run()
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on where this one ended.", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)
    print(report(outcomes, runner.board))
    return 1 if any(outcome.failure for outcome in outcomes) else 0


def arguments(words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Options of the verb, and those that every fit and test gets.

    Raises:
        BokehbenchError: an option that is neither.
    """
    parser = argparse.ArgumentParser(
        prog="bokehbench benchmark",
        description=__doc__,
        epilog="--trainer.* and --data.* (written --x=y) go to every fit and test, e.g. --trainer.devices=2.",
        allow_abbrev=False,
    )
    parser.add_argument("suite", help="a suite's file, or the name of one in experiments/suites (quick)")
    parser.add_argument("--folder", type=Path, help="where the work goes; default: runs/suites/SUITE")
    parser.add_argument("--board", help="name or folder of the board, in place of the suite's")
    parser.add_argument("--only", help="names of experiments, with commas between")
    options, extra = parser.parse_known_args(words)
    for word in extra:
        if not word.startswith(("--trainer.", "--data.")) or "=" not in word:
            raise BokehbenchError(f"{word}: benchmark passes on --trainer.X=VALUE and --data.X=VALUE only.")
    return options, extra


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def report(outcomes: list[Outcome], board: Path | None) -> str:
    """What became of each experiment, the failures last."""
    lines = []
    columns = boards.read_board(board).scores if board is not None else ()
    wide = max(len("experiment"), *(len(outcome.experiment) for outcome in outcomes))
    if board is not None:
        lines.append(f"{'experiment':<{wide}}" + "".join(f" {column.label:>12}" for column in columns))
    for outcome in outcomes:
        if outcome.failure is not None:
            continue
        steps = f"   {' and '.join(outcome.news)} done" if outcome.news else "   was done before"
        cells = ""
        for column in columns:
            values = list(outcome.result.values(column.name).values()) if outcome.result else []
            cells += f" {column.show(sum(values) / len(values)) if values else 'n/a':>12}"
        lines.append(f"{outcome.experiment:<{wide}}{cells}{steps}")
    failed = [outcome for outcome in outcomes if outcome.failure is not None]
    if board is not None:
        lines.append(f"Board: {board / 'table.md'}")
    if failed:
        lines.append(f"{len(failed)} of {len(outcomes)} experiments FAILED; the same command tries them again:")
        lines += [f"  {outcome.experiment}: {outcome.failure}" for outcome in failed]
    return "\n".join(lines)
