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
