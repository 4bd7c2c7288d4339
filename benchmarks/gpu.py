"""What a CUDA GPU computes and how fast, where one is at hand for a quarter of an hour and there is no network.

**Carry there** this checkout (``git archive -o bokehbench.tar HEAD``) and a folder of wheels, made on a machine with a
network, the same Python and the same kind of processor::

    pip wheel -w wheels .    # bokehbench and all that it needs; PyPI's torch for Linux is one for CUDA

and, to train on, a checkpoint. ``--ways compile`` needs a C compiler besides, which triton calls. **There**::

    python -m venv venv && . venv/bin/activate && pip install --no-index --find-links wheels bokehbench
    python benchmarks/gpu.py --minutes 12 --start last.ckpt --output gpu

Nothing is downloaded. The three parts share the time as ``--shares`` says, 2, 4 and 6 minutes here; what a part leaves
goes to the last:

1. **same**: every method (small networks, random weights) on the device against the CPU, in fp32 without TF32 and
   under bf16 autocast: pictures, losses and gradients of each stage, validation scores. The largest difference, and
   whether it is within the tolerance.
2. **speed**: renders at ``--sizes``, and training steps of each stage with the batch of its recipe; eager,
   channels-last and compiled, TF32 and bf16. The median of up to 20 runs after two, the first call (with what it
   compiles), peak memory. DeepLens' paper tells 0.7 s for 2048 px.
3. **training**: DeepLens' rendering stage at paper settings (``deeplens_synthetic``) by ``bokehbench fit``, from
   ``--start``: a checkpoint of that stage goes on, weights of another are taken over. ``last.ckpt`` is written every
   100 steps; the newest is copied to the output folder, to be the next ``--start``.

Each part is a process of its own that is ended when its time is over; each line is written when it is known.
``results.json`` and ``results.md`` are written after each part, also where one failed or this script was stopped
(Ctrl-C, SIGTERM); what was not reached says so. ``--device cpu --minutes 1 --small`` tries the script itself.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gpu_same
import gpu_speed
import torch
from gpu_training import STOPPED, end_after, train
from gpu_units import Line, read_units, run_units

from bokehbench import __version__
from bokehbench.files import write_text
from bokehbench.machine import device_in_words
from bokehbench.tables import markdown

PARTS = ("same", "speed", "training")
#: Seconds, or a tenth of the time where that is less, kept for loading torch and for ending the last part.
KEPT = 15.0
#: Columns of the report: key of a line, heading, format.
COLUMNS = {
    "same": [("method", "method", ""), ("precision", "precision", ""),
             *((kind, f"{kind}, largest difference", ".1e") for kind in gpu_same.KINDS),
             ("tolerance", "tolerance of pictures, others", ""), ("within", "within", "")],
    "speed": [("what", "what", ""), ("way", "way", ""), ("precision", "precision", ""), ("median_ms", "median", ".1f"),
              ("pictures_per_s", "pictures/s", ".1f"), ("first_s", "first call, s", ".1f"), ("runs", "runs", ""),
              ("peak_mib", "peak memory, MiB", ".0f")],
    "training": [("from_step", "from step", ""), ("to_step", "to step", ""), ("seconds", "seconds", ".0f"),
                 ("weights", "weights", "")],
}  # fmt: skip


def main() -> None:
    """All parts, or one of them in this process (``--only``, which this script calls itself with)."""
    options = parser().parse_args()
    output: Path = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    if options.only:
        run_units(output / f"{options.only}.jsonl", options.seconds, units(options))
        return
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("torch finds no CUDA GPU here: try the script with --device cpu --minutes 1 --small.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun, whole = time.monotonic(), options.minutes * 60
    allowed = whole - min(KEPT, whole / 10)
    found: dict[str, list[Line]] = {part: [{"unit": "all", "problem": "not begun"}] for part in options.parts}
    for part, share in zip(PARTS, options.shares, strict=True):
        left = max(0.0, begun + allowed - time.monotonic())
        seconds = left if part == PARTS[-1] else min(left, allowed * share / sum(options.shares))
        if part in options.parts:
            found[part], status = run_part(part, seconds, options, output)
            report(output, found, options)
            if status == STOPPED:
                break
    print((output / "results.md").read_text("utf-8"))


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--output", type=Path, default=Path("gpu"), help="folder for results and weights")
    made.add_argument("--minutes", type=float, default=12.0, help="for all parts together")
    made.add_argument("--shares", type=float, nargs=3, default=[1, 2, 3], help="how the parts share the time")
    made.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    made.add_argument("--start", type=Path, help="checkpoint that the training goes on from")
    made.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    made.add_argument("--methods", nargs="*", default=[], help="of part 'same'; all where none is named")
    made.add_argument("--method", default="deeplens", help="of part 'speed'")
    made.add_argument("--sizes", type=int, nargs="+", default=[320, 640, 1280, 2048], help="long sides, in pixels")
    made.add_argument("--ways", nargs="+", choices=gpu_speed.WAYS, default=gpu_speed.WAYS)
    made.add_argument("--small", action="store_true", help="small networks, to try the script itself")
    made.add_argument("--only", choices=PARTS[:2], help=argparse.SUPPRESS)
    made.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    return made


def units(options: argparse.Namespace) -> dict[str, Any]:
    """What the part ``options.only`` is made of."""
    device = torch.device(options.device)
    if options.only == "same":
        return gpu_same.units(options.methods, device)
    return gpu_speed.units(options.method, options.sizes, options.ways, options.small, device)


def run_part(part: str, seconds: float, options: argparse.Namespace, output: Path) -> tuple[list[Line], int | None]:
    """The lines of a part that may take ``seconds``, and its exit status: None where the time was over."""
    if part == "training":
        line, status = train(output, seconds, options.start, options.device, options.small)
        return [line], status
    file = output / f"{part}.jsonl"
    file.unlink(missing_ok=True)
    here = [sys.executable, __file__, *sys.argv[1:], "--only", part, "--seconds", str(seconds)]
    status = end_after(subprocess.Popen(here, start_new_session=True), seconds)
    reason = "stopped" if status == STOPPED else f"exit status {status}" if status else "no time left"
    return read_units(file, reason), status


def report(output: Path, found: dict[str, list[Line]], options: argparse.Namespace) -> None:
    """Write all that is known."""
    device = device_in_words(torch.device(options.device))
    about = {"device": device, "torch": torch.__version__, "bokehbench": __version__, "minutes": options.minutes}
    about["small"] = options.small
    write_text(output / "results.json", json.dumps({**about, **found}, indent=1) + "\n")
    text = [f"{device}, torch {torch.__version__}, bokehbench {__version__}{', SMALL' if options.small else ''}"]
    for part, lines in found.items():
        done = [line for line in lines if set(line) - {"unit", "problem"}]
        table = markdown([head for _, head, _ in COLUMNS[part]], [cells(part, line) for line in done])
        problems = [f"- {line.get('unit', part)}: {line['problem']}" for line in lines if "problem" in line]
        text += [f"## {part}", *([table] if done else []), *(["\n".join(problems)] if problems else [])]
    write_text(output / "results.md", "\n\n".join(text) + "\n")


def cells(part: str, line: Line) -> Sequence[str]:
    """A line as it is shown."""
    values = [(line.get(key), form) for key, _, form in COLUMNS[part]]
    return ["" if value is None else format(value, form) for value, form in values]


if __name__ == "__main__":
    main()
