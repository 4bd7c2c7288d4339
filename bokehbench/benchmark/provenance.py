"""Where a number came from: code, packages, machine."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import bokehbench

#: Packages that can move a score.
PACKAGES = ("torch", "torchvision", "pytorch-lightning", "torchmetrics", "kornia", "timm", "numpy", "pillow")
#: What of a checkout decides about scores; results and docs written by a run must not make it dirty.
CODE = ("bokehbench", "pyproject.toml")


def versions() -> dict[str, str]:
    """Package -> version, of those that are installed."""
    found = {"bokehbench": bokehbench.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str:
    """The commit of the checkout that runs, 40 hex digits; "" outside of one."""
    return _git("rev-parse", "HEAD")


def dirty() -> bool:
    """Whether the code that runs has uncommitted changes; False outside of a checkout."""
    return bool(_git("status", "--porcelain", "--", *CODE))


def _git(*words: str) -> str:
    root = Path(bokehbench.__file__).parents[1]
    if not (root / ".git").exists():  # an installed package inside somebody's own repository is not of that commit
        return ""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def device_in_words(device: torch.device, world_size: int = 1) -> str:
    """``NVIDIA H100 x 2`` or ``x86_64 CPU (Intel ...), 4 threads``."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    elif device.type == "cpu":
        threads = torch.get_num_threads()
        model = f" ({_processor()})" if _processor() else ""
        name = f"{platform.machine()} CPU{model}, {threads} thread{'s'[: threads > 1]}"
    else:
        name = device.type
    return name if world_size == 1 else f"{name} x {world_size}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def peak_memory(device: torch.device) -> int | None:
    """Bytes: of the GPU's allocator since it was reset, or of this whole process on a CPU; None where unknown."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if platform.system() == "Darwin" else peak * 1024)
