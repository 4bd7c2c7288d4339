"""``bokehbench doctor``: versions, devices, data folders found, and what is missing."""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import bokehbench
from bokehbench.counted import counted
from bokehbench.errors import BokehbenchError

OK, MISSING, PROBLEM = "ok", "missing", "PROBLEM"
#: Distribution -> module, where a wrong build shows only at the import.
REQUIRED = {
    "torch": "torch",
    "torchvision": "torchvision",
    "pytorch-lightning": "pytorch_lightning",
    "torchmetrics": "torchmetrics",
    "timm": "timm",
    "kornia": "kornia",
    "jsonargparse": "jsonargparse",
    "wandb": "wandb",
    "pillow": "PIL",
}
#: Distribution -> (extra that brings it, what it is for).
OPTIONAL = {
    "transformers": ("depth", "depth networks of others"),
    "optuna": ("sweeps", "bokehbench sweep"),
    "gradio": ("app", "bokehbench app"),
    "sphinx": ("docs", "the documentation site"),
    "pytest": ("test", "the tests"),
}
#: Data sets that live in a folder, by how special their layout is.
LAYOUTS = ("ebb", "iphonedepth", "pairs")
#: A run keeps a few checkpoints; D2F's are the largest.
ROOM_WANTED = 5 * 2**30
Finding = tuple[str, str]


def main(argv: list[str]) -> int:
    """Print the findings; returns 1 where something that is needed does not work."""
    parser = argparse.ArgumentParser(prog="bokehbench doctor", description=__doc__, allow_abbrev=False)
    parser.add_argument("folders", nargs="*", type=Path, help="where to look for data; default: here, one level deep")
    options = parser.parse_args(argv[1:])
    for folder in options.folders:
        if not folder.is_dir():
            raise BokehbenchError(f"{folder} is not a folder: give one that holds data sets, or nothing to look here.")
    print(f"bokehbench {bokehbench.__version__} in {Path(bokehbench.__file__).parent}")
    worked = True
    sections = (
        ("packages", packages()),
        ("devices", devices()),
        ("weights", weights()),
        ("data", data_sets(options.folders)),
        ("folders", places()),
    )
    for title, findings in sections:
        print(f"\n{title}")
        for state, line in findings:
            worked = worked and state != PROBLEM
            print(f"  {state:<8} {line}")
    print("\nAll that is needed is here." if worked else "\nThe lines marked PROBLEM say what to do.")
    return 0 if worked else 1


def packages() -> Iterator[Finding]:
    """What is imported, in which version; a package that is there may still not load."""
    for name, module in REQUIRED.items():
        try:
            importlib.import_module(module)
            yield OK, f"{name} {version(name)}"
        except PackageNotFoundError:
            yield PROBLEM, f"{name} is not installed: pip install --upgrade bokehbench"
        except Exception as error:  # whatever a broken build raises
            twins = "; torch and torchvision must come from the same index" if name == "torchvision" else ""
            yield PROBLEM, f"{name} does not load ({type(error).__name__}: {error}): install it again{twins}"
    for name, (extra, use) in OPTIONAL.items():
        try:
            yield OK, f"{name} {version(name)}"
        except PackageNotFoundError:
            yield MISSING, f"{name}, for {use}: pip install 'bokehbench[{extra}]'"


def devices() -> Iterator[Finding]:
    """What torch can compute on."""
    try:
        import torch
    except Exception:  # told above
        return
    threads, cores = torch.get_num_threads(), len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    yield OK, f"CPU: {cores or os.cpu_count()} cores, torch uses {counted(threads, 'thread')}"
    if cores and threads > cores:
        yield MISSING, f"fewer threads: {threads} on {cores} cores slow each other; set OMP_NUM_THREADS={cores}"
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        yield (
            OK,
            f"GPU {number}: {torch.cuda.get_device_name(number)}, {free / 2**30:.0f} of {total / 2**30:.0f} GiB free",
        )
    if torch.backends.mps.is_available():
        yield OK, "Apple GPU (mps)"
    if not torch.cuda.is_available():
        build = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is a CPU build"
        yield MISSING, f"CUDA GPU: torch sees none ({build}); the quick configurations run on a CPU"


def weights() -> Iterator[Finding]:
    """Which downloaded weights are here; nothing is downloaded."""
    try:
        import torch

        from bokehbench.metrics.lpips import BACKBONES
    except Exception:  # told above
        return
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    wanted = {BACKBONES["alex"]: "LPIPS", "vgg19-dcbb9e9d.pth": "PyNET's perceptual loss"}
    for file, use in wanted.items():
        if (folder / file).is_file():
            yield OK, f"{file} ({use})"
        else:
            yield MISSING, f"{file} ({use}): downloaded at first use, or put it into {folder}"


def data_sets(folders: list[Path]) -> Iterator[Finding]:
    """Folders with the layout of one of our data sets."""
    yield OK, "SyntheticDoF: made on the fly"
    here = folders or [Path(), *sorted(p for p in Path().iterdir() if p.is_dir() and not p.name.startswith("."))]
    found = False
    for folder in here:
        for line in _layout(folder):
            found = True
            yield OK, line
    if not found:
        yield MISSING, "no folder of photos found here; name others: bokehbench doctor FOLDER ..."


def _layout(folder: Path) -> Iterator[str]:
    from bokehbench.data import open_data

    for name in LAYOUTS:
        try:
            data = open_data(name, root=folder)
            counts = [f"{len(p)} {split}" for split in ("train", "val", "test") if (p := data.pictures(split))]
        except BokehbenchError:
            continue
        if counts:
            yield f"{folder}: {type(data).__name__}, {', '.join(counts)} (--data {name} --data.root {folder})"
            return


def places() -> Iterator[Finding]:
    """Where results go."""
    here = Path.cwd()
    if not os.access(here, os.W_OK):
        yield PROBLEM, f"{here} cannot be written to: runs go into runs/ here, or give --trainer.default_root_dir"
    free = shutil.disk_usage(here).free
    state = OK if free > ROOM_WANTED else MISSING
    yield (
        state,
        f"{free / 2**30:.0f} GiB free in {here}" + ("" if state == OK else ": checkpoints of a run need up to 5"),
    )
    try:
        from bokehbench.board import boards

        yield OK, f"{counted(len(boards.names()), 'board')} in {boards.folder()}"
    except BokehbenchError as error:
        yield PROBLEM, str(error)
