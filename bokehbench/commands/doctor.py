"""``bokehbench doctor``: versions, devices, data folders found, and what is missing."""

import argparse
import importlib
import os
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import bokehbench
from bokehbench.cluster.connection import cores
from bokehbench.counted import counted
from bokehbench.errors import BokehbenchError
from bokehbench.registry import Registry, installed

OK, MISSING, PROBLEM = "ok", "missing", "PROBLEM"
#: Distributions whose wrong build shows only at the import.
REQUIRED = (
    "torch", "torchvision", "pytorch-lightning", "torchmetrics", "timm", "kornia", "jsonargparse", "wandb", "pillow",
    "transformers",
)  # fmt: skip
#: Distribution -> (extra that brings it, what it is for).
OPTIONAL = {
    "optuna": ("sweeps", "bokehbench sweep"),
    "gradio": ("app", "bokehbench app"),
    "sphinx": ("docs", "the documentation site"),
    "pytest": ("test", "the tests"),
}
#: GiB: a run keeps a few checkpoints; some are large.
ROOM_WANTED = 5
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
        ("other packages", registered()),
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
    for name in REQUIRED:
        try:
            importlib.import_module({"pillow": "PIL"}.get(name, name.replace("-", "_")))
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
    except Exception:  # reported above
        return
    count, threads = cores(), torch.get_num_threads()
    yield OK, f"CPU: {count} cores, torch uses {counted(threads, 'thread')}"
    if threads > count:
        yield MISSING, f"fewer threads: {threads} on {count} cores slow each other; set OMP_NUM_THREADS={count}"
    for number in range(torch.cuda.device_count()):
        free, total = (size / 2**30 for size in torch.cuda.mem_get_info(number))
        yield OK, f"GPU {number}: {torch.cuda.get_device_name(number)}, {free:.0f} of {total:.0f} GiB free"
    if torch.backends.mps.is_available():
        yield OK, "Apple GPU (mps)"
    if not torch.cuda.is_available():
        build = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is a CPU build"
        yield MISSING, f"CUDA GPU: torch sees none ({build}); the quick configurations run on a CPU"


def registered() -> Iterator[Finding]:
    """What packages of others registered, and what of it cannot be used."""
    from bokehbench.data import DATA
    from bokehbench.metrics.columns import REGISTERED
    from bokehbench.models import MODELS
    from bokehbench.verbs import VERBS

    found = False
    registries: tuple[Registry[Any], ...] = (MODELS, DATA, REGISTERED, VERBS)
    for registry in registries:
        bad = registry.problems()
        for offer in installed(registry.group):
            found = True
            if not any(f"'{offer.name}'" in problem for problem in bad):
                yield OK, f"{registry.what} {offer.name} of {offer.owner} ({offer.value})"
        for problem in bad:
            yield PROBLEM, problem
    if not found:
        yield OK, "none register methods, data sets, columns or verbs"


def weights() -> Iterator[Finding]:
    """Which downloaded weights are here; nothing is downloaded."""
    try:
        import torch
        from huggingface_hub import try_to_load_from_cache

        from bokehbench.metrics.lpips import BACKBONES
        from bokehbench.photo_depth import NETWORK
    except Exception:  # reported above
        return
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    learned = {BACKBONES["alex"]: "LPIPS", BACKBONES["vgg"]: "LPIPS VGG and DISTS"}
    for file, use in {**learned, "vgg19-dcbb9e9d.pth": "the perceptual loss"}.items():
        here = (folder / file).is_file()
        note = "" if here else f": downloaded at first use, or put it into {folder}"
        yield OK if here else MISSING, f"{file} ({use}){note}"
    here = isinstance(try_to_load_from_cache(NETWORK, "model.safetensors"), str)
    note = "" if here else ": downloaded at first use; without a network give --depth or --disparity"
    yield OK if here else MISSING, f"{NETWORK} (depth of photos without a disparity map){note}"


def data_sets(folders: list[Path]) -> Iterator[Finding]:
    """Folders with the layout of one of our data sets."""
    from bokehbench.data import DATA

    yield OK, "SyntheticDoF: made on the fly"
    found = False
    layouts = sorted(DATA.loaded().items(), key=lambda item: -item[1].layout_rank)
    for folder in folders or [Path(), *sorted(p for p in Path().iterdir() if p.is_dir() and p.name[0] != ".")]:
        for name, kind in layouts:
            if not kind.layout_rank:
                break
            try:
                data = kind(root=folder)
                counts = [f"{len(p)} {split}" for split in ("train", "val", "test") if (p := data.pictures(split))]
            except BokehbenchError:
                continue
            if counts:
                found = True
                option = f"--data {name} --data.root {folder}"
                yield OK, f"{folder}: {kind.__name__}, {', '.join(counts)} ({option})"
                break
    if not found:
        yield MISSING, "no folder of photos found here; name others: bokehbench doctor FOLDER ..."


def places() -> Iterator[Finding]:
    """Where results go."""
    here = Path.cwd()
    if not os.access(here, os.W_OK):
        yield PROBLEM, f"{here} cannot be written to: runs go into runs/ here, or give --trainer.default_root_dir"
    free = shutil.disk_usage(here).free / 2**30
    note = "" if free > ROOM_WANTED else f": checkpoints of a run need up to {ROOM_WANTED}"
    yield MISSING if note else OK, f"{free:.0f} GiB free in {here}{note}"
    try:
        from bokehbench.board import boards

        yield OK, f"{counted(len(boards.names()), 'board')} in {boards.folder()}"
    except BokehbenchError as error:
        yield PROBLEM, str(error)
