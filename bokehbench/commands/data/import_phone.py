"""Turn portrait photos of phones, with depth inside, into a folder for --data iphonedepth."""

import argparse
import os
from pathlib import Path

from bokehbench.commands.options import whole
from bokehbench.counted import counted
from bokehbench.errors import BokehbenchError, check_options, within
from bokehbench.stopping import goes_on


def main(argv: list[str]) -> int:
    """Import, and list what was left out; status 1 where nothing was imported, or something failed."""
    options = _arguments(argv[1:])
    from bokehbench.preparation.phone.import_folder import import_folder  # brings torch
    from bokehbench.preparation.phone.one_shot import BLURRED, Settings

    settings = Settings(options.output, options.long_side, options.min_confidence, options.allow_rendered)
    share, seed, workers = options.test_share, options.split_seed, options.workers
    report = goes_on(lambda: import_folder(options.folder, settings, share, seed, workers))
    for line in (*report.notes, *report.left_out, *report.failed):
        print(line)
    there, blurred = len(report.before), sum(row["photo"] == BLURRED for row in report.imported)
    marked = f" ({blurred} as the phone blurred them, marked in import.csv)" if blurred else ""
    print(
        f"{counted(len(report.imported), 'photo')} imported{marked}, {there} of before stay, "
        f"{len(report.left_out)} left out, {len(report.failed)} failed."
    )
    if any(report.split):
        print(f"{options.output}: {report.split[0]} for training, {report.split[1]} for the test.")
        print(
            f"Next: bokehbench data check --data iphonedepth --data.root {options.output} --data.depth_kind disparity"
        )
    return 1 if report.failed or not (report.imported or there) else 0


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bokehbench data import-phone", description=__doc__)
    parser.add_argument("folder", type=Path, help="photos of phones, and unmodified originals of the same shots")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the data set's folder, new or of before")
    whole(parser, "--long-side", 64, 20_000, default=1500, help="pixels of the photos' longer side at most; 1500")
    parser.add_argument("--min-confidence", type=float, default=0.1, help="depth of less is missing, 0 to 1; 0.1")
    rendered = "take the phone's blurred picture where no original is there"
    parser.add_argument("--allow-rendered", action="store_true", help=rendered)
    parser.add_argument("--test-share", type=float, default=200 / 2462, help="part of the photos; DeepLens' 200/2462")
    whole(parser, "--split-seed", 0, 2**31, default=0, help="of the division; 0")
    cores = min(4, os.cpu_count() or 1)
    whole(parser, "--workers", 1, 64, default=cores, help="photos that are read at once; one per core, up to 4")
    options = parser.parse_args(words)
    confidence, share = options.min_confidence, options.test_share
    check_options("", within("--min-confidence", confidence, 0, 1), within("--test-share", share, 0, 1))
    if not options.folder.is_dir():
        raise BokehbenchError(f"{options.folder} is not a folder: give the folder of your phone photos.")
    return options
