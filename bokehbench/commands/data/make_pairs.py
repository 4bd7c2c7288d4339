"""Make training pairs of two folders of photos, taken at a small and at a large aperture, for --data ebb."""

import argparse
from pathlib import Path

from bokehbench.commands.options import engaged_by, workers
from bokehbench.counted import counted
from bokehbench.data.folders import list_pictures
from bokehbench.errors import BokehbenchError, check_options, within

CHOICES = {
    "--match": (("name", "time", "content"), None, "how partners are found"),
    "--align": (("similarity", "homography", "translation", "none"), "similarity", "what the wide photo is moved by"),
    "--exposure": (("match", "keep"), "match", "of the wide photo, to that of the narrow one"),
    "--format": (("jpg", "png"), "jpg", "of the pictures"),
}
NUMBERS = (
    ("--test-share", 0.1, "the last pairs, that are the test split"),
    ("--val-share", 0.1, "those before them, for validation"),
    ("--residual", 1.0, "median px by which a subject may be off, at 1024 high"),
)


def main(argv: list[str]) -> int:
    """Match, align and write; returns 1 where a pair was refused.

    Raises:
        BokehbenchError: a folder without photos, no pair, or a place that is taken.
    """
    options = _arguments(argv[1:])
    if options.narrow.resolve() == options.wide.resolve():
        raise BokehbenchError(f"{options.narrow} was given twice: put the photos of either aperture in its own folder.")
    photos = [_photos(folder) for folder in (options.narrow, options.wide)]
    from bokehbench.preparation.pairs.folder import PAIRS_PER_PROCESS, SHEET, make_folder  # brings torch
    from bokehbench.preparation.pairs.matching import match_photos
    from bokehbench.preparation.pairs.one_pair import Settings

    matched = match_photos(photos[0], photos[1], options.match)
    print(f"{counted(len(matched.pairs), 'pair')}, matched by {matched.way}.")
    for sentence in matched.left_over:
        print(sentence)
    height = None if options.height == "keep" else int(options.height)
    settings = Settings(options.align, options.exposure, height, f".{options.format}", options.residual)
    shares = options.test_share, options.val_share
    with engaged_by(options, len(matched.pairs), PAIRS_PER_PROCESS):
        outcomes, splits = make_folder(options.output, matched.pairs, settings, shares)
    refused = [outcome for outcome in outcomes if outcome.refused is not None]
    for outcome in refused:
        print(f"refused: {outcome.narrow} and {outcome.wide}, {outcome.refused}.")
    made = ", ".join(f"{count} {split}" for split, count in splits.items())
    print(f"{options.output}: {counted(len(outcomes) - len(refused), 'pair')} ({made}), {len(refused)} refused.")
    print(f"What was measured is in pairs.csv, the worst pairs are in {SHEET}.")
    print(f"Next: bokehbench data depth --data ebb --data.root {options.output}")
    return 1 if refused else 0


def _photos(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise BokehbenchError(f"{folder} is not a folder: give a folder of photos.")
    listing = list_pictures(folder)
    for line in (*listing.problems, *(f"note: {note}" for note in listing.notes)):
        print(line)
    if not listing.files:
        raise BokehbenchError(f"{folder} has no photos: give a folder of photos.")
    return list(listing.files.values())


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bokehbench data make-pairs", description=__doc__)
    parser.add_argument("narrow", type=Path, metavar="NARROW", help="folder of the photos at the small aperture (f/16)")
    parser.add_argument("wide", type=Path, metavar="WIDE", help="folder of the photos at the large aperture (f/1.8)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="ROOT", help="new folder for the pairs")
    for option, (choices, default, what) in CHOICES.items():
        usual = default or "the first that fits"
        parser.add_argument(option, choices=choices, default=default, help=f"{what} (default: {usual})")
    for option, share, what in NUMBERS:
        parser.add_argument(option, type=float, default=share, help=f"{what} (default: {share})")
    parser.add_argument("--height", type=_height, default="1024", help="of the pictures, or keep (default: 1024)")
    workers(parser, "; default: one per core, as far as it pays")
    options = parser.parse_args(words)
    shares = (within(f"{name}-share", getattr(options, f"{name}_share"), 0, 0.5) for name in ("test", "val"))
    check_options("--", *shares, within("residual", options.residual, 0.01, 20, "px"))
    return options


def _height(text: str) -> str:
    if text != "keep" and not (text.isdecimal() and 64 <= int(text) <= 20_000):
        raise BokehbenchError(f"--height {text}: give pixels, 64 to 20000, or keep.")
    return text
