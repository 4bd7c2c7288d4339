"""``bokehbench score``: folders of pictures against a folder of true ones; no model needed."""

import argparse
from pathlib import Path

from bokehbench.commands.options import engaged_by, workers
from bokehbench.counted import counted
from bokehbench.errors import BokehbenchError
from bokehbench.files import keep_inputs, write_text
from bokehbench.measure.paired_folders import KINDS, Problem, pair_folders
from bokehbench.metrics.columns import columns, find_column
from bokehbench.metrics.protocols import DEFAULT, PROTOCOLS, Protocol, find_protocol
from bokehbench.remote.mirror import local_folder
from bokehbench.remote.output import Output


def main(argv: list[str]) -> int:
    """Pair, refuse what is odd, score, print one table, write the per-image CSV."""
    options = arguments(argv[1:])
    protocols = options.protocol
    maps = options.mask or options.disparity
    more = besides(protocols, options.columns, options.diagnostics or maps is not None)
    pairing = pair_folders(name_methods(options.outputs), options.targets, maps)
    allowed = {kind for kind in KINDS if getattr(options, f"allow_{kind.replace('-', '_')}")}
    pairing.refuse(allowed)
    pairs = [pair for group in pairing.common().values() for pair in group]
    if not pairs:
        raise BokehbenchError("not scored: no picture is in all of the folders.")
    if options.csv:
        read = [p for pair in pairs for p in (pair.output, pair.target, pair.in_focus) if p]
        keep_inputs(options.csv.path, read, "--csv")
    # these bring torch
    from bokehbench.measure.folder_scores import MEGAPIXELS_PER_PROCESS, Settings, megapixels, score_pairs
    from bokehbench.measure.score_report import besides_table, f_number_table, per_image, protocol_table

    settings = Settings(protocols, more, "mask" if options.mask else "disparity", options.focus)
    with engaged_by(options, megapixels(pairs), MEGAPIXELS_PER_PROCESS):
        pictures = score_pairs(pairs, settings)
    lost = {picture.name for picture in pictures if picture.unreadable is not None}
    pairing.problems += [Problem("unreadable", p.unreadable) for p in pictures if p.unreadable is not None]
    pairing.refuse(allowed)
    pictures = [picture for picture in pictures if picture.name not in lost]
    if not pictures:
        raise BokehbenchError("not scored: every picture has a problem.")
    count = len({picture.name for picture in pictures})
    one = protocols[0] if len(protocols) == 1 else None
    what = f"protocol {one.name}: {one.summary}" if one else f"the same pictures under {len(protocols)} protocols"
    print(f"{counted(count, 'picture')}; {what}{'' if one else ' (docs/metrics/protocols.md)'}\n")
    print(protocol_table(protocols, pictures))
    if table := f_number_table(protocols, pictures):
        print("\n" + table)
    if more:
        print("\n" + besides_table(pictures))
    for note in pairing.notes:
        print(f"note: {note}")
    for problem in pairing.problems:
        print(f"allowed: {problem.sentence}")
    if count < pairing.targets:
        print(f"INCOMPLETE: {count} of {pairing.targets} targets were scored: not comparable with scores of all.")
    if options.csv:
        write_text(options.csv.path, per_image(protocols, pictures))
        options.csv.put(options.csv.path)
        print(f"Per-image scores: {options.csv}")
    return 0


def arguments(words: list[str]) -> argparse.Namespace:
    """Parse the options of the verb."""
    parser = argparse.ArgumentParser(prog="bokehbench score", description=__doc__)
    parser.add_argument("outputs", type=local_folder, nargs="+", help="a folder of outputs; several are compared")
    parser.add_argument("--targets", type=local_folder, required=True, help="folder of true ones, paired by file stem")
    parser.add_argument(
        "--protocol",
        type=find_protocols,
        default=DEFAULT,
        help=f"names with commas between, or all; known: {', '.join(PROTOCOLS)}",
    )
    parser.add_argument("--csv", type=Output, help="write one row per picture, protocol and method")
    parser.add_argument("--columns", help="columns besides the protocol's, names with commas between")
    parser.add_argument(
        "--diagnostics", action="store_true", help="all columns besides: PSNR after gain and shift, blur amount ..."
    )
    maps = parser.add_mutually_exclusive_group()
    maps.add_argument("--mask", type=local_folder, help="folder of in-focus masks: scores by region, diagnostics")
    maps.add_argument("--disparity", type=local_folder, help="folder of maps (bright = near), in place of masks")
    parser.add_argument("--focus", type=float, help="disparity in focus, 0..1; default: the map's centre")
    workers(parser, "; default: one per core, as far as it pays")
    for kind, meaning in KINDS.items():
        parser.add_argument(f"--allow-{kind}", action="store_true", help=meaning)
    options = parser.parse_args(words)
    if options.focus is not None and not (options.disparity and 0 <= options.focus <= 1):
        raise BokehbenchError("--focus goes with --disparity and lies between 0 and 1.")
    return options


def besides(protocols: tuple[Protocol, ...], asked: str | None, all_of_them: bool) -> tuple[str, ...]:
    """Columns besides those of the protocols: asked for, or all that files can have; BokehbenchError if unknown."""
    names = [find_column(name.strip()).name for name in (asked or "").split(",") if name.strip()]
    if all_of_them:
        ours = {column for protocol in PROTOCOLS.values() for column in protocol.columns}
        lacking = {"own_disparity", "tried", "control"}
        names += [
            name for name, each in columns().items()
            if name not in ours and not each.published and not lacking & set(each.needs)
        ]  # fmt: skip
    given = {column for protocol in protocols for column in protocol.columns}
    return tuple(name for name in dict.fromkeys(names) if name not in given)


def find_protocols(text: str) -> tuple[Protocol, ...]:
    """``all``, ``default``, or names with commas between, in that order; BokehbenchError for an unknown one."""
    names = list(PROTOCOLS) if text == "all" else [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise BokehbenchError(f"--protocol '{text}': give all, default, or one of {', '.join(PROTOCOLS)}.")
    return tuple(dict.fromkeys(find_protocol(DEFAULT if name == "default" else name) for name in names))


def name_methods(folders: list[Path]) -> dict[str, Path]:
    """A method is called as its folder, and longer where names are equal; BokehbenchError for a folder given twice."""
    parts = [folder.resolve().parts for folder in folders]
    if len(set(parts)) < len(parts):
        raise BokehbenchError("the same folder of outputs was given twice: give each once.")
    length = 1
    while len({part[-length:] for part in parts}) < len(parts):
        length += 1
    return {"/".join(part[-length:]): folder for part, folder in zip(parts, folders, strict=True)}
