"""``bokehbench study build|analyse``: a page of blind pairs that opens from disk, and what its votes mean."""

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from bokehbench.commands.options import method_folder, refuse_unknown_action, whole
from bokehbench.counted import counted
from bokehbench.errors import BokehbenchError
from bokehbench.files import read_text, write_text
from bokehbench.study import words as texts


def main(argv: list[str]) -> int:
    """Run one action; returns 1 where ``analyse`` left a file out; BokehbenchError where it cannot run."""
    refuse_unknown_action(argv, ACTIONS)
    options = arguments(argv[1:])
    return ACTIONS[options.action](options) or 0


def arguments(words: list[str]) -> argparse.Namespace:
    """Parse the options of the verb."""
    parser = argparse.ArgumentParser(prog="bokehbench study", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(ACTIONS))
    build = actions.add_parser("build", help="make the page and, beside it, its key")
    build.add_argument("--inputs", type=Path, required=True, help="folder of the original photos")
    build.add_argument(
        "--outputs", action="append", type=method_folder, required=True, metavar="METHOD=FOLDER",
        help="pictures of a method, named as the inputs; give it once each",
    )  # fmt: skip
    build.add_argument("-o", "--output", type=Path, required=True, help="folder of the page; must be new or empty")
    most = 100_000
    whole(build, "--pairs-per-rater", 1, most, default=20, help="pairs that count, per rater (default: 20)")
    whole(build, "--repeats", 0, most, default=2, help="pairs shown twice, sides exchanged (default: 2)")
    whole(build, "--catches", 0, most, default=2, help="pairs with a spoilt copy, for attention (default: 2)")
    whole(build, "--seed", 0, most, default=0, help="of the order of pairs (default: 0)")
    build.add_argument("--title", default=texts.TITLE)
    build.add_argument("--question", default=texts.QUESTION, help=f"default: {texts.QUESTION}")
    build.add_argument(
        "--instructions",
        type=_text,
        default=texts.INSTRUCTIONS,
        help="text file in place of the instructions; blank lines part it",
    )
    build.add_argument("--consent", type=_text, default=texts.CONSENT, help="text file in place of the consent note")
    build.add_argument("--contact", default="Please send the file to the person who invited you.",
                       help="where answers should go, shown at the end")  # fmt: skip
    whole(build, "--longest", 32, most, help="reduce larger pictures to this many pixels at the longer side")
    build.add_argument("--format", choices=("png", "jpeg"), default="png", help="png keeps every pixel (default)")
    analyse = actions.add_parser("analyse", help="shares, strengths and agreement from files of votes")
    analyse.add_argument("key", type=Path, help="the file that build wrote beside the study")
    analyse.add_argument("votes", type=Path, nargs="+", help="files that raters sent, or folders of them")
    analyse.add_argument("-o", "--output", type=Path, help="folder for analysis.md, .json, .csv and .png")
    analyse.add_argument("--exclude-failed", action="store_true", help="leave out raters who failed a catch trial")
    analyse.add_argument("--exclude", action="append", default=[], metavar="RATER", help="leave out this rater")
    return parser.parse_args(words)


def _build(options: argparse.Namespace) -> None:
    from bokehbench.study.build import Settings, build

    methods = dict(options.outputs)
    if len(methods) < len(options.outputs):
        raise BokehbenchError("--outputs: there are two methods of one name, give each a name of its own.")
    settings = Settings(**{field.name: getattr(options, field.name) for field in fields(Settings)})
    built = build(options.inputs, methods, options.output, settings)
    for note in built.notes:
        print(f"note: {note}.")
    each = min(settings.pairs_per_rater, built.cells)
    full = -(-built.cells // each)
    print(f"Study {built.study}: {counted(built.cells, 'different pair')} of results, {each} per rater.")
    if full > 1:
        print(f"{full} raters see them all, if their links end with ?n=0 to ?n={full - 1}; otherwise shares are drawn.")
    print(f"Page: {built.folder / 'index.html'} (open it, or put the folder on any web host)")
    print(f"Key:  {built.key} (keep it to yourself: it names the methods)")


def _text(path: str) -> tuple[str, ...]:
    found = texts.paragraphs(read_text(Path(path)))
    if not found:
        raise BokehbenchError(f"{path} is empty: write at least one sentence.")
    return found


def _analyse(options: argparse.Namespace) -> int:
    from bokehbench.study import forest_plot, key, report, votes
    from bokehbench.study.analysis import analyse

    secret = key.read(options.key)
    paths = [path for given in options.votes for path in (sorted(given.glob("*.json")) if given.is_dir() else [given])]
    files, refused, duplicates = votes.read_all(paths, secret)
    problems = [*refused, *duplicates]
    for sentence in problems:
        print(f"left out: {sentence}", file=sys.stderr)
    raters = [votes.sort_votes(file, secret) for file in files]
    unknown = set(options.exclude) - {rater.id for rater in raters}
    if unknown:
        raise BokehbenchError(f"--exclude {min(unknown)}: no file of votes is of this rater.")
    excluded = [r.id for r in raters if r.id in options.exclude or (options.exclude_failed and r.failed)]
    analysis = analyse(secret, raters, excluded)
    print(report.console(analysis))
    if options.output is not None:
        write_text(options.output / "analysis.md", report.markdown(analysis, "analysis.png", problems))
        write_text(options.output / "analysis.json", report.as_json(analysis, problems))
        write_text(options.output / "pairs.csv", report.pairs_csv(analysis))
        write_text(options.output / "judgements.csv", report.judgements_csv(analysis))
        forest_plot.write(options.output / "analysis.png", analysis)
        print(f"\nWritten: {options.output / 'analysis.md'}, analysis.json, pairs.csv, judgements.csv, analysis.png")
    return 1 if refused else 0


ACTIONS = {"build": _build, "analyse": _analyse}
