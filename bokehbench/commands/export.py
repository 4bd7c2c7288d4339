"""``bokehbench export``: a method as a file that runs without bokehbench."""

import argparse
from pathlib import Path

import torch

from bokehbench.commands.arguments import WEIGHTS_HELP, open_model, with_settings
from bokehbench.errors import BokehbenchError, check_options
from bokehbench.exporting import FORMATS, LARGEST, SMALLEST, check, metadata
from bokehbench.files import write_atomic


def main(argv: list[str]) -> int:
    """Trace the method, run what came out beside torch, write it where both agree."""
    parser = argparse.ArgumentParser(prog="bokehbench export", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, help=WEIGHTS_HELP)
    parser.add_argument("--to", choices=list(FORMATS), help="default: what the name of the output ends with")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the file")
    parser.add_argument("--size", type=int, default=640, help="long side in px of the photos it is for; default: 640")
    parser.add_argument("--largest-aperture", type=float, help="in px of these photos; default: the method's own")
    options = with_settings(parser, argv[1:])
    kind = options.to or options.output.suffix[1:]
    if kind not in FORMATS:
        raise BokehbenchError(f"{options.output}: give --to {' or '.join(FORMATS)}, or a name that ends so.")
    options.device = options.device or "cpu"  # what is traced may be run anywhere
    method = open_model(options)
    model = method.model
    size, largest = options.size, options.largest_aperture
    check_options("--", ("size", size, SMALLEST <= size < LARGEST, f"{SMALLEST} or more, and less than {LARGEST}"))
    if largest is None:
        largest = model.default_aperture(torch.empty(1, 3, size, size, device="meta"))
    check_options("--", ("largest-aperture", largest, 0 <= largest <= size / 2, "0 or more, half of --size at most"))
    print(f"{model.label}, {method.weights}")
    exported = model.exported(size, largest)
    said = metadata(model, exported)
    content, run = FORMATS[kind](exported, said, size)
    for line in check(model, exported, run, size):
        print(line)
    write_atomic(options.output, lambda file: file.write(content))
    chosen = "".join(f"; {name} {value}" for name, value in exported.fixed.items())
    print(f"{options.output}: {len(content) / 2**20:.1f} MiB, reads {', '.join(exported.inputs)}{chosen}")
    return 0
